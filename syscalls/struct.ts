/** Kernel structs as bytes: fields are written at their header offsets, little-endian on both architectures. */

/** A zeroed buffer with writers that name offsets; `bytes` is what the kernel gets. */
export class Struct {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }
  u16(offset: number, value: number): this {
    this.view.setUint16(offset, value, true);
    return this;
  }
  u32(offset: number, value: number): this {
    this.view.setUint32(offset, value, true);
    return this;
  }
  i32(offset: number, value: number): this {
    this.view.setInt32(offset, value, true);
    return this;
  }
  u64(offset: number, value: number | bigint): this {
    this.view.setBigUint64(offset, BigInt(value), true); // its low 64 bits
    return this;
  }
  getU16(offset: number): number {
    return this.view.getUint16(offset, true);
  }
  getU32(offset: number): number {
    return this.view.getUint32(offset, true);
  }
  getI32(offset: number): number {
    return this.view.getInt32(offset, true);
  }
  getU64(offset: number): bigint {
    return this.view.getBigUint64(offset, true);
  }
}
