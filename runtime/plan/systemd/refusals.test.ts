// What cannot be given to systemd: the whole text of each refusal.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseVariantText } from "./annotations.ts";
import { maskBytes } from "./resources.ts";
import { planUnit } from "./unit.ts";

const refusals = suite("refusals of systemd's cgroups");

function says(act: () => unknown, message: string): void {
  assert.throws(act, (error: Error) => error.message === message || assert.is(error.message, message));
}

for (const [text, message] of [
  ["1 2", "something follows the value"],
  ["", "unexpected EOF"],
  ["$", 'unexpected "$"'],
  [",", 'unexpected ","'],
  ["uint32 int32 1", "unexpected type annotation"],
  ["@as 1", `can't parse "1" as type "as"`],
  ["@as [[1]]", 'an array cannot be of type "s"'],
  ["uint32 [1]", 'an array cannot be of type "u"'],
  ["[[1]]", "arrays in arrays are not read"],
  ["[1", "unexpected EOF"],
  ["[1 2]", "a comma is missing in the array"],
  ["[]", "an empty array needs its type, such as @as []"],
  ["[1, uint32 2]", '"u" among "i"'],
  ["foo 1", 'unrecognized type "foo"'],
  ["@a(ss) []", 'values of type "a(ss)" are not read'],
  ["boolean 'x'", 'can\'t parse "x" as type "b"'],
  ["byte 256", '256 is out of the range of type "y"'],
  ["0x", 'bad number syntax: "0x"'],
] as const)
  refusals(`annotation ${JSON.stringify(text)}`, () => says(() => parseVariantText(text), message));

for (const [list, hint] of [
  ["3-1", '"3-1" is not a number or a range of numbers'],
  [",", "it is empty"],
] as const)
  refusals(`cpus ${list}`, () =>
    says(
      () => maskBytes(list, "cpu.cpus"),
      `set cpu.cpus to ${list}: EINVAL (invalid argument), asked for by linux.resources.cpu.cpus (${hint})`,
    ),
  );

for (const [path, message] of [
  [
    "/a/b",
    'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/a/b" instead',
  ],
  ["a:p:n", "invalid slice name: a"],
  ["a.slice:p:a b", '"p-a b.scope" is not a valid name of a systemd unit, asked for by linux.cgroupsPath'],
] as const)
  refusals(`cgroupsPath ${path}`, () => says(() => planUnit(path, "one", false), message));

refusals.run();
