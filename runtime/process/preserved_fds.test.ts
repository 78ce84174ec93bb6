import { closeSync, openSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { F_GETFD, F_SETFD, FD_CLOEXEC, tryFcntl } from "../../syscalls/file.ts";
import type { Fd } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import { keepPreservedFds } from "./preserved_fds.ts";

const preserved = suite("keepPreservedFds");

preserved("none", () => keepPreservedFds(0, []));

preserved("what is open but was not inherited is not the caller's", () => {
  assert.ok(tryFcntl(3 as Fd, F_GETFD) >= 0); // the engine's own
  assert.throws(
    () => keepPreservedFds(1, []),
    (error: unknown) =>
      error instanceof RuntimeError &&
      error.message === "unable to stat preserved-fd 0 (of 1): fd 3 is not open",
  );
});

preserved("what was inherited survives the execve; the first that is missing is named", () => {
  const before = tryFcntl(3 as Fd, F_GETFD);
  const file = openSync("/dev/null", "r");
  try {
    tryFcntl(3 as Fd, F_SETFD, FD_CLOEXEC);
    assert.throws(
      () => keepPreservedFds(3, [3, 5]),
      "unable to stat preserved-fd 1 (of 3): fd 4 is not open",
    );
    assert.is(tryFcntl(3 as Fd, F_GETFD), 0);
  } finally {
    tryFcntl(3 as Fd, F_SETFD, before);
    closeSync(file);
  }
});

preserved("what was inherited and has been closed since is missing", () => {
  const all = Array.from({ length: 1000 }, (_, i) => 3 + i);
  assert.throws(() => keepPreservedFds(900, all.slice(0, 900)), /is not open$/);
});

preserved.run();
