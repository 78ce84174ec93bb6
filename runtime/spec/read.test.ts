import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { findProblem } from "./json_position.ts";
import { InvalidJson, type JsonObject, type JsonValue, parseJson, stringifyJson } from "./read.ts";

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

const problem = suite("findProblem");

problem("refuses what the engine's parser refuses, and nothing else", () => {
  const seeds = [
    '{"a":[1,-2.5e+3,"x\\n\\u00e9",true,null,{}],"b":{"c":[]}}',
    '[0,1.5,"\\"",false]',
    '"\\\\ "',
    "-0.1",
  ];
  const alphabet = '{}[]",:0123456789.eE+-truefalsn \\u\n\tx';
  let random = 42;
  const below = (n: number) => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0;
    return Math.floor((random / 2 ** 32) * n);
  };
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    const seed = seeds[below(seeds.length)] ?? "";
    const at = below(seed.length);
    const text = seed.slice(0, at) + (alphabet[below(alphabet.length)] ?? "") + seed.slice(at + below(2));
    let valid = true;
    try {
      JSON.parse(text);
    } catch {
      valid = false;
      refused++;
    }
    assert.is(findProblem(text, 128) === undefined, valid, text);
  }
  assert.ok(refused > 1000 && refused < 19_000, `${refused} of 20000 texts were invalid`);
});

problem.run();

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

write.run();
