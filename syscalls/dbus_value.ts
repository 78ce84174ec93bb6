/** Values of D-Bus (its specification, "Type System"), and how one is written piece by piece into a message. */

/** A value that brings its own type ("v"). */
export interface DbusVariant {
  readonly signature: string;
  readonly value: DbusData;
}

/** Arrays and structures are lists; integers of 64 bits may be bigint. */
export type DbusData = string | boolean | number | bigint | DbusVariant | readonly DbusData[];

/** Where a value goes: libsystemd's message, or a list in a test. */
export interface DbusSink {
  /** A value of a type that has no parts, by the letter of its type. */
  basic(type: string, value: string | boolean | number | bigint): void;
  /** Begins an array "a", a structure "r", an entry of a dictionary "e" or a variant "v" of these contents. */
  open(type: string, contents: string): void;
  close(): void;
}

/** The first complete type of a signature: "a(ss)u" begins with "a(ss)". */
export function firstType(signature: string): string {
  const letter = signature[0] ?? "";
  if (letter === "a") return `a${firstType(signature.slice(1))}`;
  const closing = letter === "(" ? ")" : letter === "{" ? "}" : undefined;
  if (closing === undefined) {
    if ("ybnqiuxtdsogv".includes(letter) && letter !== "") return letter;
    throw new TypeError(`"${signature}" is not a D-Bus signature`);
  }
  let end = 1;
  while (signature[end] !== closing) end += firstType(signature.slice(end)).length;
  return signature.slice(0, end + 1);
}

/** The complete types of a signature, one after the other. */
export function typesOf(signature: string): string[] {
  const types: string[] = [];
  for (let rest = signature; rest !== ""; ) {
    const type = firstType(rest);
    types.push(type);
    rest = rest.slice(type.length);
  }
  return types;
}

/** Writes one value of one complete type. */
export function writeDbusValue(sink: DbusSink, type: string, value: DbusData): void {
  if (type === "v") {
    const { signature, value: inner } = value as DbusVariant;
    sink.open("v", signature);
    writeDbusValue(sink, signature, inner);
    sink.close();
  } else if (type.startsWith("a")) {
    const element = type.slice(1);
    sink.open("a", element);
    for (const item of value as readonly DbusData[]) writeDbusValue(sink, element, item);
    sink.close();
  } else if (type.startsWith("(") || type.startsWith("{")) {
    const members = type.slice(1, -1);
    sink.open(type.startsWith("(") ? "r" : "e", members);
    writeDbusValues(sink, members, value as readonly DbusData[]);
    sink.close();
  } else sink.basic(type, value as string | boolean | number | bigint);
}

/** Writes the arguments of a call. */
export function writeDbusValues(sink: DbusSink, signature: string, values: readonly DbusData[]): void {
  const types = typesOf(signature);
  if (types.length !== values.length)
    throw new TypeError(`"${signature}" is ${types.length} values, not ${values.length}`);
  types.forEach((type, i) => {
    writeDbusValue(sink, type, values[i] as DbusData);
  });
}
