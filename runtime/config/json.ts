/**
 * JSON text to values and back without losing anything: integers stay exact, text stays what was written.
 * The engine's own parser does the work where its answer is sure to be right, json_exact.ts everywhere else.
 * Reading files is the caller's business.
 */
import { decodeUtf8, validUtf8 } from "../../syscalls/utf8.ts";
import {
  exactNumber,
  InvalidJson,
  type JsonObject,
  type JsonValue,
  positionAt,
  readExactly,
} from "./json_exact.ts";

export { InvalidJson, type JsonObject, type JsonValue };

/** A configuration is some ten kilobytes; what is larger than this is a mistake or an attack. */
export const MAX_BYTES = 16 * 1024 * 1024;
/** config.json needs eight levels; every recursive function over a JsonValue relies on this bound. */
const MAX_DEPTH = 128;

/**
 * The value of a JSON text (RFC 8259, UTF-8). Integer literals beyond 2^53 become bigint; other numbers, 1.0
 * and 1e3 among them, are numbers. Of equal keys the last one counts, as in Go. A key `__proto__` is an
 * ordinary own property. `what` names the document in errors. Throws InvalidJson with the place of the first
 * problem, also for more than MAX_BYTES or MAX_DEPTH.
 */
export function parseJson(bytes: Uint8Array, what: string): JsonValue {
  if (bytes.length > MAX_BYTES)
    throw new InvalidJson(what, `${bytes.length} bytes are too many, at most ${MAX_BYTES} are read`);
  const text = decode(bytes, what);
  return (isStrict(bytes, text) ? parse(text) : undefined) ?? readExactly(text, what, MAX_DEPTH);
}

/** JSON text of a value, bigint as plain digits. `indent` is what one level is indented by. */
export function stringifyJson(value: unknown, indent = ""): string {
  return write(value, indent, "\n");
}

/** What the engine's parser makes of a text, or undefined when that is not surely right. */
function parse(text: string): JsonValue | undefined {
  try {
    const value = JSON.parse(text);
    if (isExact(value, MAX_DEPTH)) return value;
    const restored = parseMarked(text);
    return isExact(restored, MAX_DEPTH) ? restored : undefined;
  } catch {
    return undefined;
  }
}

// A text that has it may hold strings that look like marks; there is no other way to write a NUL.
const escapedNul = "\\u0000";
// Bounded, since it would otherwise go over a long run of digits once for each of them.
const longInteger = /-?[0-9]{16,40}(?![^\s,\]}])/g;

/**
 * The value of a text that the engine's parser takes, with its long integers exact: each is made a string that begins
 * with NUL. Throws when the digits stand inside a string or another number, as no backslash may stand outside a string.
 */
function parseMarked(text: string): JsonValue {
  if (text.includes(escapedNul)) throw new Error("marks would be ambiguous");
  return unmark(JSON.parse(text.replace(longInteger, `"${escapedNul}$&"`)), MAX_DEPTH);
}

/** Puts the numbers where the marks are, in the value itself and down to `depth`. */
function unmark(value: JsonValue, depth: number): JsonValue {
  if (typeof value === "string")
    return value < "\u0001" && value !== "" ? exactNumber(value.slice(1)) : value;
  if (typeof value !== "object" || value === null || depth === 0) return value;
  const items = value as Record<string | number, JsonValue>;
  for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
    const item = items[key] as JsonValue;
    if (typeof item !== "string" && typeof item !== "object") continue;
    const exact = unmark(item, depth - 1);
    if (exact !== item) items[key] = exact;
  }
  return value;
}

const DASH = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const BACKSLASH = 0x5c;

// What any engine may take for an escape but JSON does not know, and escapes that are or may be half of a pair.
const oddEscape = /\\(?:[^"\\/bfnrtu]|u[^0-9a-cA-Ce-fE-F])/;

/**
 * False when the engine's parser might accept a text that is no JSON. QuickJS does so for `-01`, for `1.`, and for
 * the escapes of JavaScript; every engine does for half of a surrogate pair. The bytes are searched for what is rare
 * in a configuration, at the speed of memchr.
 */
function isStrict(bytes: Uint8Array, text: string): boolean {
  for (let at = bytes.indexOf(DASH); at !== -1; at = bytes.indexOf(DASH, at + 1))
    if (bytes[at + 1] === ZERO && isDigit(bytes[at + 2])) return false;
  for (let at = bytes.indexOf(DOT); at !== -1; at = bytes.indexOf(DOT, at + 1))
    if (!isDigit(bytes[at + 1]) && isDigit(bytes[at - 1])) return false;
  return !bytes.includes(BACKSLASH) || !oddEscape.test(text);
}

const isDigit = (byte = 0): boolean => byte >= ZERO && byte < ZERO + 10;

/** False when an integer of the text may have been rounded, or for more levels than `depth`. */
function isExact(value: JsonValue, depth: number): boolean {
  if (typeof value === "number") return value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER;
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  for (const inner of Array.isArray(value) ? value : Object.values(value))
    if (typeof inner !== "string" && !isExact(inner, depth - 1)) return false;
  return true;
}

/** `newline` is a line break with the indentation of the line that the value stands in. */
function write(value: unknown, indent: string, newline: string): string {
  if (typeof value === "bigint") return value.toString();
  try {
    const text = JSON.stringify(value, undefined, indent);
    return newline === "\n" || indent === "" ? text : text.replaceAll("\n", newline);
  } catch {
    // Something inside is a bigint, which the engine refuses to write: only the way down to it is written here.
    return writeItems(value as object, indent, newline);
  }
}

function writeItems(value: object, indent: string, newline: string): string {
  const isArray = Array.isArray(value);
  const inner = indent === "" ? "" : newline + indent;
  const colon = indent === "" ? ":" : ": ";
  const items: string[] = [];
  for (const [key, item] of Object.entries(value))
    if (isArray || item !== undefined)
      items.push(
        (isArray ? "" : JSON.stringify(key) + colon) + write(item ?? null, indent, newline + indent),
      );
  const text = inner + items.join(`,${inner}`) + (indent === "" ? "" : newline);
  return isArray ? `[${text}]` : `{${text}}`;
}

function decode(bytes: Uint8Array, what: string): string {
  const valid = validUtf8(bytes);
  if (valid === bytes.length) return decodeUtf8(bytes);
  const before = decodeUtf8(bytes.subarray(0, valid));
  throw new InvalidJson(what, "not valid UTF-8", positionAt(before, before.length));
}
