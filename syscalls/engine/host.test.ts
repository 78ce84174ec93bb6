/**
 * The engine's primitives, given all that they are not made for. What fits no register is a TypeError, and then nothing
 * has been called; nothing ends the process. UTF-8 is in utf8.test.ts, memory and stack in memory.test.ts.
 */

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EBADF, EBUSY, EINVAL } from "../constants/errno.ts";
import { memfdCreate } from "../descriptor.ts";
import { readlinkat } from "../directory.ts";
import { readToEnd, seekTo } from "../io.ts";
import { SYS } from "../numbers.ts";
import { CWD, close } from "../open.ts";
import { programArguments } from "../start.ts";
import { run } from "../testing/programs.ts";
import type { Fd } from "../types.ts";
import { type Host, host } from "./host.ts";

const EFAULT = 14;

/** What the types of host.ts do not allow. */
type Functions = { [Name in keyof Host as Host[Name] extends CallableFunction ? Name : never]: unknown };
const raw = host as unknown as Record<keyof Functions, (...args: readonly unknown[]) => unknown>;

let called = 0;
const active = {
  valueOf: () => ++called,
  toString: () => String(++called),
  [Symbol.toPrimitive]: () => ++called,
  get length() {
    return ++called;
  },
};

/** No number, bigint, text, buffer, null or undefined. */
const strangers: readonly unknown[] = [
  true,
  false,
  Symbol("1"),
  {},
  [],
  [1, 2],
  () => 1,
  active,
  new Date(0),
  new Map(),
  /1/,
  new Error("1"),
  Promise.resolve(1),
  Object.create(Uint8Array.prototype),
  new Proxy(new Uint8Array(8), {}),
  new ArrayBuffer(8),
  new SharedArrayBuffer(8),
  new DataView(new ArrayBuffer(8)),
];
const unwhole = [
  2 ** 53,
  -(2 ** 53),
  -(2 ** 63),
  2 ** 64,
  1e300,
  Number.NaN,
  Infinity,
  -Infinity,
  1.5,
  -0.5,
  5e-324,
];

const isTypeError = (error: unknown): boolean => error instanceof TypeError;
const refused = (act: () => unknown, what: unknown): void => {
  const text = typeof what === "object" ? Object.prototype.toString.call(what) : String(what);
  assert.throws(act, isTypeError, `it takes ${typeof what}: ${text}`);
};

function inMemory(body: (fd: Fd) => void): void {
  const fd = memfdCreate("test");
  try {
    body(fd);
  } finally {
    close(fd);
  }
}

const calls = suite("host.syscall");

calls("what fits no register is refused in every place, and nothing has been called", () => {
  inMemory((fd) => {
    for (const value of [...strangers, ...unwhole])
      for (let place = 0; place < 7; place++) {
        const words: unknown[] = [SYS.close, fd, 0, 0, 0, 0, 0];
        words[place] = value;
        refused(() => raw.syscall(...words), value);
      }
    assert.is(called, 0);
    seekTo(fd, 0); // it is open still
  });
});

calls("a text is where a copy of it is, in UTF-8; one that would become another is refused", () => {
  inMemory((fd) => {
    let joined = "";
    for (let i = 0; i < 300; i++) joined += i % 2 === 0 ? "é".repeat(50) : "€".repeat(50);
    for (const text of ["", "a", "é", "€", "\u{1f422}", joined, "x".repeat(1 << 24)]) {
      const bytes = host.encode(text);
      seekTo(fd, 0);
      assert.is(host.syscall(SYS.ftruncate, fd, 0), 0);
      assert.is(host.syscall(SYS.write, fd, text, bytes.length + 1), bytes.length + 1); // with the NUL
      seekTo(fd, 0);
      const written = readToEnd(fd);
      assert.is(host.decode(written), `${text}\0`);
    }
    for (const text of ["\0", "a\0b", "a\0", "\ud800", "a\udc00b", "\udc00\ud800", `${joined}\0`])
      for (let place = 1; place < 7; place++) {
        const words: unknown[] = [SYS.close, fd, "a", "b", "c", "d", "e"];
        words[place] = text;
        refused(() => raw.syscall(...words), text);
      }
    seekTo(fd, 0); // it is open still
  });
});

calls("no argument, and more than a system call has", () => {
  refused(() => raw.syscall(), "none");
  inMemory((fd) => {
    refused(() => raw.syscall(SYS.close, fd, 0, 0, 0, 0, 0, 0), "8");
    refused(() => raw.syscall(SYS.close, fd, ...new Array(60_000).fill(0)), "60,000");
    seekTo(fd, 0);
  });
});

calls("whole numbers, and the low 64 bits of bigints, reach the kernel", () => {
  inMemory((fd) => {
    // lseek(2) returns where it goes to.
    for (const [given, expected] of [
      [0, 0],
      [-0, 0],
      [2 ** 31, 2 ** 31],
      [2 ** 32 + 1, 2 ** 32 + 1],
      [2 ** 53 - 1, 2 ** 53 - 1],
      [0n, 0],
      [5n, 5],
      [(1n << 64n) + 7n, 7],
      [(1n << 200n) + 9n, 9],
      [-(1n << 64n) + 11n, 11],
      [-(1n << 300n) + 13n, 13],
      [(1n << 53n) - 1n, 2 ** 53 - 1],
      [-1, -EINVAL],
      [-(2 ** 53 - 1), -EINVAL],
      [-1n, -EINVAL],
      [(1n << 64n) - 1n, -EINVAL],
      [1n << 63n, -EINVAL],
      [-(1n << 63n), -EINVAL],
      [null, 0],
      [undefined, 0],
    ] as const)
      assert.is(raw.syscall(SYS.lseek, fd, given, 0), expected, `${given}`);
  });
});

calls("a failure is minus its errno, and no failure of before", () => {
  assert.is(host.syscall(SYS.close, -1), -EBADF);
  assert.is(host.syscall(SYS.getpid), Number(readlinkat(CWD, "/proc/self")));
  assert.is(host.syscall(SYS.close, 2 ** 31), -EBADF);
  for (const number of [-1, 100_000, 2 ** 31, (1n << 63n) - 1n]) {
    const result = raw.syscall(number) as number;
    assert.ok(result < 0, `${number}: ${result}`);
  }
});

calls("a buffer, a part of one, an empty one", () => {
  inMemory((fd) => {
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => i);
    assert.is(host.syscall(SYS.write, fd, bytes.subarray(3, 5), 2), 2);
    assert.is(host.syscall(SYS.write, fd, new Uint32Array(bytes.buffer, 8, 1), 4), 4);
    assert.is(host.syscall(SYS.write, fd, new Uint8Array(), 0), 0);
    assert.is(host.syscall(SYS.write, fd, bytes.subarray(16), 0), 0);
    assert.is(host.syscall(SYS.write, fd, bytes.subarray(16), 1), -EFAULT);
    assert.is(host.syscall(SYS.write, fd, null, 1), -EFAULT);
    assert.is(host.syscall(SYS.write, fd, new BigUint64Array([0x4847464544434241n]), 8), 8);
    seekTo(fd, 0);
    assert.equal([...readToEnd(fd)], [3, 4, 8, 9, 10, 11, 65, 66, 67, 68, 69, 70, 71, 72]);
  });
});

calls("what a buffer is made of may be shared, or of floating point", () => {
  inMemory((fd) => {
    const shared = new Uint8Array(new SharedArrayBuffer(4));
    shared.set([1, 2, 3, 4]);
    assert.is(host.syscall(SYS.write, fd, shared, 4), 4);
    assert.is(raw.syscall(SYS.write, fd, new Float64Array([1]), 8), 8);
    seekTo(fd, 0);
    assert.equal([...readToEnd(fd)], [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
  });
});
calls.run();

const buffers = suite("host.addressOf");

buffers("nothing but a buffer has an address", () => {
  for (const value of [...strangers, ...unwhole, "1", null, undefined, 0, 1n])
    refused(() => raw.addressOf(value), value);
  refused(() => raw.addressOf(), "none");
  assert.is(called, 0);
});

buffers("it stays, a part lies in the whole, and an empty one is nowhere", () => {
  const whole = new Uint8Array(1000);
  const address = host.addressOf(whole);
  assert.ok(address > 4096);
  assert.is(host.addressOf(whole.subarray(10)), address + 10);
  assert.is(host.addressOf(new Uint32Array(whole.buffer, 8)), address + 8);
  assert.is(raw.addressOf(whole, 1, "and more"), address);
  for (let i = 0; i < 100_000; i++) new Uint8Array(i % 2000);
  assert.is(host.addressOf(whole), address);
  assert.is(host.addressOf(new Uint8Array()), 0);
  assert.is(host.addressOf(whole.subarray(1000)), 0);
  assert.is(host.addressOf(new Uint8Array(new ArrayBuffer(0))), 0);
});

// Were it otherwise, the address of a buffer would not be one for long.
buffers("this engine can neither detach nor resize what is below a buffer", () => {
  const { transfer, resize } = ArrayBuffer.prototype as unknown as Record<string, unknown>;
  assert.equal([transfer, resize], [undefined, undefined]);
  assert.is((globalThis as Record<string, unknown>).structuredClone, undefined);
});
buffers.run();

const bytes = suite("host.decode, validUtf8, encode and hash");

bytes("they take buffers, or text, and nothing else", () => {
  for (const name of ["decode", "validUtf8", "hash"] as const) {
    for (const value of [...strangers, ...unwhole, null, undefined, 1n])
      refused(() => raw[name](value), value);
    refused(() => raw[name](), "none");
  }
  for (const value of [...strangers, ...unwhole, null, undefined, 1n, new Uint8Array(1)])
    if (typeof value !== "string") refused(() => raw.encode(value), value);
  refused(() => raw.encode(), "none");
  assert.is(called, 0);
});

bytes("more arguments than one are as none", () => {
  assert.is(raw.decode(new Uint8Array([65]), 1, {}), "A");
  assert.equal(raw.encode("A", strangers), new Uint8Array([65]));
});

bytes("what encode gives is the caller's own", () => {
  const first = host.encode("abc");
  first[0] = 0;
  assert.equal(host.encode("abc"), new Uint8Array([97, 98, 99]));
  assert.is(host.encode("").length, 0);
});

bytes("the hash is FNV-1a of 64 bits", () => {
  for (const [text, hash] of [
    ["", 0xcbf29ce484222325n],
    ["a", 0xaf63dc4c8601ec8cn],
    ["foobar", 0x85944171f73967e8n],
  ] as const)
    assert.is(host.hash(host.encode(text)), hash);
});
bytes.run();

const started = suite("host.arguments and environment");
const self = readlinkat(CWD, "/proc/self/exe");
const [bundle = "", mode = ""] = programArguments();

// This file once more, to print what it was started with.
if (mode === "show") {
  const list = programArguments().slice(2);
  console.log(JSON.stringify({ list, environment: [...host.environment()] }));
  host.syscall(SYS.exit_group, 0);
}
const shown = (script: string): { list: string[]; environment: number[] } =>
  JSON.parse(run(["sh", "-c", script.replace("SELF", `"${self}" run "${bundle}" show`)]).stdout);

started("words of any bytes; what is no UTF-8 is mended", () => {
  const { list } = shown(
    `exec SELF "" a "$(printf '\\303\\244')" "$(printf 'x\\377y')" "$(printf '\\355\\240\\200')"`,
  );
  assert.equal(list, ["", "a", "ä", "x\ufffdy", "\ufffd\ufffd\ufffd"]);
  assert.is(shown(`exec SELF "$(head -c 100000 /dev/zero | tr '\\0' x)"`).list[0]?.length, 100_000);
  assert.is(shown("exec SELF $(seq 20000)").list.length, 20_000);
});

started("variables as they are, with the NUL behind each; none at all", () => {
  const { environment } = shown(`exec env -i A=1 "B=$(printf '\\377')" C= SELF`);
  assert.equal(environment, [65, 61, 49, 0, 66, 61, 255, 0, 67, 61, 0]);
  assert.equal(shown("exec env -i SELF").environment, []);
});

started("arguments are as none", () => {
  assert.equal(raw.arguments(strangers), host.arguments());
  assert.equal(raw.environment(strangers), host.environment());
});
started.run();

const ERRNO = 0x50001;
const ALLOW = 0x7fff0000;
const tokens = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };
const token = tokens[host.architecture];
const other = tokens[host.architecture === "x86_64" ? "aarch64" : "x86_64"];

const seccomp = suite("host.seccomp…");

/** An array of struct scmp_arg_cmp. */
function comparison(argument: number, operator: number, datum: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(24));
  view.setUint32(0, argument, true);
  view.setUint32(4, operator, true);
  view.setBigUint64(8, datum, true);
  return new Uint8Array(view.buffer);
}

const none = new Uint8Array();

function withFilter(body: () => void): void {
  assert.is(host.seccompInit(ERRNO, token, token), 0);
  try {
    body();
  } finally {
    host.seccompRelease();
  }
}

const numbersRefused = [
  ...[...strangers, ...unwhole, "1", null, undefined, 1n, new Uint8Array(8)],
  ...[2 ** 32, -(2 ** 31) - 1],
];

seccomp("without a filter there is nothing to add, export or release", () => {
  const nothing = (): void => {
    refused(() => host.seccompAdd(ALLOW, 0, none), "no filter");
    refused(() => host.seccompExport(1), "no filter");
    refused(() => host.seccompRelease(), "no filter");
  };
  nothing();
  withFilter(() => assert.is(host.seccompInit(ERRNO, token, token), -EBUSY));
  nothing();
});

seccomp("numbers are whole and of 32 bits", () => {
  for (const value of numbersRefused) {
    refused(() => raw.seccompInit(value, token, token), value);
    refused(() => raw.seccompInit(ERRNO, value, token), value);
    refused(() => raw.seccompInit(ERRNO, token, value), value);
    refused(() => raw.seccompResolve(value, none, new Int32Array(1)), value);
    withFilter(() => {
      refused(() => raw.seccompAdd(value, 0, none), value);
      refused(() => raw.seccompAdd(ALLOW, value, none), value);
      refused(() => raw.seccompExport(value), value);
    });
  }
  for (const name of ["seccompInit", "seccompResolve"] as const) refused(() => raw[name](), "none");
  withFilter(() => {
    refused(() => raw.seccompAdd(), "none");
    refused(() => raw.seccompExport(), "none");
  });
  assert.is(called, 0);
});

seccomp("buffers are buffers", () => {
  withFilter(() => {
    for (const value of [...strangers, "1", null, undefined, 0, 1n]) {
      refused(() => raw.seccompAdd(ALLOW, 0, value), value);
      refused(() => raw.seccompResolve(token, value, new Int32Array(1)), value);
      refused(() => raw.seccompResolve(token, none, value), value);
    }
  });
});

seccomp("an action, an architecture, a comparison that libseccomp does not know", () => {
  assert.is(host.seccompInit(0x12345678, token, token), -EINVAL);
  assert.is(host.seccompInit(ERRNO, 1, token), -EINVAL);
  assert.ok(host.seccompInit(ERRNO, other, 1) < 0);
  withFilter(() => {
    assert.ok(host.seccompAdd(0x12345678, 0, none) < 0);
    assert.ok(host.seccompAdd(ALLOW, 0, comparison(0, 99, 0n)) < 0);
    assert.ok(host.seccompAdd(ALLOW, 0, comparison(99, 4, 0n)) < 0);
    assert.is(host.seccompAdd(ALLOW, 0, comparison(0, 4, 0n).subarray(0, 23)), -EINVAL);
    assert.is(host.seccompAdd(ALLOW, 0, new Uint8Array(7 * 24)), -EINVAL);
    assert.is(host.seccompAdd(ALLOW, 0, new Uint8Array(1 << 20)), -EINVAL);
    assert.ok(host.seccompExport(-1) < 0);
    assert.ok(host.seccompExport(9999) < 0);
  });
});

seccomp("names: without the NUL, more than there is room for, none, strange ones", () => {
  const names = host.encode("getpid\0close\0\0x\0getuid");
  const numbers = new Int32Array(6).fill(7777);
  assert.is(host.seccompResolve(token, names, numbers), 0);
  const native = [SYS.getpid, SYS.close];
  assert.equal([...numbers], [...native, -1, -1, 7777, 7777]); // getuid has no end
  const room = new Int32Array(3).fill(7777);
  host.seccompResolve(token, names, room.subarray(0, 1));
  assert.equal([...room], [SYS.getpid, 7777, 7777]);
  const odd = new Uint8Array(7).fill(9);
  raw.seccompResolve(token, names, odd);
  assert.equal([...odd.subarray(4)], [9, 9, 9]);
  host.seccompResolve(token, none, room);
  host.seccompResolve(token, names, new Int32Array());
  host.seccompResolve(0x1234, names, numbers);
  const long = new Uint8Array(1 << 20).fill(0x78);
  long[long.length - 1] = 0;
  assert.is(host.seccompResolve(token, long, room), 0);
  assert.is(room[0], -1);
});

seccomp("rules become a program, of the native architecture and of another", () => {
  for (const architecture of [token, other])
    for (let i = 0; i < 100; i++) {
      assert.is(host.seccompInit(ERRNO, architecture, token), 0);
      try {
        assert.is(host.seccompAdd(ALLOW, SYS.getpid, none), 0);
        assert.is(host.seccompAdd(ALLOW, SYS.close, comparison(0, 4, 1n)), 0);
        inMemory((fd) => {
          assert.is(host.seccompExport(fd), 0);
          seekTo(fd, 0);
          const program = readToEnd(fd);
          assert.ok(program.length > 0 && program.length % 8 === 0);
        });
      } finally {
        host.seccompRelease();
      }
    }
  assert.match(host.seccompVersion, /^\d+\.\d+\.\d+$/);
});
seccomp.run();
