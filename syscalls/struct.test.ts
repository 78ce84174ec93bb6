import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Struct } from "./struct.ts";

const structs = suite("Struct");

structs("little-endian at the offset, zero elsewhere", () => {
  const bytes = new Struct(16).u16(0, 0x0102).u32(4, 0x03040506).u64(8, 0x0708090a0b0c0d0en).bytes;
  assert.equal([...bytes], [2, 1, 0, 0, 6, 5, 4, 3, 14, 13, 12, 11, 10, 9, 8, 7]);
});

structs("negative numbers are two's complement", () => {
  assert.equal([...new Struct(4).i32(0, -2).bytes], [254, 255, 255, 255]);
  assert.is(new Struct(8).u64(0, -1).getU64(0), 0xffffffffffffffffn);
  assert.is(new Struct(4).u32(0, 0xffffffff).getI32(0), -1);
});

structs("what was written is read", () => {
  const struct = new Struct(16)
    .u16(0, 65535)
    .u32(4, 4294967295)
    .u64(8, 1n << 63n);
  assert.is(struct.getU16(0), 65535);
  assert.is(struct.getU32(4), 4294967295);
  assert.is(struct.getU64(8), 9223372036854775808n);
});

structs("a field beyond the end is an error, not a longer struct", () => {
  assert.throws(() => new Struct(8).u32(6, 1), RangeError);
});

structs.run();
