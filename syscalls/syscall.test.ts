import { suite } from "uvu";
import * as assert from "uvu/assert";
import { monotonicNow } from "./clock.ts";
import { pipe } from "./descriptor.ts";
import { readlinkat } from "./directory.ts";
import { OpError } from "./error.ts";
import { tryRead } from "./io.ts";
import { CWD, close } from "./open.ts";
import { poll } from "./poll.ts";
import { call, tryCall } from "./syscall.ts";
import { start } from "./testing/programs.ts";
import { whileHandled } from "./testing/signals.ts";
import { encodeUtf8 } from "./utf8.ts";

const calls = suite("syscall");
const SIGUSR2 = 12;
const own = Number(readlinkat(CWD, "/proc/self"));

calls("tryCall: the result, or minus errno", () => {
  assert.is(tryCall("getpid", []), own);
  assert.is(tryCall("close", [-1]), -9);
  assert.is(tryCall("dup3", [0, 0, 0]), -22);
});

calls("errno is that of this call, not of one before", () => {
  assert.is(tryCall("close", [-1]), -9);
  assert.is(tryCall("getpid", []), own);
  assert.is(tryCall("kill", [2 ** 30, 0]), -3);
});

calls("call: a failure names operation and object", () => {
  assert.throws(
    () => call("close", [-1], "fd -1"),
    (error: unknown) =>
      error instanceof OpError && error.message === "close fd -1: EBADF (bad file descriptor)",
  );
  assert.throws(() => call("close", [-1], "fd -1", "shut"), /^shut fd -1: EBADF/);
});

calls("a call that a signal interrupts goes on, and its time with it", () => {
  const [reader, writer] = pipe();
  // A stopped and continued ppoll would be restarted by the kernel; one whose signal has a handler gives EINTR.
  whileHandled(SIGUSR2, () => {
    const child = start(["sh", "-c", `for i in 1 2 3 4 5; do sleep 0.02; kill -USR2 ${own}; done`]);
    try {
      const began = monotonicNow();
      assert.equal(poll([{ fd: reader, events: 1 }], 300), [0]);
      const ms = Number((monotonicNow() - began) / 1_000_000n);
      assert.ok(ms >= 295 && ms < 3000, `${ms} ms`);
    } finally {
      child.end();
      close(reader);
      close(writer);
    }
  });
});

calls("buffers are given by address, and a missing argument is 0", () => {
  const [reader, writer] = pipe();
  assert.is(tryCall("write", [writer, encodeUtf8("abc"), 3]), 3);
  const buffer = new Uint8Array(8);
  assert.is(tryRead(reader, buffer), 3);
  assert.equal([...buffer], [97, 98, 99, 0, 0, 0, 0, 0]);
  close(reader);
  close(writer);
});

calls.run();
