/** Bytes to values, in the byte order of their message (D-Bus Specification, "Marshaling"); nothing is taken on trust. */
import { bad } from "./dbus_transport_error.ts";
import { alignmentOf, type DbusData, isObjectPath, isSignature, MAX_ARRAY, typesOf } from "./dbus_value.ts";
import { decodeUtf8, validUtf8 } from "./utf8.ts";

/** How many containers, variants included, may be inside of each other in one message. */
const MAX_DEPTH = 64;

/** Reads values one after the other; every method throws a DbusTransportError of EBADMSG for what is none. */
export class DbusReader {
  private readonly view: DataView;
  private depth = 0;

  /** `bytes` begin where their message does, or at a multiple of eight in it; `at` is where reading begins. */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly little: boolean,
    private at = 0,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The next values, of these complete types. */
  values(signature: string): DbusData[] {
    return typesOf(signature).map((type) => this.value(type));
  }

  /** The next value; integers of 64 bits are bigint. */
  value(type: string): DbusData {
    this.pad(alignmentOf(type));
    const letter = type[0] ?? "";
    if (letter === "v") return this.inside(() => this.variant());
    if (letter === "a") return this.inside(() => this.array(type.slice(1)));
    if (letter === "(" || letter === "{") return this.inside(() => this.values(type.slice(1, -1)));
    if ("sog".includes(letter)) return this.text(letter);
    return letter === "b" ? this.boolean() : this.number(letter);
  }

  /** Skips to the next multiple over bytes that have to be zero. */
  pad(alignment: number): void {
    const count = -this.at & (alignment - 1);
    if (count > 0 && this.take(count).some((byte) => byte !== 0)) throw bad("its padding is not zero");
  }

  private take(count: number): Uint8Array {
    if (count > this.bytes.length - this.at) throw bad("a value ends behind it");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  private inside<T>(read: () => T): T {
    if (++this.depth > MAX_DEPTH) throw bad("it is nested too deeply");
    const value = read();
    this.depth--;
    return value;
  }

  private number(type: string): number | bigint {
    const size = type === "y" ? 1 : alignmentOf(type);
    this.take(size);
    const at = this.at - size;
    if (type === "y") return this.view.getUint8(at);
    if (type === "n") return this.view.getInt16(at, this.little);
    if (type === "q") return this.view.getUint16(at, this.little);
    if (type === "i") return this.view.getInt32(at, this.little);
    if (type === "x") return this.view.getBigInt64(at, this.little);
    if (type === "t") return this.view.getBigUint64(at, this.little);
    return type === "d" ? this.view.getFloat64(at, this.little) : this.view.getUint32(at, this.little);
  }

  private boolean(): boolean {
    const number = this.number("u");
    if (number !== 0 && number !== 1) throw bad("a boolean is neither 0 nor 1");
    return number === 1;
  }

  private text(type: string): string {
    const size = Number(this.number(type === "g" ? "y" : "u"));
    const bytes = this.take(size);
    if (this.take(1)[0] !== 0) throw bad("a text does not end with a NUL");
    if (bytes.includes(0)) throw bad("a text contains a NUL");
    if (validUtf8(bytes) !== size) throw bad("a text is not UTF-8");
    const text = decodeUtf8(bytes);
    if (type === "o" && !isObjectPath(text)) throw bad("an object path is none");
    if (type === "g" && !isSignature(text)) throw bad("a signature is none");
    return text;
  }

  private variant(): DbusData {
    const signature = this.text("g");
    const types = typesOf(signature);
    if (types.length !== 1) throw bad("a variant is not of one type");
    return { signature, value: this.value(signature) };
  }

  private array(element: string): DbusData[] {
    const size = Number(this.number("u"));
    if (size > MAX_ARRAY) throw bad("an array is larger than 64 MiB");
    this.pad(alignmentOf(element));
    const end = this.at + size;
    const values: DbusData[] = [];
    // Every type has at least one byte, so this ends.
    while (this.at < end) values.push(this.value(element));
    if (this.at !== end) throw bad("an array does not end with its last element");
    return values;
  }
}
