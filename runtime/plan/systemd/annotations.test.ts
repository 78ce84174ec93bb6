import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../../../syscalls/testing/saying.ts";
import { parseVariantText, planUnitAnnotations } from "./annotations.ts";

const values = suite("parseVariantText");

const good: readonly [text: string, signature: string, value: unknown][] = [
  ["true", "b", true],
  [" false ", "b", false],
  ["boolean true", "b", true],
  ["'a b'", "s", "a b"],
  ['"it\'s"', "s", "it's"],
  ["string 'x'", "s", "x"],
  ["@o '/org'", "o", "/org"],
  ["'tab\\tnl\\nq\\'u\\u00e9\\U0001F600'", "s", "tab\tnl\nq'ué😀"],
  ["5", "i", 5n],
  ["-5", "i", -5n],
  ["+5", "i", 5n],
  ["0x10", "i", 16n],
  ["010", "i", 8n],
  ["0", "i", 0n],
  ["byte 255", "y", 255n],
  ["int16 -32768", "n", -32768n],
  ["uint16 65535", "q", 65535n],
  ["uint32 4294967295", "u", 4294967295n],
  ["int64 -9223372036854775808", "x", -9223372036854775808n],
  ["uint64 18446744073709551615", "t", 18446744073709551615n],
  ["@t 0xffffffffffffffff", "t", 18446744073709551615n],
  ["1.5", "d", 1.5],
  ["1e3", "d", 1000],
  ["double 2", "d", 2],
  ["['a', 'b']", "as", ["a", "b"]],
  ["['a',]", "as", ["a"]],
  ["@as []", "as", []],
  ["@as ['x']", "as", ["x"]],
  ["[uint32 1, 2]", "au", [1n, 2n]],
  ["[uint32 1, uint32 2]", "au", [1n, 2n]],
  ["[true,false]", "ab", [true, false]],
];

for (const [text, signature, value] of good)
  values(`${text} is ${signature}`, () => assert.equal(parseVariantText(text), { signature, value }));

const bad: readonly [text: string, why: string][] = [
  ["", "unexpected EOF"],
  ["   ", "unexpected EOF"],
  ["foo", 'unrecognized type "foo"'],
  ["uint64", "unexpected EOF"],
  ["uint64 1 2", "something follows"],
  ["true true", "something follows"],
  ["'x", "unexpected"],
  ["'\\u12'", "short unicode escape"],
  ["'\\u0000'", "not a Unicode character"],
  ["'\\ud800'", "not a Unicode character"],
  ["[1,2", "unexpected EOF"],
  ["[1 2]", "comma"],
  ["]", "unexpected"],
  ["[,]", "unexpected"],
  ["[]", "needs its type"],
  ["['a', 1]", "can't parse"],
  ["[uint32 1, int32 2]", "among"],
  ["[[1]]", "arrays in arrays"],
  ["@aas [['x']]", "not read"],
  ["@a(ss) []", "not read"],
  ["(1, 2)", "unexpected"],
  ["{'a': 1}", "unexpected"],
  ["<1>", "unexpected"],
  ["b'bytes'", "unrecognized type"],
  ["uint32 -1", "out of the range"],
  ["byte 256", "out of the range"],
  ["2147483648", "out of the range"],
  ["uint64 18446744073709551616", "out of the range"],
  ["09", "bad number"],
  ["0xg", "bad number"],
  ["5x", "bad number"],
  ["1.5.2", "bad number"],
  ["1e999", "bad number"],
  ["uint32 uint32 1", "unexpected type annotation"],
  ["uint32 true", "can't parse"],
  ["boolean 'x'", "can't parse"],
  ["string 5", "can't parse"],
  ["true\0", "unexpected"],
  ["`id`", "unexpected"],
];

for (const [text, why] of bad)
  values(`${JSON.stringify(text)} is refused`, () =>
    assert.throws(() => parseVariantText(text), saying(why)),
  );

values.run();

const annotations = suite("planUnitAnnotations");

const planned = (name: string, text: string) =>
  planUnitAnnotations({ "other.key": "x", [`org.systemd.property.${name}`]: text }).map(
    (property) => `${property.name} ${property.signature} ${property.value}`,
  );

annotations("others are none of its business", () =>
  assert.equal(planUnitAnnotations({ "org.systemd": "x", "a.org.systemd.property.X": "(" }), []),
);

annotations("seconds become microseconds, whatever number they are", () => {
  assert.equal(planned("TimeoutStopSec", "uint64 7"), ["TimeoutStopUSec t 7000000"]);
  assert.equal(planned("TimeoutStopSec", "7"), ["TimeoutStopUSec t 7000000"]);
  assert.equal(planned("TimeoutStopSec", "1.5"), ["TimeoutStopUSec t 1500000"]);
  assert.equal(planned("TimeoutStopUSec", "uint64 7"), ["TimeoutStopUSec t 7"]);
  assert.equal(planned("Sec", "uint64 7"), ["Sec t 7"]);
  assert.throws(() => planned("TimeoutStopSec", "true"), saying("not a number"));
  assert.throws(() => planned("TimeoutStopSec", "-1"), saying("out of range"));
  assert.throws(() => planned("TimeoutStopSec", "uint64 18446744073709551615"), saying("out of range"));
});

annotations("names are letters, three at least", () => {
  assert.throws(
    () => planned("X", "1"),
    saying("annotation org.systemd.property.X name incorrect: too short"),
  );
  for (const name of ["Ab1", "Fo o", "A.b", "Ünit"])
    assert.throws(() => planned(name, "1"), saying("name incorrect: contains non-alphabetic character"));
});

annotations("a bad value is named with its annotation", () => {
  const message =
    'annotation org.systemd.property.CollectMode=foo value parse error: unrecognized type "foo"';
  assert.throws(() => planned("CollectMode", "foo"), saying(message));
});

annotations.run();
