/**
 * Says where a JSON text stops being acceptable. The engine's parser knows that a text is wrong but not where,
 * so this one reads it again, slowly, and only after something was found to be wrong. It builds no values.
 */
import { quote } from "./quote.ts";

/** Both count from 1; a column is a UTF-16 unit. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface JsonProblem extends Position {
  readonly problem: string;
}

/** The first problem of a JSON text: syntax, nesting beyond `maxDepth`, or half of a surrogate pair. */
export function findProblem(text: string, maxDepth: number): JsonProblem | undefined {
  const scan: Scan = { text, at: 0, maxDepth };
  try {
    readValue(scan, 0);
    skipSpace(scan);
    if (scan.at < text.length) fail(scan, `unexpected ${next(scan)} after the end of the value`);
    return undefined;
  } catch (e) {
    if (!(e instanceof Stop)) throw e;
    return { ...positionAt(text, e.at), problem: e.problem };
  }
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

interface Scan {
  readonly text: string;
  readonly maxDepth: number;
  at: number;
}

class Stop {
  constructor(
    readonly at: number,
    readonly problem: string,
  ) {}
}

function fail(scan: Scan, problem: string, at = scan.at): never {
  throw new Stop(at, problem);
}

/** The next character, fit for a message. */
function next({ text, at }: Scan): string {
  const code = text.codePointAt(at);
  return code === undefined ? "end of text" : quote(String.fromCodePoint(code));
}

function skipSpace(scan: Scan): void {
  while (" \t\n\r".includes(scan.text[scan.at] ?? "x")) scan.at++;
}

function readValue(scan: Scan, depth: number): void {
  skipSpace(scan);
  const first = scan.text[scan.at];
  if (first === "{" || first === "[") {
    if (depth === scan.maxDepth) fail(scan, `nested deeper than ${scan.maxDepth} levels`);
    if (first === "{") readObject(scan, depth + 1);
    else readArray(scan, depth + 1);
  } else if (first === '"') readString(scan);
  else readScalar(scan);
}

function readObject(scan: Scan, depth: number): void {
  readItems(scan, "}", () => {
    if (scan.text[scan.at] !== '"') fail(scan, `expected a key in double quotes, found ${next(scan)}`);
    readString(scan);
    skipSpace(scan);
    if (scan.text[scan.at] !== ":") fail(scan, `expected ":" after a key, found ${next(scan)}`);
    scan.at++;
    readValue(scan, depth);
  });
}

function readArray(scan: Scan, depth: number): void {
  readItems(scan, "]", () => readValue(scan, depth));
}

function readItems(scan: Scan, close: string, readItem: () => void): void {
  scan.at++;
  skipSpace(scan);
  if (scan.text[scan.at] === close) {
    scan.at++;
    return;
  }
  for (;;) {
    skipSpace(scan);
    readItem();
    skipSpace(scan);
    const end = scan.text[scan.at];
    if (end !== "," && end !== close) fail(scan, `expected "," or "${close}", found ${next(scan)}`);
    scan.at++;
    if (end === close) return;
  }
}

const scalar = /(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.+-])/y;

function readScalar(scan: Scan): void {
  scalar.lastIndex = scan.at;
  if (!scalar.test(scan.text)) fail(scan, `expected a value, found ${next(scan)}`);
  scan.at = scalar.lastIndex;
}

const unescaped = /[^"\\\u0000-\u001f]*/y;
const escapeSequence = /\\(?:["\\/bfnrt]|u([0-9a-fA-F]{4}))/y;

function readString(scan: Scan): void {
  scan.at++;
  for (let high = -1; ; ) {
    unescaped.lastIndex = scan.at;
    unescaped.test(scan.text);
    const moved = unescaped.lastIndex > scan.at;
    if (moved && high !== -1) failSurrogate(scan, high);
    scan.at = unescaped.lastIndex;
    if (scan.text[scan.at] !== "\\") {
      if (high !== -1) failSurrogate(scan, high);
      break;
    }
    high = readEscape(scan, high);
  }
  if (scan.text[scan.at] !== '"') fail(scan, `unexpected ${next(scan)} in a string`);
  scan.at++;
}

/** Reads one escape. `high` is the offset of a first half of a pair just before it, or -1; so is the result. */
function readEscape(scan: Scan, high: number): number {
  escapeSequence.lastIndex = scan.at;
  const found = escapeSequence.exec(scan.text);
  if (found === null)
    fail(scan, `unknown escape in a string, a backslash before ${next({ ...scan, at: scan.at + 1 })}`);
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
