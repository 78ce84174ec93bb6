import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BadString } from "./cstring.ts";
import type { DbusData } from "./dbus_value.ts";
import { DbusWriter } from "./dbus_writer.ts";
import { saying } from "./testing/saying.ts";

const writer = suite("D-Bus values to bytes");

/** What is written, in hexadecimal. */
function written(signature: string, values: readonly DbusData[]): string {
  const out = new DbusWriter();
  out.values(signature, values);
  return [...out.bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const cases: readonly (readonly [signature: string, values: readonly DbusData[], bytes: string])[] = [
  ["", [], ""],
  ["ybnq", [1, true, -2, 65535], "01000000 01000000 feff ffff"],
  ["yiu", [255, -1, 4294967295], "ff000000 ffffffff ffffffff"],
  ["yxt", [1, -2n, 18446744073709551615n], "0100000000000000 feffffffffffffff ffffffffffffffff"],
  ["td", [5, 1.5], "0500000000000000 000000000000f83f"],
  ["sog", ["é", "/a", "a{sv}"], "02000000 c3a900 00 02000000 2f6100 05617b73767d00"],
  ["yv", [7, { signature: "u", value: 1 }], "07 017500 01000000"],
  ["v", [{ signature: "t", value: 1 }], "01740000 00000000 0100000000000000"],
  ["au", [[1, 2]], "08000000 01000000 02000000"],
  ["yas", [1, ["a", "bc"]], "01000000 0f000000 01000000 61000000 02000000 626300"],
  // The padding before the first element does not count, and is there when there is none.
  ["at", [[1]], "08000000 00000000 0100000000000000"],
  ["aty", [[], 1], "00000000 00000000 01"],
  [
    "a(yy)y",
    [
      [
        [1, 2],
        [3, 4],
      ],
      5,
    ],
    "0a000000 00000000 0102 000000000000 0304 05",
  ],
  ["a{yu}", [[[1, 2]]], "08000000 00000000 01000000 02000000"],
];
for (const [signature, values, bytes] of cases)
  writer(signature, () => assert.is(written(signature, values), bytes.replaceAll(" ", "")));

writer("many bytes", () => assert.is(written("as", [Array(1000).fill("abc")]).length, 2 * (4 + 1000 * 8)));

const outside: readonly (readonly [string, number | bigint])[] = [
  ["y", 256],
  ["y", -1],
  ["n", 32768],
  ["q", -1],
  ["i", 2 ** 31],
  ["u", -1],
  ["u", 2 ** 32],
  ["u", 1.5],
  ["x", 1n << 63n],
  ["t", -1n],
];
for (const [type, value] of outside)
  writer(`${value} is no ${type}`, () =>
    assert.throws(
      () => written(type, [value]),
      (error: unknown) => error instanceof RangeError,
    ),
  );

for (const [type, value] of [
  ["s", "a\0b"],
  ["s", "\ud800"],
  ["o", "nothing"],
  ["g", "a"],
] as const)
  writer(`${JSON.stringify(value)} is no ${type}`, () =>
    assert.throws(
      () => written(type, [value]),
      (error: unknown) => error instanceof BadString,
    ),
  );

writer("a wrong number of values is a mistake here, not in the message", () => {
  assert.throws(() => written("ss", ["one"]), saying("2 values, not 1"));
  assert.throws(() => written("v", [{ signature: "ss", value: "one" }]), saying("2 values, not 1"));
});

writer.run();
