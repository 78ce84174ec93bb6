import { suite } from "uvu";
import * as assert from "uvu/assert";
import { keptAddress } from "./move.ts";

const test = suite("keptAddress");

/** struct ifaddrmsg (family, prefix length, flags, scope, index), then IFA_ADDRESS 10.0.0.1 and IFA_LABEL "v0". */
const message = (flags: number, scope: number, ...more: number[]): Uint8Array =>
  Uint8Array.from([
    2,
    24,
    flags,
    scope,
    7,
    0,
    0,
    0,
    8,
    0,
    1,
    0,
    10,
    0,
    0,
    1,
    7,
    0,
    3,
    0,
    118,
    48,
    0,
    0,
    ...more,
  ]);
const address = { type: 1, value: Uint8Array.from([10, 0, 0, 1]) };

test("a permanent address of global scope is kept, without the label that names the device", () => {
  assert.equal(keptAddress(message(0x80, 0), 7), [{ family: 2, prefixLength: 24, attributes: [address] }]);
});

test("of its flags only those that somebody chose (here nodad, not tentative)", () => {
  const [kept] = keptAddress(message(0, 0, 8, 0, 8, 0, 0xc2, 0, 0, 0), 7);
  assert.equal(kept?.attributes, [address, { type: 8, value: Uint8Array.from([2, 0, 0, 0]) }]);
});

for (const [why, bytes, index] of [
  ["of another device", message(0x80, 0), 8],
  ["with a lifetime", message(0, 0), 7],
  ["of link scope", message(0x80, 253), 7],
] as const)
  test(`an address ${why} is not kept`, () => {
    assert.equal(keptAddress(bytes, index), []);
  });

test.run();
