import { suite } from "uvu";
import * as assert from "uvu/assert";
import { F_GETFD, FD_CLOEXEC } from "./constants/fcntl.ts";
import { saying } from "./testing/saying.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

// What the bundler defines in a build for tests; it has to be there before syscall.ts is.
globalThis.FAULT_INJECTION = true;
const { armFaults } = await import("./faults.ts");
const { tryCall } = await import("./syscall.ts");
const { memfdCreate, pipe, tryFcntl } = await import("./descriptor.ts");
const { readlinkat } = await import("./directory.ts");
const { readToEnd, seekTo, writeAll } = await import("./io.ts");
const { CWD, close } = await import("./open.ts");

const faults = suite("faults");
const own = Number(readlinkat(CWD, "/proc/self"));

const bytes = (text: string): Uint8Array => encodeUtf8(text);

faults("the Nth call of a name fails, those before and after do not", () => {
  armFaults("getpid:2:EBUSY,getuid:1:EIO");
  const results = Array.from({ length: 3 }, () => tryCall("getpid", []));
  assert.equal(results, [own, -16, own]);
  assert.is(tryCall("getuid", []), -5);
});

faults("without a count the first fails, without an errno by EIO", () => {
  armFaults("getpid");
  assert.is(tryCall("getpid", []), -5);
});

faults("an unknown errno is refused", () => {
  assert.throws(() => armFaults("read:1:EWHAT"), saying("RUNT_FAULT: unknown errno EWHAT"));
});

faults("readToEnd: a read that fails once is an error, not the end of the file", () => {
  const fd = memfdCreate("test");
  writeAll(fd, bytes("content"));
  seekTo(fd, 0);
  armFaults("read:1:EIO");
  assert.throws(
    () => readToEnd(fd),
    saying(`read fd ${fd} </memfd:test (deleted)>: EIO (input/output error)`),
  );
  assert.is(decodeUtf8(readToEnd(fd)), "content");
  close(fd);
});

faults("writeAll: a write that fails once is an error, and nothing is written twice", () => {
  const fd = memfdCreate("test");
  armFaults("write:1:ENOSPC");
  assert.throws(
    () => writeAll(fd, bytes("a"), "state.json"),
    saying("write state.json: ENOSPC (no space left on device)"),
  );
  writeAll(fd, bytes("b"));
  seekTo(fd, 0);
  assert.is(decodeUtf8(readToEnd(fd)), "b");
  close(fd);
});

faults("what a signal interrupts is called again, but close never", () => {
  const fd = memfdCreate("test");
  armFaults("write:1:EINTR,write:2:EINTR,close:1:EINTR");
  assert.is(tryCall("write", [fd, bytes("ab"), 2]), 2);
  assert.is(tryCall("close", [fd]), -4);
  // The one close that was made is the one that failed: a second would have closed it.
  assert.is(tryFcntl(fd, F_GETFD), FD_CLOEXEC);
  close(fd);
});

faults("EAGAIN waits, and then goes on", () => {
  const [reader, writer] = pipe();
  armFaults("write:1:EAGAIN,read:1:EAGAIN");
  writeAll(writer, bytes("x"));
  close(writer);
  assert.is(decodeUtf8(readToEnd(reader)), "x");
  close(reader);
});

faults.run();
