import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../syscalls/testing/saying.ts";
import { isSignal, parseSignal } from "./signals.ts";

const signals = suite("parseSignal");
const known: [string, number][] = [
  ["TERM", 15],
  ["SIGTERM", 15],
  ["sigterm", 15],
  ["15", 15],
  ["0", 0],
  ["9", 9],
  ["HUP", 1],
  ["CHLD", 17],
  ["SIGSTOP", 19],
  ["WINCH", 28],
  ["SYS", 31],
  ["IOT", 6],
  ["POLL", 29],
  ["64", 64],
  ["SIGRTMIN", 34],
  ["SIGRTMIN+3", 37],
  ["rtmax-1", 63],
  ["RTMIN+30", 64],
];
for (const [text, number] of known)
  signals(`${text} is ${number}`, () => {
    assert.is(parseSignal(text), number);
    assert.ok(isSignal(text));
  });

for (const text of [
  "",
  "X",
  "65",
  "-1",
  "1.5",
  "0x9",
  "SIGSIGTERM",
  "RTMIN+31",
  "RTMAX+1",
  "RTMIN-1",
  "constructor",
])
  signals(`"${text}" is unknown`, () =>
    assert.throws(() => parseSignal(text), saying(`unknown signal "${text}"`)),
  );
signals.run();
