import { suite } from "uvu";
import * as assert from "uvu/assert";
import { F_SETFL, O_DIRECTORY, O_NONBLOCK, O_RDONLY } from "./constants/fcntl.ts";
import { pipe, tryFcntl } from "./descriptor.ts";
import { OpError } from "./error.ts";
import { readPieceAt, readTextAt, readToEnd, readWhole, writeAll } from "./io.ts";
import { CWD, close, openat } from "./open.ts";
import { sleepMs } from "./poll.ts";
import { getpid } from "./process.ts";
import { ignoreSignal, SIGPIPE } from "./signal.ts";
import { join, makeTemporary, removeTree, writeFile } from "./testing/files.ts";
import { startForked } from "./testing/programs.ts";
import { saying } from "./testing/saying.ts";
import type { Fd } from "./types.ts";

const files = suite("io");

function inDirectory(body: (dir: string) => void): void {
  const dir = makeTemporary("io-test-");
  try {
    body(dir);
  } finally {
    removeTree(dir);
  }
}

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

files("readWhole: as much, and by one read what does not fill it", () => {
  inDirectory((dir) => {
    for (const size of [0, 1, 65535, 65536, 65537, 300_000]) {
      const path = join(dir, `of ${size}`);
      writeFile(path, new Uint8Array(size).fill(120));
      const fd = openat(CWD, path, O_RDONLY);
      assert.is(readWhole(fd).length, size);
      assert.is(readWhole(openat(CWD, path, O_RDONLY), size)?.length, size);
      if (size > 0) assert.is(readWhole(openat(CWD, path, O_RDONLY), size - 1), undefined);
    }
  });
  const stat = readPieceAt(CWD, "/proc/self/stat");
  assert.is(stat.split(" ")[0], `${getpid()}`);
  assert.ok(stat.endsWith("\n"));
});

files("readToEnd: a directory is an error, said once and whole", () => {
  const fd = openat(CWD, "/", O_RDONLY | O_DIRECTORY);
  assert.throws(() => readToEnd(fd), saying(`read fd ${fd} </>: EISDIR (is a directory)`));
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

files("readTextAt of /proc, whose files have no size", () => {
  assert.match(readTextAt(CWD, "/proc/self/status"), /^Name:\t/);
});

files.run();
