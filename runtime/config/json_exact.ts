/**
 * Reads a JSON text letter by letter: integers keep every digit, and what is wrong is told with its place. It is what
 * counts as JSON here. The engine's parser is many times faster but rounds, does not say where, and lets some texts
 * pass that are none; json.ts asks it first and comes here when its answer could differ.
 */
import { quote } from "./quote.ts";

export type JsonValue = null | boolean | number | bigint | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

/** Both count from 1; a column is a UTF-16 unit. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

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
 * The value of a JSON text (RFC 8259), with integers beyond 2^53 as bigint. Throws InvalidJson, which names the text
 * as `what`, for the first problem: syntax, more than `maxDepth` levels, or half of a surrogate pair as an escape.
 */
export function readExactly(text: string, what: string, maxDepth: number): JsonValue {
  const scan: Scan = { text, what, maxDepth, at: 0 };
  const value = readValue(scan, 0);
  if (skipSpace(scan) < text.length) fail(scan, `unexpected ${next(scan)} after the end of the value`);
  return value;
}

/** Line and column of an offset. */
export function positionAt(text: string, offset: number): Position {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf("\n"); end !== -1 && end < offset; end = text.indexOf("\n", start)) {
    line++;
    start = end + 1;
  }
  return { line, column: offset - start + 1 };
}

/** No integer field has more than 20 digits; longer literals are left inexact, and so are refused as integers. */
const MAX_INTEGER = 40;

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

interface Scan {
  readonly text: string;
  readonly what: string;
  readonly maxDepth: number;
  at: number;
}

function fail({ text, what, at }: Scan, problem: string, place = at): never {
  throw new InvalidJson(what, problem, positionAt(text, place));
}

/** The next character, fit for a message. */
function next({ text, at }: Pick<Scan, "text" | "at">): string {
  const code = text.codePointAt(at);
  return code === undefined ? "end of text" : quote(String.fromCodePoint(code));
}

/** Goes to the next character that is no space, and returns where that is. */
function skipSpace(scan: Scan): number {
  const { text } = scan;
  for (let at = scan.at; ; at++) {
    const code = text.charCodeAt(at);
    if (code === SPACE || code === NEWLINE || code === TAB || code === RETURN) continue;
    scan.at = at;
    return at;
  }
}

function readValue(scan: Scan, depth: number): JsonValue {
  const first = scan.text.charCodeAt(skipSpace(scan));
  if (first === QUOTE) return readString(scan);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return readScalar(scan);
  if (depth === scan.maxDepth) fail(scan, `nested deeper than ${depth} levels`);
  scan.at++;
  return first === OPEN_BRACE ? readObject(scan, depth + 1) : readArray(scan, depth + 1);
}

function readObject(scan: Scan, depth: number): JsonObject {
  const object: Record<string, JsonValue> = {};
  if (isEmpty(scan, CLOSE_BRACE)) return object;
  do {
    if (scan.text.charCodeAt(skipSpace(scan)) !== QUOTE)
      fail(scan, `expected a key in double quotes, found ${next(scan)}`);
    const key = readString(scan);
    if (scan.text.charCodeAt(skipSpace(scan)) !== COLON)
      fail(scan, `expected ":" after a key, found ${next(scan)}`);
    scan.at++;
    const value = readValue(scan, depth);
    if (key === "__proto__") setOwn(object, key, value);
    else object[key] = value;
  } while (goesOn(scan, CLOSE_BRACE));
  return object;
}

/** An assignment to `__proto__` would be to the prototype. */
function setOwn(object: object, key: string, value: JsonValue): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function readArray(scan: Scan, depth: number): JsonValue[] {
  const array: JsonValue[] = [];
  if (isEmpty(scan, CLOSE_BRACKET)) return array;
  do array.push(readValue(scan, depth));
  while (goesOn(scan, CLOSE_BRACKET));
  return array;
}

function isEmpty(scan: Scan, close: number): boolean {
  if (scan.text.charCodeAt(skipSpace(scan)) !== close) return false;
  scan.at++;
  return true;
}

/** Takes what stands after an item; true for a comma. */
function goesOn(scan: Scan, close: number): boolean {
  const end = scan.text.charCodeAt(skipSpace(scan));
  if (end !== COMMA && end !== close)
    fail(scan, `expected "," or "${String.fromCharCode(close)}", found ${next(scan)}`);
  scan.at++;
  return end === COMMA;
}

const scalar = /(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.+-])/y;
const plainInteger = /^-?[0-9]+$/;

function readScalar(scan: Scan): null | boolean | number | bigint {
  scalar.lastIndex = scan.at;
  if (!scalar.test(scan.text)) fail(scan, `expected a value, found ${next(scan)}`);
  const literal = scan.text.slice(scan.at, scalar.lastIndex);
  scan.at = scalar.lastIndex;
  if (literal === "true") return true;
  if (literal === "false") return false;
  if (literal === "null") return null;
  return exactNumber(literal);
}

/** The number that a literal of JSON stands for: a bigint when it is an integer that a number would round. */
export function exactNumber(literal: string): number | bigint {
  const number = Number(literal);
  const isNumber =
    Number.isSafeInteger(number) || literal.length > MAX_INTEGER || !plainInteger.test(literal);
  return isNumber ? number : BigInt(literal);
}

const unescaped = /[^"\\\u0000-\u001f]*/y;
const escapeSequence = /\\(?:["\\/bfnrt]|u([0-9a-fA-F]{4}))/y;

function readString(scan: Scan): string {
  const { text, at: start } = scan;
  scan.at++;
  skipUnescaped(scan);
  const escaped = text.charCodeAt(scan.at) === BACKSLASH;
  if (escaped) skipEscaped(scan);
  if (text.charCodeAt(scan.at) !== QUOTE) fail(scan, `unexpected ${next(scan)} in a string`);
  scan.at++;
  // All of its escapes have been looked at, so the engine's parser means the same by them.
  return escaped ? JSON.parse(text.slice(start, scan.at)) : text.slice(start + 1, scan.at - 1);
}

/** Goes over letters that stand for themselves; false when there was none. */
function skipUnescaped(scan: Scan): boolean {
  unescaped.lastIndex = scan.at;
  unescaped.test(scan.text);
  const moved = unescaped.lastIndex > scan.at;
  scan.at = unescaped.lastIndex;
  return moved;
}

/** From a backslash to the end of its string, or to what may not be in one. */
function skipEscaped(scan: Scan): void {
  for (let high = -1; ; ) {
    high = readEscape(scan, high);
    const moved = skipUnescaped(scan);
    const ends = scan.text.charCodeAt(scan.at) !== BACKSLASH;
    if (high !== -1 && (moved || ends)) failSurrogate(scan, high);
    if (ends) return;
  }
}

/** Reads one escape. `high` is the offset of a first half of a pair just before it, or -1; so is the result. */
function readEscape(scan: Scan, high: number): number {
  escapeSequence.lastIndex = scan.at;
  const found = escapeSequence.exec(scan.text);
  if (found === null)
    fail(
      scan,
      `unknown escape in a string, a backslash before ${next({ text: scan.text, at: scan.at + 1 })}`,
    );
  const code = Number.parseInt(found[1] ?? "0", 16);
  const low = code >= 0xdc00 && code <= 0xdfff;
  if (low !== (high !== -1)) failSurrogate(scan, low ? scan.at : high);
  const start = scan.at;
  scan.at = escapeSequence.lastIndex;
  return code >= 0xd800 && code <= 0xdbff ? start : -1;
}

function failSurrogate(scan: Scan, at: number): never {
  fail(scan, `${scan.text.slice(at, at + 6)} is half of a surrogate pair and no character`, at);
}
