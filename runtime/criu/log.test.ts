import { suite } from "uvu";
import * as assert from "uvu/assert";
import { O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { makeLink, withTemporary, writeFile } from "../../syscalls/testing/files.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import { lastErrors, withLog } from "./log.ts";

const logs = suite("CRIU's log");

logs("its errors are what counts, the last ten of them", () => {
  const text = Array.from({ length: 30 }, (_, i) => `(00.${i}) ${i % 2 ? "Error" : "Info"} line ${i}`).join(
    "\n",
  );
  const errors = lastErrors(`${text}\n`);
  assert.is(errors.length, 10);
  assert.is(errors[0], "(00.11) Error line 11");
  assert.is(errors[9], "(00.29) Error line 29");
});

logs("without one, as of a criu that was killed, its last lines", () => {
  assert.equal(lastErrors("a\nb\nc\nd\n\n"), ["b", "c", "d"]);
  assert.equal(lastErrors(""), []);
});

const inFolder = (body: (folder: string, directory: Parameters<typeof withLog>[1]) => void): void =>
  withTemporary("log-", (folder) => {
    const fd = openat(CWD, folder, O_RDONLY | O_DIRECTORY);
    body(folder, { fd, path: folder as HostPath });
    close(fd);
  });

logs("stands behind the first line of an error, with where it is", () => {
  inFolder((folder, directory) => {
    writeFile(`${folder}/dump.log`, `${"x".repeat(300_000)}\n(00.1) Error (a.c:1): why\n`);
    const error = new RuntimeError("child", "criu failed: type DUMP errno 0");
    const told = withLog(error, directory, "dump.log") as Error;
    assert.is(
      told.message,
      `criu failed: type DUMP errno 0\nlog file: ${folder}/dump.log\n(00.1) Error (a.c:1): why`,
    );
  });
});

logs("adds nothing where there is none, to the failure of a hook, or by following a link", () => {
  inFolder((folder, directory) => {
    const error = new RuntimeError("child", "criu failed");
    assert.is(withLog(error, directory, "none.log"), error);
    writeFile(`${folder}/dump.log`, "Error\n");
    const hook = new RuntimeError("hook", "a hook failed");
    assert.is(withLog(hook, directory, "dump.log"), hook);
    makeLink("dump.log", `${folder}/link.log`);
    assert.is(withLog(error, directory, "link.log"), error);
  });
});

logs.run();
