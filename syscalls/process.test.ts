import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BadString } from "./cstring.ts";
import { readlinkat } from "./directory.ts";
import { host } from "./engine/host.ts";
import { CWD } from "./open.ts";
import { getpid, stringArray, tryKill, tryPidfdOpen, waitAny, waitFor } from "./process.ts";
import { saying } from "./testing/saying.ts";
import type { Pid } from "./types.ts";

const processes = suite("process");

processes("stringArray: an address for each string, and a null pointer in the end", () => {
  const { pointers, strings } = stringArray(["a", "bc", ""]);
  assert.is(pointers.length, 4);
  assert.is(pointers[3], 0n);
  assert.equal(
    [...pointers].slice(0, 3),
    strings.map((bytes) => BigInt(host.addressOf(bytes))),
  );
  assert.equal(
    strings.map((bytes) => [...bytes]),
    [[97, 0], [98, 99, 0], [0]],
  );
});

processes("stringArray of nothing is the null pointer alone", () => {
  assert.equal([...stringArray([]).pointers], [0n]);
});

processes("stringArray refuses what cstr refuses", () => {
  assert.throws(
    () => stringArray(["A=1", "B=\0"]),
    (error: unknown) => error instanceof BadString,
  );
});

processes("the pid is what /proc says", () => {
  assert.is(getpid(), Number(readlinkat(CWD, "/proc/self")));
});

processes("a process that is not there", () => {
  assert.is(tryPidfdOpen((2 ** 30) as Pid), -3);
  assert.is(tryKill(2 ** 30, 0), -3);
  assert.throws(
    () => waitFor((2 ** 30) as Pid),
    saying(`waitid pid ${2 ** 30}: ECHILD (no child processes)`),
  );
  assert.throws(() => waitAny(), saying("waitid any child: ECHILD (no child processes)"));
});

processes.run();
