// D-Bus as bytes (its specification, "Message Protocol"): what the stand-in for systemd reads and answers.

export type Value = string | boolean | number | bigint | Variant | Value[];
export type Variant = { readonly signature: string; readonly value: Value };

export const METHOD_RETURN = 2;
export const ERROR = 3;
export const SIGNAL = 4;

/** Header fields by their number: 1 path, 2 interface, 3 member, 4 error name, 5 reply serial, 8 signature. */
export type Message = {
  readonly type: number;
  readonly serial: number;
  readonly fields: ReadonlyMap<number, Value>;
  readonly body: readonly Value[];
};

const alignments: Readonly<Record<string, number>> = {
  y: 1,
  g: 1,
  v: 1,
  n: 2,
  q: 2,
  x: 8,
  t: 8,
  d: 8,
  "(": 8,
  "{": 8,
};
const alignment = (type: string): number => alignments[type[0] ?? ""] ?? 4;

/** The first complete type of a signature. */
function firstType(signature: string): string {
  if (signature[0] === "a") return `a${firstType(signature.slice(1))}`;
  if (signature[0] !== "(" && signature[0] !== "{") return signature.slice(0, 1);
  let end = 1;
  while (signature[end] !== ")" && signature[end] !== "}") end += firstType(signature.slice(end)).length;
  return signature.slice(0, end + 1);
}

function typesOf(signature: string): string[] {
  if (signature === "") return [];
  const first = firstType(signature);
  return [first, ...typesOf(signature.slice(first.length))];
}

class Reader {
  at = 0;
  constructor(readonly bytes: Buffer) {}

  read(type: string): Value {
    this.at = aligned(this.at, alignment(type));
    if (type === "v") {
      const signature = String(this.read("g"));
      return { signature, value: this.read(signature) };
    }
    if (type[0] === "a") return this.array(type.slice(1));
    if (type[0] === "(" || type[0] === "{") return typesOf(type.slice(1, -1)).map((each) => this.read(each));
    if (type === "g" || type === "y") {
      const size = this.bytes.readUInt8(this.at++);
      return type === "y" ? size : this.text(size);
    }
    if (type === "s" || type === "o") {
      const size = this.bytes.readUInt32LE(this.at);
      this.at += 4;
      return this.text(size);
    }
    const size = alignment(type);
    this.at += size;
    if (size === 8) return this.bytes.readBigUInt64LE(this.at - 8);
    const number = size === 2 ? this.bytes.readUInt16LE(this.at - 2) : this.bytes.readUInt32LE(this.at - 4);
    return type === "b" ? number === 1 : number;
  }

  private array(element: string): Value[] {
    const size = this.bytes.readUInt32LE(this.at);
    this.at = aligned(this.at + 4, alignment(element));
    const end = this.at + size;
    const values: Value[] = [];
    while (this.at < end) values.push(this.read(element));
    return values;
  }

  private text(size: number): string {
    this.at += size + 1;
    return this.bytes.toString("utf8", this.at - size - 1, this.at - 1);
  }
}

const aligned = (at: number, size: number): number => Math.ceil(at / size) * size;

/** The first message of these bytes and how long it is; undefined when it is not there as a whole. */
export function parseMessage(bytes: Buffer): { message: Message; size: number } | undefined {
  if (bytes.length < 16) return undefined;
  const fieldsEnd = 16 + bytes.readUInt32LE(12);
  const start = aligned(fieldsEnd, 8);
  const size = start + bytes.readUInt32LE(4);
  if (bytes.length < size) return undefined;
  const reader = new Reader(bytes.subarray(0, size));
  reader.at = 12;
  const fields = new Map<number, Value>();
  for (const entry of reader.read("a(yv)") as [number, Variant][]) fields.set(entry[0], entry[1].value);
  reader.at = start;
  const body = typesOf(String(fields.get(8) ?? "")).map((type) => reader.read(type));
  return { message: { type: bytes.readUInt8(1), serial: bytes.readUInt32LE(8), fields, body }, size };
}

/** A message whose fields and body are strings (and one number, the serial that is replied to). */
export function makeMessage(
  type: number,
  serial: number,
  fields: readonly (readonly [number: number, type: string, value: string | number])[],
  body: readonly (readonly [type: string, value: string | number])[],
): Buffer {
  const signature = body.map(([each]) => each).join("");
  const all = signature === "" ? fields : [...fields, [8, "g", signature] as const];
  let head: Buffer = Buffer.alloc(0);
  for (const [number, each, value] of all) {
    head = padded(head, 8);
    head = Buffer.concat([head, Buffer.from([number, each.length]), Buffer.from(`${each}\0`)]);
    head = append(head, each, value);
  }
  let content: Buffer = Buffer.alloc(0);
  for (const [each, value] of body) content = append(content, each, value);
  const start = Buffer.alloc(16);
  start.write("l");
  start.writeUInt8(type, 1);
  start.writeUInt8(1, 3);
  start.writeUInt32LE(content.length, 4);
  start.writeUInt32LE(serial, 8);
  start.writeUInt32LE(head.length, 12);
  return Buffer.concat([start, padded(head, 8), content]);
}

function append(bytes: Buffer, type: string, value: string | number): Buffer {
  const start = padded(bytes, alignment(type));
  if (type === "v") return append(Buffer.concat([start, Buffer.from("\x01s\0")]), "s", value);
  const size = Buffer.alloc(type === "g" ? 1 : 4);
  const amount = typeof value === "number" ? value : Buffer.byteLength(value);
  if (type === "g") size.writeUInt8(amount);
  else size.writeUInt32LE(amount);
  return Buffer.concat([
    start,
    size,
    typeof value === "number" ? Buffer.alloc(0) : Buffer.from(`${value}\0`),
  ]);
}

function padded(bytes: Buffer, size: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length, size) - bytes.length)]);
}
