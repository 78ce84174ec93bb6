import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { InvalidJson, type JsonValue, parseJson } from "./json.ts";
import { readExactly } from "./json_exact.ts";

const parse = (text: string): JsonValue => parseJson(encodeUtf8(text), "config.json");

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

const large = "18446744073709551615";
for (const text of [
  `["${large}, ", ${large}]`,
  `["a: ${large} ", ${large}, "-${large}]"]`,
  `["\\\\${large} ", ${large}]`,
  `["\\u${large}, ", ${large}]`,
  `["\\"${large},", ${large}]`,
  `["\\u0000${large}", ${large}]`,
  `["\\u0000", {"\\u0000": ${large}}]`,
  `[0.${large}, ${large}, 1e-${large}, 1.${large}e5, ${large}.5]`,
  `{"__proto__": ${large}, "a": [-${large},${large}\n], "${large}": {"b":${large}}, "a": ${large}}`,
  `[1000000000000000, -1000000000000000, ${large}, 0, -0]`,
  `[${"9".repeat(40)}, ${"9".repeat(41)}, -${"9".repeat(39)}, -${"9".repeat(40)}]`,
  `[${large}, "${"9".repeat(100_000)}x", ${"9".repeat(300)}]`,
  `[${large}, "", " ", "\\u0001"]`,
  `[${large}, 1e400]`,
])
  exact(`a large integer is found where it is one: ${text.slice(0, 100)}`, () => {
    assert.is(agree(text).startsWith("config.json:"), false);
  });

exact.run();
