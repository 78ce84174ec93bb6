import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Fd } from "../../syscalls/types.ts";

// As in syscalls/faults.test.ts: it has to be there before the door is.
globalThis.FAULT_INJECTION = true;
const { EAGAIN } = await import("../../syscalls/constants/errno.ts");
const { F_GETFL, O_NOCTTY, O_NONBLOCK, O_RDWR } = await import("../../syscalls/constants/fcntl.ts");
const { AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM } = await import("../../syscalls/constants/socket.ts");
const { fdAt, pipe, tryFcntl } = await import("../../syscalls/descriptor.ts");
const { call } = await import("../../syscalls/syscall.ts");
const { armFaults } = await import("../../syscalls/faults.ts");
const { tryRead, tryWrite } = await import("../../syscalls/io.ts");
const { CWD, close, openat } = await import("../../syscalls/open.ts");
const { join, readFile, withTemporary, writeFile } = await import("../../syscalls/testing/files.ts");
const { openPtyPeer, unlockPty } = await import("../../syscalls/tty.ts");
const { Copy } = await import("./copy.ts");
const { PIPE_BUF, sinkOf, sourceOf } = await import("./end_point.ts");

const ends = suite("ends of a copy");

const MUCH = 64 * 1024;

function socketPair(): [Fd, Fd] {
  const fds = new Int32Array(2);
  call("socketpair", [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds]);
  return [fdAt(fds[0]), fdAt(fds[1])];
}

/** Writes until there is no room; how much it took at first and in all. */
function fill(fd: Fd): { readonly first: number; readonly all: number } {
  const sink = sinkOf(fd);
  assert.is(sink.mayBlock, false);
  const counts: number[] = [];
  for (let count = 1; count > 0; ) {
    count = sink.write(new Uint8Array(MUCH).fill(120));
    if (count < 0) assert.is(count, -EAGAIN);
    else counts.push(count);
  }
  return { first: counts[0] ?? 0, all: counts.reduce((sum, count) => sum + count, 0) };
}

ends("a terminal takes as much as it has room for, without waiting, and stays as the caller has it", () => {
  const master = openat(CWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
  unlockPty(master);
  const slave = openPtyPeer(master, O_RDWR | O_NOCTTY);
  const flags = tryFcntl(slave, F_GETFL);
  const { first, all } = fill(slave);
  assert.ok(first > PIPE_BUF, `${first} at once`);
  assert.is(tryFcntl(slave, F_GETFL), flags);
  let came = 0;
  const buffer = new Uint8Array(MUCH);
  for (let tries = 0; tries < 100_000 && came < all; tries++) came += Math.max(0, tryRead(master, buffer));
  assert.is(came, all);
  for (const fd of [master, slave]) close(fd);
});

ends("a socket is asked without a poll before, both ways, and stays as the caller has it", () => {
  const [ours, theirs] = socketPair();
  const flags = tryFcntl(theirs, F_GETFL);
  const source = sourceOf(theirs);
  assert.equal([source.mayBlock, source.read(new Uint8Array(1))], [false, -EAGAIN]);
  assert.ok(fill(theirs).first > PIPE_BUF);
  assert.is(tryFcntl(theirs, F_GETFL), flags);
  for (const fd of [ours, theirs]) close(fd);
});

ends("a file is always ready; what else the caller has may wait", () => {
  const nothing = openat(CWD, "/dev/zero", 0);
  assert.is(sourceOf(nothing).mayBlock, true);
  const program = openat(CWD, "/proc/self/exe", 0);
  assert.is(sourceOf(program).mayBlock, false);
  for (const fd of [nothing, program]) close(fd);
});

ends("from a pipe to a file within the kernel, and by reading where it is open for appending", () => {
  withTemporary("copy-", (dir) => {
    const path = join(dir, "file");
    for (const [flags, reads] of [
      [0, false],
      [0o2000, true], // O_APPEND
    ] as const) {
      writeFile(path, "");
      const file = openat(CWD, path, O_RDWR | flags);
      const [reader, writer] = pipe();
      tryWrite(writer, new Uint8Array(5000).fill(1));
      close(writer);
      let ended = 0;
      const copy = new Copy(sourceOf(reader), sinkOf(file), () => ended++);
      armFaults("read:1:EIO,write:1:EIO");
      for (let turn = 0; turn < 4 && copy.open; turn++) copy.move(new Set([reader, file]));
      armFaults("none");
      assert.equal([ended, readFile(path).length], [1, reads ? 0 : 5000]);
      for (const fd of [file, reader]) close(fd);
    }
  });
});

ends.run();
