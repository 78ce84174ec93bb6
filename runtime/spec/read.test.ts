import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { readExactly } from "./json_exact.ts";
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

/** What a reader makes of a text, as one line: the value with its types, or the error. */
function outcome(read: () => JsonValue): string {
  try {
    return show(read());
  } catch (e) {
    if (e instanceof InvalidJson) return e.message;
    throw e;
  }
}

function show(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(show).join()}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${show(inner)}`)}}`;
  if (typeof value === "bigint") return `${value}n`;
  return Object.is(value, -0) ? "-0" : typeof value === "number" ? `${value}` : JSON.stringify(value);
}

function agree(text: string): string {
  const exact = outcome(() => readExactly(text, "config.json", 128));
  assert.is(
    outcome(() => parse(text)),
    exact,
    text,
  );
  return exact;
}

const exact = suite("readExactly");

exact(
  "says what parseJson says, and accepts what the engine's parser accepts but for what is no JSON",
  () => {
    const seeds = [
      '{"a":[1,-2.5e+3,"x\\n\\u00e9",true,null,{}],"b":{"c":[]}}',
      '[0,1.5,"\\"",false]',
      '"\\\\ "',
      "-0.1",
      '{"a":123456789012345678901,"__proto__":-0}',
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
      const invalid = agree(text).startsWith("config.json:");
      if (invalid) refused++;
      let engineRefuses = false;
      try {
        JSON.parse(text);
      } catch {
        engineRefuses = true;
      }
      assert.ok(invalid || !engineRefuses, text);
      if (invalid && !engineRefuses) assert.match(text, lenient);
    }
    assert.ok(refused > 1000 && refused < 19_000, `${refused} of 20000 texts were invalid`);
  },
);

/** What QuickJS lets pass. */
const lenient = /-0[0-9]|[0-9]\.(?![0-9])|\\[^"\\/bfnrtu]|\\u\{/;

for (const text of [
  ..."-010 -00 1. 0. -1.e5 [1.] 0x10 0b1 0o7 010 +1 NaN -Infinity .5 1e 1_000 1n - -- truE true1 'a' {a:1}".split(
    " ",
  ),
  ...[
    "[,]",
    "{,}",
    "[1,]",
    "/**/1",
    "1//",
    "//\n1",
    "\v1",
    "\u00a01",
    "1\u2028",
    "\0",
    "1\0",
    "`a`",
    "undefined",
  ],
  ...[
    "\\v",
    "\\x41",
    "\\u{41}",
    "\\\n",
    "\\\r\n",
    "\\\u2028",
    "\\'",
    "\\0",
    "\\1",
    "\\a",
    "\\u12",
    "\t",
    "\0",
    "\u001f",
  ].map((inside) => `"${inside}"`),
  '{"a":-010,"a":1}',
  "{'a':1}",
  '{"\\x41":1}',
])
  exact(`${JSON.stringify(text)} is refused whatever the engine's parser thinks of it`, () => {
    assert.match(agree(text), /^config\.json: line [12], column [0-9]+: [eu]/);
  });

exact("every character as an escape, and every two characters as a text", () => {
  for (let code = 0; code < 0x100; code++) agree(`["\\${String.fromCharCode(code)}"]`);
  for (let first = 0; first < 0x80; first++)
    for (let second = 0; second < 0x80; second++) agree(String.fromCharCode(first, second));
});

for (const [literal, value] of [
  ["-0", -0],
  ["-0.0", -0],
  ["1e400", Number.POSITIVE_INFINITY],
  ["-1e400", Number.NEGATIVE_INFINITY],
  ["1E05", 100000],
  ["9007199254740993.0", 9007199254740992],
  ["-9007199254740993", -9007199254740993n],
  [`1${"0".repeat(39)}`, 10n ** 39n],
  [`1${"0".repeat(40)}`, 1e40],
] as const)
  exact(`${literal} is ${value}`, () => {
    assert.ok(Object.is(parse(literal), value));
    assert.ok(Object.is(readExactly(literal, "config.json", 1), value));
  });

exact("strings, keys and equal keys are the same beside a large integer", () => {
  const texts = [
    '{"2":[],"1":{},"é\\n":"\\ud83d\\ude00\\u0000","a":1,"a":2,"":" ","toString":null}',
    '["1.", "-01", "\\\\x", "\\\\\\"", "\u2028", "\u007f", "a.b", "18446744073709551615"]',
    ' \t\r\n[ 1 , { "a" : [ ] , "b" : { } } ]\n',
  ];
  for (const text of texts) assert.not(agree(`[18446744073709551615,${text}]`).startsWith("config"), text);
});

exact.run();

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
