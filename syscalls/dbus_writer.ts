/** Values to bytes, little-endian (D-Bus Specification, "Marshaling"). */
import { BadString, cstrBytes } from "./cstring.ts";
import {
  alignmentOf,
  type DbusData,
  type DbusVariant,
  isObjectPath,
  isSignature,
  MAX_ARRAY,
  typesOf,
} from "./dbus_value.ts";

/** Each type of integers: how many bytes it has, and the smallest and the largest value. */
const integers: Readonly<
  Record<string, readonly [size: number, least: number | bigint, most: number | bigint]>
> = {
  y: [1, 0, 0xff],
  n: [2, -0x8000, 0x7fff],
  q: [2, 0, 0xffff],
  i: [4, -0x80000000, 0x7fffffff],
  u: [4, 0, 0xffffffff],
  h: [4, 0, 0xffffffff],
  x: [8, -(2n ** 63n), 2n ** 63n - 1n],
  t: [8, 0n, 2n ** 64n - 1n],
};

/** Bytes that grow at their end; the first one is at a multiple of eight in the message. */
export class DbusWriter {
  private buffer = new Uint8Array(256);
  private view = new DataView(this.buffer.buffer);
  private length = 0;

  /** What has been written until now. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  /**
   * Writes the arguments of a call or the members of a structure. A TypeError for a wrong number of them, a RangeError
   * for a number that its type does not hold, BadString for a text that is none of its type.
   */
  values(signature: string, values: readonly DbusData[]): void {
    const types = typesOf(signature);
    if (types.length !== values.length)
      throw new TypeError(`"${signature}" is ${types.length} values, not ${values.length}`);
    types.forEach((type, i) => {
      this.value(type, values[i] as DbusData);
    });
  }

  /** Writes one value of one complete type. */
  value(type: string, value: DbusData): void {
    this.pad(alignmentOf(type));
    const letter = type[0] ?? "";
    if (letter === "v") {
      const { signature, value: inner } = value as DbusVariant;
      this.value("g", signature);
      this.values(signature, [inner]);
    } else if (letter === "a") this.array(type.slice(1), value as readonly DbusData[]);
    else if (letter === "(" || letter === "{") this.values(type.slice(1, -1), value as readonly DbusData[]);
    else if ("sog".includes(letter)) this.text(letter, String(value));
    else if (letter === "d") this.double(Number(value));
    else if (letter === "b") this.integer("u", value ? 1 : 0);
    else this.integer(letter, value as number | bigint);
  }

  /** Zeroes up to the next multiple. */
  pad(alignment: number): void {
    this.grow(-this.length & (alignment - 1));
  }

  /** Takes room, which is zeroed, and says where it is; the buffer may be another one afterwards. */
  private grow(count: number): number {
    const start = this.length;
    this.length += count;
    if (this.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.buffer.length));
      larger.set(this.buffer);
      this.buffer = larger;
      this.view = new DataView(larger.buffer);
    }
    return start;
  }

  private integer(type: string, value: number | bigint): void {
    const [size, least, most] = integers[type] ?? [0, 0, 0];
    if ((typeof value === "number" && !Number.isInteger(value)) || value < least || value > most)
      throw new RangeError(`${value} is no value of the D-Bus type "${type}"`);
    const at = this.grow(size);
    if (size === 1) this.view.setUint8(at, Number(value));
    else if (size === 2) this.view.setUint16(at, Number(value), true);
    else if (size === 4) this.view.setUint32(at, Number(value), true);
    else this.view.setBigUint64(at, BigInt(value), true);
  }

  private double(value: number): void {
    const at = this.grow(8);
    this.view.setFloat64(at, value, true);
  }

  private text(type: string, text: string): void {
    if (type === "o" && !isObjectPath(text)) throw new BadString(`"${text}" is not a D-Bus object path`);
    if (type === "g" && !isSignature(text)) throw new BadString(`"${text}" is not a D-Bus signature`);
    const bytes = cstrBytes(text); // with the NUL that does not count
    this.integer(type === "g" ? "y" : "u", bytes.length - 1);
    const at = this.grow(bytes.length);
    this.buffer.set(bytes, at);
  }

  private array(element: string, values: readonly DbusData[]): void {
    const size = this.grow(4);
    this.pad(alignmentOf(element));
    const start = this.length;
    for (const value of values) this.value(element, value);
    if (this.length - start > MAX_ARRAY) throw new RangeError("an array is too large for D-Bus");
    this.view.setUint32(size, this.length - start, true);
  }
}
