import { suite } from "uvu";
import * as assert from "uvu/assert";
import { F_GETFD, FD_CLOEXEC, O_DIRECTORY, O_RDONLY } from "./constants/fcntl.ts";
import { dupAbove, pipe, tryFcntl } from "./descriptor.ts";
import { CWD, close, openat } from "./open.ts";
import { saying } from "./testing/saying.ts";

const files = suite("open");

files("what is opened is closed by execve", () => {
  const fd = openat(CWD, "/", O_RDONLY | O_DIRECTORY);
  assert.is(tryFcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  const copy = dupAbove(fd, 100);
  assert.ok(copy >= 100);
  assert.is(tryFcntl(copy, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  const [reader, writer] = pipe();
  assert.is(tryFcntl(reader, F_GETFD) & tryFcntl(writer, F_GETFD), FD_CLOEXEC);
  for (const each of [fd, copy, reader, writer]) close(each);
});

files("an error names the path, or the descriptor and the path below it", () => {
  const fd = openat(CWD, "/proc", O_RDONLY | O_DIRECTORY);
  assert.throws(
    () => openat(CWD, "/none", O_RDONLY),
    saying("open /none: ENOENT (no such file or directory)"),
  );
  assert.throws(
    () => openat(fd, "none", O_RDONLY),
    saying(`open fd ${fd} </proc>/none: ENOENT (no such file or directory)`),
  );
  assert.throws(() => openat(fd, "none\0x", O_RDONLY), /contains a NUL byte/);
  close(fd);
});

files.run();
