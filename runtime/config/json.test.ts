import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { InvalidJson, type JsonObject, type JsonValue, parseJson, stringifyJson } from "./json.ts";

const parse = (text: string): JsonValue => parseJson(encodeUtf8(text), "config.json");

function messageOf(bytes: Uint8Array | string): string {
  try {
    parseJson(typeof bytes === "string" ? encodeUtf8(bytes) : bytes, "config.json");
  } catch (e) {
    if (e instanceof InvalidJson) return e.message;
    throw e;
  }
  return "no error";
}

const read = suite("parseJson");

for (const [literal, value] of [
  ["18446744073709551615", 18446744073709551615n],
  ["9223372036854775807", 9223372036854775807n],
  ["-9223372036854775808", -9223372036854775808n],
  ["9007199254740993", 9007199254740993n],
  ["9007199254740992", 9007199254740992n],
  ["9007199254740991", 9007199254740991],
  ["1e3", 1000],
  ["1.0", 1],
  ["0.1000000000000000055511151231257827", 0.1],
] as const)
  read(`${literal} is exact`, () => assert.is((parse(`{"hard": ${literal}}`) as JsonObject).hard, value));

read("a literal of absurd length stays a number, which no integer field accepts", () => {
  assert.is(parse("9".repeat(1000)), Number.POSITIVE_INFINITY);
});

read("of equal keys the last one counts", () => assert.equal(parse('{"a": 1, "a": 2}'), { a: 2 }));

for (const limit of ["1024", "18446744073709551615"])
  read(`a key __proto__ is an own property and changes no prototype, beside ${limit}`, () => {
    const value = parse(`{"__proto__": {"process": {"cwd": "/"}}, "limit": ${limit}}`) as JsonObject;
    assert.is(Object.getPrototypeOf(value), Object.prototype);
    assert.is(value.process, undefined);
    assert.equal(Object.keys(value), ["__proto__", "limit"]);
    assert.is("process" in {}, false);
    assert.is(stringifyJson(value), `{"__proto__":{"process":{"cwd":"/"}},"limit":${limit}}`);
  });

read("a pair of surrogate escapes is one character", () => assert.is(parse('"\\ud83d\\ude00"'), "😀"));

for (const [text, message] of [
  ['{\n  "a": 1,\n  "b" 2\n}', 'line 3, column 7: expected ":" after a key, found "2"'],
  ['{"a": 1,}', 'line 1, column 9: expected a key in double quotes, found "}"'],
  ['{"a": 1', 'line 1, column 8: expected "," or "}", found end of text'],
  ["[1 2]", 'line 1, column 4: expected "," or "]", found "2"'],
  ["[1,]", 'line 1, column 4: expected a value, found "]"'],
  ["{]", 'line 1, column 2: expected a key in double quotes, found "]"'],
  ["", "line 1, column 1: expected a value, found end of text"],
  ["{} {}", 'line 1, column 4: unexpected "{" after the end of the value'],
  ["01", 'line 1, column 1: expected a value, found "0"'],
  ["NaN", 'line 1, column 1: expected a value, found "N"'],
  ['"a\u001bb"', 'line 1, column 3: unexpected "\\u001b" in a string'],
  ['"\\x"', 'line 1, column 2: unknown escape in a string, a backslash before "x"'],
  ["\ufeff{}", 'line 1, column 1: expected a value, found "\\ufeff"'],
  ['"\\ud800"', "line 1, column 2: \\ud800 is half of a surrogate pair and no character"],
  ['["ok", "\\uDFFF"]', "line 1, column 9: \\uDFFF is half of a surrogate pair and no character"],
  ['"\\ud83d\\u0041"', "line 1, column 2: \\ud83d is half of a surrogate pair and no character"],
  ['"\\ud83d-\\ude00"', "line 1, column 2: \\ud83d is half of a surrogate pair and no character"],
  ['{"\\udc00": 1}', "line 1, column 3: \\udc00 is half of a surrogate pair and no character"],
] as const)
  read(`${JSON.stringify(text)} is refused with its place`, () => {
    assert.is(messageOf(text), `config.json: ${message}`);
  });

read("bytes that are not UTF-8 are refused with their place", () => {
  assert.is(
    messageOf(new Uint8Array([0x7b, 0x0a, 0x22, 0xc3, 0xa9, 0xff, 0x22])),
    "config.json: line 2, column 3: not valid UTF-8",
  );
  assert.is(messageOf(new Uint8Array([0x22, 0xc3])), "config.json: line 1, column 2: not valid UTF-8");
  // A surrogate written as UTF-8 (CESU-8).
  assert.is(
    messageOf(new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])),
    "config.json: line 1, column 2: not valid UTF-8",
  );
});

read("16 MiB are read, one byte more is not", () => {
  const most = `"${"a".repeat(16 * 1024 * 1024 - 2)}"`;
  assert.is((parse(most) as string).length, 16777214);
  assert.is(messageOf(`${most} `), "config.json: 16777217 bytes are too many, at most 16777216 are read");
});

read("128 levels are read, 129 are not, with or without a large integer inside", () => {
  const nested = (depth: number, inner: string) => "[".repeat(depth) + inner + "]".repeat(depth);
  assert.is(stringifyJson(parse(nested(128, "1"))), nested(128, "1"));
  const message = "config.json: line 1, column 129: nested deeper than 128 levels";
  assert.is(messageOf(nested(129, "1")), message);
  assert.is(messageOf(nested(100_000, "18446744073709551615")), message);
  assert.is(messageOf('{"a":'.repeat(129)), "config.json: line 1, column 641: nested deeper than 128 levels");
});

read.run();

const write = suite("stringifyJson");

write("a bigint is written as its digits", () => {
  assert.is(
    stringifyJson({ hard: 18446744073709551615n, soft: -1n }),
    '{"hard":18446744073709551615,"soft":-1}',
  );
});

write("what is read is written again, indented as asked for", () => {
  const text = '{\n\t"a": [\n\t\t9223372036854775807,\n\t\t"é"\n\t]\n}';
  assert.is(stringifyJson(parse(text), "\t"), text);
});

for (const value of [
  [1n],
  { a: 1n },
  [[], {}, [[2n]], { b: {}, c: [undefined], d: undefined }, null],
  { a: [{ b: ["line\nfeed", 1n, { c: [1.5, true, null, ""] }] }, { d: [] }], "\n": 2n, e: { f: [1, 2] } },
  { "\ud800": "\udc00\u2028\u007f", a: 7n },
])
  write(`with a bigint the layout is the engine's: ${JSON.stringify(asNumbers(value))}`, () => {
    for (const indent of [undefined, "\t", "  "])
      assert.is(stringifyJson(value, indent), JSON.stringify(asNumbers(value), undefined, indent));
  });

function asNumbers(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(asNumbers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asNumbers(inner)]));
}

write.run();
