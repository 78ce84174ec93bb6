/** Values of D-Bus and the signatures that say of which type they are (its specification, "Type System"). */

/** A value that brings its own type ("v"). */
export interface DbusVariant {
  readonly signature: string;
  readonly value: DbusData;
}

/** Arrays and structures are lists, a dictionary is a list of pairs; integers of 64 bits may be bigint. */
export type DbusData = string | boolean | number | bigint | DbusVariant | readonly DbusData[];

/** How many arrays, and how many structures, may be inside of each other in one signature. */
const MAX_DEPTH = 32;
const MAX_SIGNATURE = 255;
const basicTypes = "ybnqiuxtdhsog";

/**
 * The first complete type of a signature: "a(ss)u" begins with "a(ss)". A TypeError when it begins with none; `arrays`
 * and `structures` are how deep it is inside of others.
 */
function firstType(signature: string, arrays = 0, structures = 0): string {
  const letter = signature[0] ?? "";
  if (letter !== "" && `${basicTypes}v`.includes(letter)) return letter;
  if (letter === "a" && arrays < MAX_DEPTH) {
    const element = signature.slice(1);
    // An entry of a dictionary is nothing but an element.
    if (element.startsWith("{")) return `a${members(element, "}", arrays + 1, structures)}`;
    return `a${firstType(element, arrays + 1, structures)}`;
  }
  if (letter === "(" && structures < MAX_DEPTH) return members(signature, ")", arrays, structures);
  throw notASignature(signature);
}

/** The structure or the entry of a dictionary that a signature begins with. */
function members(signature: string, closing: ")" | "}", arrays: number, structures: number): string {
  let end = 1;
  let count = 0;
  for (; signature[end] !== closing; count++)
    end += firstType(signature.slice(end), arrays, structures + 1).length;
  const isPair = count === 2 && basicTypes.includes(signature[1] ?? "");
  if (closing === ")" ? count === 0 : !isPair) throw notASignature(signature);
  return signature.slice(0, end + 1);
}

/** The complete types of a signature, one after the other; a TypeError when it is none. */
export function typesOf(signature: string): string[] {
  if (signature.length > MAX_SIGNATURE) throw notASignature(signature);
  const types: string[] = [];
  for (let rest = signature; rest !== ""; ) {
    const type = firstType(rest);
    types.push(type);
    rest = rest.slice(type.length);
  }
  return types;
}

function notASignature(text: string): TypeError {
  return new TypeError(`"${text}" is not a D-Bus signature`);
}

/** Whether a text is a signature, of any number of types. */
export function isSignature(text: string): boolean {
  try {
    return typesOf(text).length >= 0;
  } catch {
    return false;
  }
}

/** Whether a text is an object path ("Valid Object Paths"). */
export function isObjectPath(text: string): boolean {
  return /^(\/|(\/[A-Za-z0-9_]+)+)$/.test(text);
}

/** Whether a text is the name of an interface or of an error ("Valid Names"). */
export function isInterfaceName(text: string): boolean {
  return text.length <= 255 && /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$/.test(text);
}

/** Whether a text is the name of a method or a signal ("Valid Names"). */
export function isMemberName(text: string): boolean {
  return text.length <= 255 && /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

/** To how many bytes a value of this type is aligned, counted from the beginning of its message ("Marshaling"). */
export function alignmentOf(type: string): number {
  const letter = type[0] ?? "";
  if ("ygv".includes(letter)) return 1;
  if ("nq".includes(letter)) return 2;
  return "xtd({".includes(letter) ? 8 : 4;
}

/** How many bytes an array may have without its length and the padding behind it. */
export const MAX_ARRAY = 64 << 20;
/** How many bytes a message may have, header and padding included. */
export const MAX_MESSAGE = 128 << 20;
