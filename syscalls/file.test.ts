import { suite } from "uvu";
import * as assert from "uvu/assert";
import { S_IFCHR, S_IFDIR } from "./constants/stat.ts";
import { OpError } from "./error.ts";
import {
  CWD,
  close,
  dupAbove,
  F_GETFD,
  F_SETFL,
  FD_CLOEXEC,
  fstat,
  isType,
  makedev,
  O_DIRECTORY,
  O_NONBLOCK,
  O_RDONLY,
  openat,
  pipe,
  poll,
  readDirectory,
  readlinkat,
  readTextAt,
  readToEnd,
  statx,
  tryFcntl,
  tryOpenat,
  tryReadlinkat,
  tryStatx,
  writeAll,
} from "./file.ts";
import { sleepMs } from "./process.ts";
import { ignoreSignal, SIGPIPE } from "./signal.ts";
import { join, makeLink, makeTemporary, removeTree, writeFile } from "./testing/files.ts";
import { startForked } from "./testing/programs.ts";
import type { Fd } from "./types.ts";

const files = suite("file");

function inDirectory(body: (dir: string) => void): void {
  const dir = makeTemporary("file-test-");
  try {
    body(dir);
  } finally {
    removeTree(dir);
  }
}

for (const [major, minor, device] of [
  [1, 3, 0x103n],
  [5, 0, 0x500n],
  [8, 255, 0x8ffn],
  [8, 256, 0x100800n],
  [0xfff, 0xfffff, 0xffffffffn],
  [136, 1048575, 0xfff088ffn],
] as const)
  files(`makedev ${major}:${minor}`, () => assert.is(makedev(major, minor), device));

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

files("readToEnd: nothing, one chunk, many, and too much", () => {
  inDirectory((dir) => {
    for (const size of [0, 1, 65536, 65537, 300_000]) {
      const path = join(dir, `of ${size}`);
      writeFile(path, new Uint8Array(size).fill(120));
      const open = (): Fd => openat(CWD, path, O_RDONLY);
      const whole = readToEnd(open());
      assert.is(whole?.length, size);
      assert.ok(whole?.every((byte) => byte === 120));
      assert.is(readToEnd(open(), size)?.length, size);
      if (size > 0) assert.is(readToEnd(open(), size - 1), undefined);
    }
  });
});

files("readToEnd: a directory is an error, said once and whole", () => {
  const fd = openat(CWD, "/", O_RDONLY | O_DIRECTORY);
  assert.throws(() => readToEnd(fd), `read fd ${fd}: EISDIR (is a directory)`);
  close(fd);
});

files("writeAll and readToEnd wait for a pipe that does not block", () => {
  const [reader, writer] = pipe();
  for (const fd of [reader, writer]) tryFcntl(fd, F_SETFL, O_NONBLOCK);
  // The other side is slow at both ends.
  const other = startForked(() => {
    close(writer);
    sleepMs(100);
    return readToEnd(reader).length === 200_000 ? 0 : 1;
  });
  close(reader);
  writeAll(writer, new Uint8Array(200_000).fill(120));
  sleepMs(100);
  close(writer);
  assert.is(other.wait().status, 0);
});

files("writeAll: a receiver that is gone is an error", () => {
  ignoreSignal(SIGPIPE); // as the product does
  const [reader, writer] = pipe();
  close(reader);
  assert.throws(
    () => writeAll(writer, new Uint8Array(1), "the pipe"),
    (error: unknown) => error instanceof OpError && error.message === "write the pipe: EPIPE (broken pipe)",
  );
  close(writer);
});

files("poll: the events of each request in its place", () => {
  const [reader, writer] = pipe();
  const requests = [
    { fd: writer, events: 4 },
    { fd: reader, events: 1 },
    { fd: -1 as Fd, events: 1 },
    { fd: 9999 as Fd, events: 1 },
  ];
  assert.equal(poll(requests, 0), [4, 0, 0, 32]);
  writeAll(writer, new Uint8Array(1));
  assert.equal(poll(requests, -1), [4, 1, 0, 32]);
  close(writer);
  assert.equal(poll([{ fd: reader, events: 1 }], -1), [1 | 16]);
  close(reader);
  assert.equal(poll([], 1), []);
});

files("statx of the null device, of a link, of nothing", () => {
  inDirectory((dir) => {
    makeLink("/dev/null", join(dir, "link"));
    const device = statx(CWD, join(dir, "link"), 0);
    assert.ok(isType(device, S_IFCHR));
    assert.equal([device.rdevMajor, device.rdevMinor], [1, 3]);
    assert.is(readlinkat(CWD, join(dir, "link")), "/dev/null");
    assert.is(tryStatx(CWD, join(dir, "none"), 0), -2);
    assert.is(tryReadlinkat(CWD, join(dir, "none")), undefined);
    assert.is(tryOpenat(CWD, join(dir, "none"), O_RDONLY), -2);
    const fd = openat(CWD, dir, O_RDONLY | O_DIRECTORY);
    assert.ok(isType(fstat(fd), S_IFDIR));
    close(fd);
  });
});

files("an error names the path, or the descriptor and the path below it", () => {
  const fd = openat(CWD, "/proc", O_RDONLY | O_DIRECTORY);
  assert.throws(() => openat(CWD, "/none", O_RDONLY), "open /none: ENOENT (no such file or directory)");
  assert.throws(() => openat(fd, "none", O_RDONLY), `open fd ${fd}/none: ENOENT (no such file or directory)`);
  assert.throws(() => openat(fd, "none\0x", O_RDONLY), /contains a NUL byte/);
  close(fd);
});

files("readDirectory: more than one buffer full, and any name", () => {
  inDirectory((dir) => {
    const names = Array.from({ length: 1500 }, (_, i) => `file ${i} ${"x".repeat(40)}`);
    for (const name of [...names, "a\nb", "ä", "..."]) writeFile(join(dir, name), "");
    const fd = openat(CWD, dir, O_RDONLY | O_DIRECTORY);
    const entries = readDirectory(fd);
    close(fd);
    assert.equal(entries.map(({ name }) => name).sort(), [...names, "a\nb", "ä", "..."].sort());
    assert.ok(entries.every(({ type }) => type === 8));
  });
});

files("readTextAt of /proc, whose files have no size", () => {
  assert.match(readTextAt(CWD, "/proc/self/status"), /^Name:\t/);
});

files.run();
