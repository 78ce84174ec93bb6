import { suite } from "uvu";
import * as assert from "uvu/assert";
import { F_GETFD, FD_CLOEXEC, O_CLOEXEC, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { dup3, tryFcntl } from "../../syscalls/descriptor.ts";
import { CWD, close, openat, tryCloseRange } from "../../syscalls/open.ts";
import { saying } from "../../syscalls/testing/saying.ts";
import type { Fd } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import { keepPreservedFds } from "./preserved_fds.ts";

const preserved = suite("keepPreservedFds");

/** With descriptor 3, and 5, open by this process itself, and no other above 2. */
function withOpen(body: () => void): void {
  tryCloseRange(3, 0xffffffff, 0);
  const file = openat(CWD, "/dev/null", O_RDONLY);
  if (file !== 3) dup3(file, 3 as Fd, O_CLOEXEC);
  dup3(3 as Fd, 5 as Fd, O_CLOEXEC);
  try {
    body();
  } finally {
    for (const fd of [3, 5] as Fd[]) close(fd);
  }
}

preserved("none", () => keepPreservedFds(0, []));

preserved("what is open but was not inherited is not the caller's", () => {
  withOpen(() => {
    assert.ok(tryFcntl(3 as Fd, F_GETFD) >= 0);
    assert.throws(
      () => keepPreservedFds(1, []),
      (error: unknown) =>
        error instanceof RuntimeError &&
        error.message === "unable to stat preserved-fd 0 (of 1): fd 3 is not open",
    );
  });
});

preserved("what was inherited survives the execve; the first that is missing is named", () => {
  withOpen(() => {
    assert.is(tryFcntl(3 as Fd, F_GETFD), FD_CLOEXEC);
    assert.throws(
      () => keepPreservedFds(3, [3, 5]),
      saying("unable to stat preserved-fd 1 (of 3): fd 4 is not open"),
    );
    assert.is(tryFcntl(3 as Fd, F_GETFD), 0);
  });
});

preserved("what was inherited and has been closed since is missing", () => {
  const all = Array.from({ length: 1000 }, (_, i) => 3 + i);
  assert.throws(() => keepPreservedFds(900, all.slice(0, 900)), /is not open$/);
});

preserved.run();
