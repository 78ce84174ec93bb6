import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseDuration } from "./duration.ts";

const duration = suite("parseDuration");

const read: readonly [text: string, nanoseconds: bigint][] = [
  ["0", 0n],
  ["-0", 0n],
  ["5s", 5_000_000_000n],
  ["+5s", 5_000_000_000n],
  ["-1.5h", -5_400_000_000_000n],
  ["1m30s", 90_000_000_000n],
  ["1h2m3.4s", 3_723_400_000_000n],
  [".5s", 500_000_000n],
  ["1.s", 1_000_000_000n],
  ["300ms", 300_000_000n],
  ["1us1\u00b5s1\u03bcs1ns", 3001n],
  ["0.0000000001s", 0n],
  ["9223372036854775807ns", 9223372036854775807n],
];
for (const [text, expected] of read)
  duration(`reads "${text}"`, () => assert.is(parseDuration(text), expected));

for (const text of [
  "",
  "5",
  "abc",
  ".s",
  "1h2m3",
  "5x",
  "1e3s",
  "1d",
  "- 5s",
  "5 s",
  "--5s",
  "9999999h",
  "1,5s",
])
  duration(`refuses "${text}"`, () => assert.is(parseDuration(text), undefined));

duration.run();
