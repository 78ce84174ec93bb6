import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BadString, cstr, cstrBytes, textOf } from "./cstring.ts";
import { encodeUtf8 } from "./utf8.ts";

const strings = suite("cstr");

strings("UTF-8 and one NUL", () => {
  assert.equal([...cstrBytes("aä")], [0x61, 0xc3, 0xa4, 0]);
  assert.equal([...cstrBytes("")], [0]);
  assert.is(cstr("a b"), "a b");
});

for (const [title, text, message] of [
  ["an embedded NUL", "/etc\0/x", '"/etc\\u0000/x" contains a NUL byte'],
  ["a NUL at the end", "x\0", '"x\\u0000" contains a NUL byte'],
  ["a high surrogate alone", "a\ud800", '"a\\ud800" is not valid Unicode'],
  ["a low surrogate alone", "\udc00a", '"\\udc00a" is not valid Unicode'],
] as const)
  strings(`refuses: ${title}`, () => {
    assert.throws(
      () => cstr(text),
      (error: unknown) => error instanceof BadString && error.message === message,
    );
  });

strings("a pair of surrogates is one character", () => {
  assert.equal([...cstrBytes("😀")], [0xf0, 0x9f, 0x98, 0x80, 0]);
});

strings("textOf: up to the first NUL, or as long as told", () => {
  const bytes = encodeUtf8("ab\0cd");
  assert.is(textOf(bytes), "ab");
  assert.is(textOf(bytes, 5), "ab\0cd");
  assert.is(textOf(bytes, 0), "");
  assert.is(textOf(bytes.subarray(3)), "cd");
});

strings.run();
