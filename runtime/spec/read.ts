/**
 * JSON text to values and back without losing anything: integers stay exact, text stays what was written.
 * The engine's own parser does the work; only when something is wrong does json_position.ts read the text
 * again to say where. Reading files is the caller's business.
 */
import { decodeUtf8, validUtf8 } from "../../syscalls/utf8.ts";
import { findProblem, type Position, positionAt } from "./json_position.ts";

export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

/** A configuration is some ten kilobytes; what is larger than this is a mistake or an attack. */
export const MAX_BYTES = 16 * 1024 * 1024;
/** config.json needs eight levels; every recursive function over a JsonValue relies on this bound. */
export const MAX_DEPTH = 128;
/** No integer field has more than 20 digits; longer literals are left inexact, and so are refused as integers. */
const LONGEST_INTEGER = 40;

const plainInteger = /^-?[0-9]+$/;
// 2^53 has 16 digits: without such a run of digits every integer literal is exact as a number.
const longDigits = /[0-9]{16}/;
const escapedSurrogate = /\\u[dD][89a-fA-F]/;

/** Text that is not acceptable JSON; the message says where. */
export class InvalidJson extends Error {
  override readonly name = "InvalidJson";
  constructor(
    readonly what: string,
    readonly problem: string,
    readonly position?: Position,
  ) {
    const place = position === undefined ? "" : ` line ${position.line}, column ${position.column}:`;
    super(`${what}:${place} ${problem}`);
  }
}

/**
 * The value of a JSON text (RFC 8259, UTF-8). Integer literals beyond 2^53 become bigint; other numbers, 1.0
 * and 1e3 among them, are numbers. Of equal keys the last one counts, as in Go. A key `__proto__` is an
 * ordinary own property. `what` names the document in errors.
 */
export function parseJson(bytes: Uint8Array, what: string): JsonValue {
  if (bytes.length > MAX_BYTES)
    throw new InvalidJson(what, `${bytes.length} bytes are too many, at most ${MAX_BYTES} are read`);
  const text = decode(bytes, what);
  const value = parse(text);
  const suspect = value === undefined || escapedSurrogate.test(text) || deeperThan(value, MAX_DEPTH);
  const problem = suspect ? findProblem(text, MAX_DEPTH) : undefined;
  if (problem !== undefined) throw new InvalidJson(what, problem.problem, problem);
  if (value === undefined) throw new InvalidJson(what, "not valid JSON");
  return value;
}

/** JSON text of a value, bigint as plain digits. `indent` is what one level is indented by. */
export function stringifyJson(value: unknown, indent?: string): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch {
    // A bigint, which few documents have, throws; asking a function about every value takes several times as long.
    return JSON.stringify(value, exactNumbers, indent);
  }
}

function parse(text: string): JsonValue | undefined {
  try {
    return longDigits.test(text) ? json.parse(text, exactIntegers) : json.parse(text);
  } catch {
    return undefined;
  }
}

function exactIntegers(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context.source ?? "";
  return source.length <= LONGEST_INTEGER && plainInteger.test(source) ? BigInt(source) : value;
}

function exactNumbers(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? json.rawJSON(value.toString()) : value;
}

/** `JSON` with what TypeScript's library does not declare yet: the reviver's third argument and rawJSON. */
const json = JSON as unknown as {
  parse(text: string, reviver?: typeof exactIntegers): JsonValue;
  rawJSON(text: string): unknown;
};

function deeperThan(value: JsonValue, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth === 0) return true;
  for (const inner of Array.isArray(value) ? value : Object.values(value))
    if (typeof inner === "object" && deeperThan(inner, depth - 1)) return true;
  return false;
}

function decode(bytes: Uint8Array, what: string): string {
  const valid = validUtf8(bytes);
  if (valid === bytes.length) return decodeUtf8(bytes);
  const before = decodeUtf8(bytes.subarray(0, valid));
  throw new InvalidJson(what, "not valid UTF-8", positionAt(before, before.length));
}
