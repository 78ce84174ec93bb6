import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hashBytes } from "./hash.ts";

const hash = suite("hashBytes");

hash("is 64 bits, and the same for the same bytes wherever they lie", () => {
  const bytes = new Uint8Array([1, 2, 3, 250, 2, 3]);
  assert.is(hashBytes(bytes.subarray(1, 3)), hashBytes(bytes.slice(4)));
  assert.is(hashBytes(bytes) & 0xffff_ffff_ffff_ffffn, hashBytes(bytes));
  assert.is(hashBytes(new Uint8Array(0)), hashBytes(bytes.subarray(3, 3)));
});

hash("every byte, its place and the length count", () => {
  const seen = new Set<bigint>();
  for (let length = 0; length < 64; length++) {
    const zeroes = new Uint8Array(length);
    seen.add(hashBytes(zeroes));
    for (let at = 0; at < length; at++) {
      zeroes[at] = 1;
      seen.add(hashBytes(zeroes));
      zeroes[at] = 0x80;
      seen.add(hashBytes(zeroes));
      zeroes[at] = 0;
    }
  }
  assert.is(seen.size, 64 + 64 * 63);
});

hash.run();
