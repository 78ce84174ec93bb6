/** Text to UTF-8 and back, in C: what is none is told from what is, and mended as the WHATWG's decoder does it. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { host } from "./host.ts";

const text = suite("UTF-8");

/** By how many bytes of each are valid, and by what the decoder of a browser makes of them. */
const cases: readonly (readonly [bytes: string, valid: number, decoded: string])[] = [
  // Both ends of every row of well-formed sequences (Unicode, table 3-7).
  ["00", 1, "\0"],
  ["7f", 1, "\x7f"],
  ["c2 80", 2, "\x80"],
  ["df bf", 2, "\u07ff"],
  ["e0 a0 80", 3, "\u0800"],
  ["e0 bf bf", 3, "\u0fff"],
  ["e1 80 80", 3, "\u1000"],
  ["ec bf bf", 3, "\ucfff"],
  ["ed 80 80", 3, "\ud000"],
  ["ed 9f bf", 3, "\ud7ff"],
  ["ee 80 80", 3, "\ue000"],
  ["ef bf bf", 3, "\uffff"],
  ["ef bb bf 41", 4, "\ufeffA"], // a byte order mark stays
  ["f0 90 80 80", 4, "\u{10000}"],
  ["f0 bf bf bf", 4, "\u{3ffff}"],
  ["f1 80 80 80", 4, "\u{40000}"],
  ["f3 bf bf bf", 4, "\u{fffff}"],
  ["f4 80 80 80", 4, "\u{100000}"],
  ["f4 8f bf bf", 4, "\u{10ffff}"],
  // What begins nothing.
  ["80", 0, "\ufffd"],
  ["bf 41", 0, "\ufffdA"],
  ["c0 80", 0, "\ufffd\ufffd"],
  ["c1 bf", 0, "\ufffd\ufffd"],
  ["f5 80 80 80", 0, "\ufffd\ufffd\ufffd\ufffd"],
  ["f8 88 80 80 80", 0, "\ufffd\ufffd\ufffd\ufffd\ufffd"],
  ["fe", 0, "\ufffd"],
  ["41 ff 42", 1, "A\ufffdB"],
  // What is too long, a surrogate, or above the last character.
  ["e0 80 80", 0, "\ufffd\ufffd\ufffd"],
  ["e0 9f bf", 0, "\ufffd\ufffd\ufffd"],
  ["ed a0 80", 0, "\ufffd\ufffd\ufffd"],
  ["ed bf bf", 0, "\ufffd\ufffd\ufffd"],
  ["ed a0 80 ed b0 80", 0, "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"],
  ["f0 80 80 80", 0, "\ufffd\ufffd\ufffd\ufffd"],
  ["f0 8f bf bf", 0, "\ufffd\ufffd\ufffd\ufffd"],
  ["f4 90 80 80", 0, "\ufffd\ufffd\ufffd\ufffd"],
  // Cut short, in the end and in the middle.
  ["c2", 0, "\ufffd"],
  ["41 df", 1, "A\ufffd"],
  ["c2 41", 0, "\ufffdA"],
  ["c2 c2 80", 0, "\ufffd\x80"],
  ["e0", 0, "\ufffd"],
  ["e0 a0", 0, "\ufffd"],
  ["e1 80 41", 0, "\ufffdA"],
  ["ed 9f", 0, "\ufffd"],
  ["e2 28 a1", 0, "\ufffd(\ufffd"],
  ["f0", 0, "\ufffd"],
  ["f0 90", 0, "\ufffd"],
  ["f0 90 80", 0, "\ufffd"],
  ["f4 8f bf", 0, "\ufffd"],
  ["f0 90 80 41", 0, "\ufffdA"],
  ["f1 80 c2 80", 0, "\ufffd\x80"],
  ["61 f1 80 80 e1 80 c2 62 80 63 80 bf 64", 1, "a\ufffd\ufffd\ufffdb\ufffdc\ufffd\ufffdd"],
  // Unicode's own examples (tables 3-8 to 3-11).
  ["c0 af e0 80 bf f0 81 82 41", 0, "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdA"],
  ["ed a0 80 ed bf bf ed af 41", 0, "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdA"],
  ["f4 91 92 93 ff 41 80 bf 42", 0, "\ufffd\ufffd\ufffd\ufffd\ufffdA\ufffd\ufffdB"],
  ["e1 80 e2 f0 91 92 f1 bf 41", 0, "\ufffd\ufffd\ufffd\ufffdA"],
];

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from(hex.split(" "), (each) => Number.parseInt(each, 16));

for (const [hex, valid, decoded] of cases)
  text(hex, () => {
    const bytes = bytesOf(hex);
    assert.is(host.validUtf8(bytes), valid);
    assert.is(host.decode(bytes), decoded);
    if (valid === bytes.length) assert.equal(host.encode(decoded), bytes);
  });

text("each of them behind ASCII of any length, since that is read eight bytes at a time", () => {
  for (const [hex, valid, decoded] of cases)
    for (let before = 1; before <= 24; before++) {
      const rest = bytesOf(hex);
      const bytes = new Uint8Array(before + rest.length + 9).fill(0x61);
      bytes.set(rest, before);
      const whole = valid === rest.length;
      assert.is(host.validUtf8(bytes), whole ? bytes.length : before + valid, `${before} before ${hex}`);
      assert.is(
        host.decode(bytes),
        `${"a".repeat(before)}${decoded}${"a".repeat(9)}`,
        `${before} before ${hex}`,
      );
    }
});

text("a part of a buffer, and nothing behind it", () => {
  const bytes = bytesOf("f0 9f 90 a2 c3 a4 41");
  assert.is(host.decode(bytes.subarray(4, 6)), "ä");
  assert.is(host.decode(bytes.subarray(0, 3)), "\ufffd");
  assert.is(host.validUtf8(bytes.subarray(0, 5)), 4);
  assert.is(host.decode(bytes.subarray(7)), "");
  assert.is(host.validUtf8(bytes.subarray(7)), 0);
  assert.is(host.decode(new Uint8Array()), "");
});

text("half of a surrogate pair is one U+FFFD, wherever it stands", () => {
  for (const [given, hex] of [
    ["\ud800", "ef bf bd"],
    ["\udfff", "ef bf bd"],
    ["\udc00\ud800", "ef bf bd ef bf bd"],
    ["a\ud83db", "61 ef bf bd 62"],
    ["\ud83d\ud83d\udc22", "ef bf bd f0 9f 90 a2"],
    ["\ud83d\udc22\udc22", "f0 9f 90 a2 ef bf bd"],
    ["ä\udbff", "c3 a4 ef bf bd"],
  ] as const)
    assert.equal(host.encode(given), bytesOf(hex), hex);
});

text("texts that the engine keeps in each of its ways", () => {
  const latin = "é".repeat(300);
  const wide = "€".repeat(300);
  let joined = "";
  for (let i = 0; i < 2000; i++) joined += i % 2 === 0 ? latin : wide;
  for (const each of ["", "a", latin, wide, joined, joined.slice(7, -7), `${latin}\0${wide}`])
    assert.is(host.decode(host.encode(each)), each);
  assert.is(host.encode(joined).length, 1000 * 300 * 5);
});

text("16 MB, of one byte, of two, of three, of four, and of what is none", () => {
  const many = 1 << 24;
  for (const [character, length] of [
    ["x", 1],
    ["é", 2],
    ["€", 3],
    ["\ud800", 3],
  ] as const) {
    const bytes = host.encode(character.repeat(many));
    assert.is(bytes.length, many * length);
    assert.is(host.validUtf8(bytes), bytes.length);
    const back = host.decode(bytes);
    assert.is(back.length, many);
    assert.is(back[many - 1], character === "\ud800" ? "\ufffd" : character);
  }
  assert.is(host.encode("\u{1f422}".repeat(many / 4)).length, many);
  const none = host.decode(new Uint8Array(many).fill(0xff));
  assert.is(none.length, many);
  assert.is(none[many - 1], "\ufffd");
});

text.run();
