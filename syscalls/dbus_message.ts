/** Messages of D-Bus as bytes (its specification, "Message Protocol"): the calls we make, and whatever is received. */
import { DbusReader } from "./dbus_reader.ts";
import { bad } from "./dbus_transport_error.ts";
import {
  type DbusData,
  isInterfaceName,
  isMemberName,
  MAX_ARRAY,
  MAX_MESSAGE,
  typesOf,
} from "./dbus_value.ts";
import { DbusWriter } from "./dbus_writer.ts";

/** Message types; others exist one day, and are ignored. */
export const METHOD_CALL = 1;
export const METHOD_RETURN = 2;
export const ERROR = 3;
export const SIGNAL = 4;

/** Header fields. */
export const PATH = 1;
export const INTERFACE = 2;
export const MEMBER = 3;
export const ERROR_NAME = 4;
export const REPLY_SERIAL = 5;
const DESTINATION = 6;
export const SENDER = 7;
export const SIGNATURE = 8;
const UNIX_FDS = 9;

/** Which method of which object; of a direct connection the destination is the other end. */
export interface DbusMethod {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
}

/** A message that was received. */
export interface DbusMessage {
  readonly type: number;
  readonly serial: number;
  /** By their numbers; those that this type needs are there, and all that we know are of their types. */
  readonly fields: ReadonlyMap<number, DbusData>;
  /**
   * The first values of the body, which have to be of these complete types; a DbusTransportError when they are not. What
   * follows them is not looked at, so that nothing is done for a signal that nobody waits for.
   */
  readonly body: (returns: string) => DbusData[];
}

/** How many bytes a message has at least, and have to be there to know its size: messageSize. */
export const FIXED_HEADER = 16;

const VERSION = 1;
const fieldTypes: Readonly<Record<number, string>> = {
  [PATH]: "o",
  [INTERFACE]: "s",
  [MEMBER]: "s",
  [ERROR_NAME]: "s",
  [REPLY_SERIAL]: "u",
  [DESTINATION]: "s",
  [SENDER]: "s",
  [SIGNATURE]: "g",
  [UNIX_FDS]: "u",
};
const needed: Readonly<Record<number, readonly number[]>> = {
  [METHOD_CALL]: [PATH, MEMBER],
  [METHOD_RETURN]: [REPLY_SERIAL],
  [ERROR]: [ERROR_NAME, REPLY_SERIAL],
  [SIGNAL]: [PATH, INTERFACE, MEMBER],
};

/** The bytes of a call that wants an answer; `serial` is what that will refer to. Throws as DbusWriter.values. */
export function encodeCall(
  serial: number,
  method: DbusMethod,
  signature: string,
  args: readonly DbusData[],
): Uint8Array {
  const body = new DbusWriter();
  body.values(signature, args);
  const fields: [number, DbusData][] = [
    [PATH, method.path],
    [INTERFACE, method.interface],
    [MEMBER, method.member],
    [DESTINATION, method.destination],
  ];
  if (signature !== "") fields.push([SIGNATURE, signature]);
  const variants = fields.map(([field, value]) => [field, { signature: fieldTypes[field] ?? "", value }]);
  const message = new DbusWriter();
  const start = [0x6c, METHOD_CALL, 0, VERSION, body.bytes.length, serial]; // "l", no flags
  message.values("yyyyuua(yv)", [...start, variants]);
  message.pad(8);
  const whole = new Uint8Array(message.bytes.length + body.bytes.length);
  if (whole.length > MAX_MESSAGE) throw new RangeError("a message is too large for D-Bus");
  whole.set(message.bytes);
  whole.set(body.bytes, message.bytes.length);
  return whole;
}

/** The size in bytes of the message that begins so, by the first FIXED_HEADER bytes; a DbusTransportError when it is none. */
export function messageSize(start: Uint8Array): number {
  const little = start[0] === 0x6c; // "l"
  if (!little && start[0] !== 0x42) throw bad("it begins with neither of the two byte orders"); // "B"
  if (start[1] === 0) throw bad("it has no type");
  if (start[3] !== VERSION) throw bad(`it is of version ${start[3]} of the protocol`);
  const view = new DataView(start.buffer, start.byteOffset, FIXED_HEADER);
  const fields = view.getUint32(12, little);
  const size = headerSize(fields) + view.getUint32(4, little);
  if (fields > MAX_ARRAY || size > MAX_MESSAGE) throw bad(`it says that it has ${size} bytes`);
  if (view.getUint32(8, little) === 0) throw bad("its serial is 0");
  return size;
}

function headerSize(fields: number): number {
  return Math.ceil((FIXED_HEADER + fields) / 8) * 8;
}

/** Reads a message of which messageSize has told the size; a DbusTransportError when its header is not in order. */
export function decodeMessage(bytes: Uint8Array): DbusMessage {
  const little = bytes[0] === 0x6c;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const bodyStart = headerSize(view.getUint32(12, little));
  const type = view.getUint8(1);
  const reader = new DbusReader(bytes.subarray(0, bodyStart), little, 12);
  const fields = fieldsOf(reader.value("a(yv)") as [number, { signature: string; value: DbusData }][]);
  reader.pad(8);
  for (const field of needed[type] ?? [])
    if (!fields.has(field)) throw bad(`its header has no field ${field}`);
  const signature = String(fields.get(SIGNATURE) ?? "");
  if (signature === "" && bytes.length > bodyStart) throw bad("it has a body without a signature");
  const body = (returns: string): DbusData[] => {
    const wanted = typesOf(returns);
    const there = typesOf(signature).slice(0, wanted.length);
    if (there.join() !== wanted.join())
      throw bad(`it brings ${signature === "" ? "nothing" : signature}, not ${returns}`);
    return new DbusReader(bytes.subarray(bodyStart), little).values(returns);
  };
  return { type, serial: view.getUint32(8, little), fields, body };
}

function fieldsOf(
  entries: readonly (readonly [number, { readonly signature: string; readonly value: DbusData }])[],
): Map<number, DbusData> {
  const fields = new Map<number, DbusData>();
  for (const [field, { signature, value }] of entries) {
    if (field === 0 || fields.has(field)) throw bad(`its header has field ${field}, or has it twice`);
    const type = fieldTypes[field];
    if (type !== undefined && type !== signature)
      throw bad(`field ${field} of its header is of another type`);
    const isName = [INTERFACE, ERROR_NAME].includes(field) ? isInterfaceName : isMemberName;
    if ([INTERFACE, ERROR_NAME, MEMBER].includes(field) && !isName(String(value)))
      throw bad(`field ${field} of its header is not a name`);
    if (field === REPLY_SERIAL && value === 0) throw bad("it is the answer to a call 0");
    fields.set(field, value);
  }
  return fields;
}
