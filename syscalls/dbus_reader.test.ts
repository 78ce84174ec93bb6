import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DbusReader } from "./dbus_reader.ts";
import { DbusTransportError } from "./dbus_transport_error.ts";
import type { DbusData } from "./dbus_value.ts";
import { DbusWriter } from "./dbus_writer.ts";
import { saying } from "./testing/saying.ts";

const reader = suite("D-Bus values from bytes");

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from((hex.match(/[0-9a-f]{2}/g) ?? []).map((byte) => Number.parseInt(byte, 16)));
}

const values: readonly (readonly [signature: string, values: readonly DbusData[]])[] = [
  ["ybnqiu", [1, true, -2, 65535, -3, 4294967295]],
  ["yxtd", [1, -2n, 18446744073709551615n, -0.5]],
  ["sog", ["é\u{1f600}", "/a/b", "a{sv}as"]],
  ["ssa(sv)a(sa(sv))", ["unit", "", [["PIDs", { signature: "au", value: [1, 2] }]], []]],
  ["a{sv}y", [[["a", { signature: "v", value: { signature: "t", value: 7n } }]], 1]],
  ["aaya(t)ad", [[[1], [], [2, 3]], [[4n]], []]],
];
for (const [signature, list] of values)
  reader(`${signature}: what was written`, () => {
    const writer = new DbusWriter();
    writer.values(signature, list);
    assert.equal(new DbusReader(writer.bytes, true).values(signature), list);
  });

reader("the other byte order", () => {
  const bytes = bytesOf(
    "07 00 0102 fffffffe 0000000000000003 00000002 6869 00 000000000000 3ff8000000000000",
  );
  const list = new DbusReader(bytes.subarray(0), false).values("yqixs");
  assert.equal(list, [7, 258, -2, 3n, "hi"]);
});

const bad: readonly (readonly [why: string, signature: string, hex: string])[] = [
  ["a value ends behind it", "u", "010000"],
  ["a value ends behind it", "yu", "01"],
  ["a value ends behind it", "s", "05000000 6162 00"],
  ["a value ends behind it", "s", "ffffffff 6162 00"],
  ["a value ends behind it", "s", "02000000 6162"],
  ["a value ends behind it", "ay", "04000000 0102"],
  ["a value ends behind it", "at", "08000000"],
  ["a value ends behind it", "v", "0174 00 00"],
  ["padding is not zero", "yu", "01000001 00000000"],
  ["padding is not zero", "at", "00000000 00000001"],
  ["neither 0 nor 1", "b", "02000000"],
  ["does not end with a NUL", "s", "01000000 6161"],
  ["contains a NUL", "s", "03000000 610061 00"],
  ["not UTF-8", "s", "02000000 61ff 00"],
  ["not UTF-8", "s", "02000000 c080 00"],
  ["not UTF-8", "s", "03000000 eda080 00"],
  ["an object path is none", "o", "00000000 00"],
  ["an object path is none", "o", "02000000 2f2f 00"],
  ["a signature is none", "g", "01 61 00"],
  ["not of one type", "v", "00 00"],
  ["not of one type", "v", "02 7979 00 0102"],
  ["larger than 64 MiB", "ay", "01000004"],
  ["does not end with its last element", "au", "03000000 01000000"],
  ["does not end with its last element", "as", "06000000 02000000 6162 00"],
];
for (const [why, signature, hex] of bad)
  reader(`${signature} ${hex}: ${why}`, () =>
    assert.throws(
      () => new DbusReader(bytesOf(hex), true).values(signature),
      (error: unknown) =>
        error instanceof DbusTransportError && error.errno === 74 && error.message.includes(why),
    ),
  );

reader("variants inside of each other, 64 at most", () => {
  const nested = (depth: number) => bytesOf(`${"017600".repeat(depth - 1)}01790005`);
  assert.ok(new DbusReader(nested(64), true).value("v"));
  assert.throws(() => new DbusReader(nested(65), true).value("v"), saying("nested too deeply"));
  assert.throws(() => new DbusReader(nested(40000), true).value("v"), saying("nested too deeply"));
});

reader.run();
