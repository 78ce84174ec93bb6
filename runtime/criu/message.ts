/** Messages of rpc.ts to bytes and back (protobuf's encoding, by the pbf library). */
import { PbfReader, PbfWriter } from "pbf";
import { decodeUtf8, encodeUtf8 } from "../../syscalls/utf8.ts";
import { RuntimeError } from "../errors.ts";
import type { FieldType, Message, Values } from "./rpc.ts";

/** The wire types that these fields have: a varint, and bytes with their length. */
const VARINT = 0;
const BYTES = 2;

type Plain = Readonly<Record<string, unknown>>;

/** The bytes of a message; what is set is written, be it the default or not, as required fields have to be there. */
export function encodeMessage<M extends Message>(message: M, values: Values<M>): Uint8Array {
  const writer = new PbfWriter();
  write(message, values as Plain, writer);
  return writer.finish();
}

function write(message: Message, values: Plain, writer: PbfWriter): void {
  for (const [name, [number, type, repeated]] of Object.entries(message)) {
    const value = values[name];
    if (value === undefined) continue;
    for (const item of repeated === undefined ? [value] : (value as readonly unknown[]))
      writeField(number, type, item, writer);
  }
}

function writeField(number: number, type: FieldType, value: unknown, writer: PbfWriter): void {
  if (typeof type === "object")
    writer.writeMessage(number, (inner: Plain, to) => write(type, inner, to), value as Plain);
  else if (type === "string") writer.writeBytesField(number, encodeUtf8(value as string));
  else if (type === "bool") writer.writeBooleanField(number, value as boolean);
  else writer.writeVarintField(number, value as number);
}

/** The values in a message; fields that the table does not have are left out. Throws for bytes that are no message. */
export function decodeMessage<M extends Message>(message: M, bytes: Uint8Array): Values<M> {
  const reader = new PbfReader(bytes);
  try {
    return read(message, reader, bytes.length) as Values<M>;
  } catch {
    // The library throws for a type that there is not, and for an endless number.
    throw new RuntimeError("child", "criu sent a message that cannot be read");
  }
}

function read(message: Message, reader: PbfReader, end: number): Plain {
  // A length that the message does not have would be taken for the end of it.
  if (end > reader.length) throw malformed();
  const fields = Object.entries(message);
  const values: Record<string, unknown> = {};
  for (let number = reader.nextField(end); number !== 0; number = reader.nextField(end)) {
    const found = fields.find(([, field]) => field[0] === number);
    if (found === undefined) continue;
    const [name, [, type, repeated]] = found;
    const wanted = typeof type === "object" || type === "string" ? BYTES : VARINT;
    if (reader.type !== wanted) throw malformed();
    const value = readField(type, reader);
    if (repeated === undefined) values[name] = value;
    else values[name] = [...((values[name] as unknown[] | undefined) ?? []), value];
  }
  if (reader.pos !== end) throw malformed();
  return values;
}

function readField(type: FieldType, reader: PbfReader): unknown {
  if (type === "bool") return reader.readBoolean();
  if (type === "int32" || type === "uint32") return reader.readVarint(type === "int32");
  const end = reader.readVarint() + reader.pos;
  if (typeof type === "object") return read(type, reader, end);
  if (end > reader.length) throw malformed();
  const text = decodeUtf8(reader.buf.subarray(reader.pos, end));
  reader.pos = end;
  return text;
}

const malformed = (): Error => new Error("not a message of this kind");
