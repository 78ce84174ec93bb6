/**
 * Annotations "org.systemd.property.NAME" become properties of the container's unit, their values being written as
 * GVariant text. Of that format only this is read: booleans, strings, numbers, and arrays of one of these, each with
 * or without its type in front ("uint64 5", "@t 5"). An untrusted value can therefore be of no other type
 * (CVE-2024-3154: what the properties do is for the engine to filter).
 */
import type { DbusData } from "../../../syscalls/dbus_value.ts";
import type { SpecField } from "../../../syscalls/types.ts";
import { RuntimeError } from "../../errors.ts";
import type { UnitProperty } from "./unit_property.ts";

const PREFIX = "org.systemd.property.";

/**
 * The properties in the order of the annotations; one that makes no sense is an error in runc's words
 * (specconv/spec_linux.go, initSystemdProps).
 */
export function planUnitAnnotations(annotations: Readonly<Record<string, string>>): UnitProperty[] {
  const properties: UnitProperty[] = [];
  for (const [key, text] of Object.entries(annotations)) {
    if (!key.startsWith(PREFIX)) continue;
    const name = key.slice(PREFIX.length);
    const wrong =
      name.length < 3 ? "too short" : /[^A-Za-z]/.test(name) && "contains non-alphabetic character";
    if (wrong) throw new RuntimeError("invalid-argument", `annotation ${key} name incorrect: ${wrong}`);
    try {
      const from = `annotations[${JSON.stringify(key)}]` as SpecField;
      properties.push({ ...inMicroseconds(name, parseVariantText(text)), from, onlyAtStart: true });
    } catch (error) {
      if (!(error instanceof BadVariant)) throw error;
      const what = `annotation ${key}=${text} value parse error: ${error.message}`;
      throw new RuntimeError("invalid-argument", what);
    }
  }
  return properties;
}

/** A text that is not a value of a type that is read. */
class BadVariant extends Error {
  override readonly name = "BadVariant";
}

/** A parsed value with its D-Bus type. */
export interface VariantText {
  readonly signature: string;
  readonly value: DbusData;
}

/** systemd documents TimeoutStopSec, but takes TimeoutStopUSec. */
function inMicroseconds(name: string, { signature, value }: VariantText): VariantText & { name: string } {
  if (!/[a-z]Sec$/.test(name)) return { name, signature, value };
  if (typeof value !== "number" && typeof value !== "bigint") throw new BadVariant("not a number");
  const micro = typeof value === "number" ? BigInt(Math.trunc(value * 1e6)) : value * 1_000_000n;
  if (micro < 0n || micro > MAX_UINT64) throw new BadVariant("out of range");
  return { name: `${name.slice(0, -"Sec".length)}USec`, signature: "t", value: micro };
}

const MAX_UINT64 = 0xffffffffffffffffn;

const types: Readonly<Record<string, string>> = {
  boolean: "b",
  byte: "y",
  int16: "n",
  uint16: "q",
  int32: "i",
  uint32: "u",
  int64: "x",
  uint64: "t",
  double: "d",
  string: "s",
  objectpath: "o",
  signature: "g",
};

/** Smallest and largest of each integer type. */
const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  y: [0n, 0xffn],
  n: [-0x8000n, 0x7fffn],
  q: [0n, 0xffffn],
  i: [-0x80000000n, 0x7fffffffn],
  u: [0n, 0xffffffffn],
  x: [-0x8000000000000000n, 0x7fffffffffffffffn],
  t: [0n, MAX_UINT64],
};

type Token =
  | { readonly kind: "type" | "number" | "string"; readonly text: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "[" | "]" | "," };

/** Parses the whole text; what follows the value is an error as well. */
export function parseVariantText(text: string): VariantText {
  const tokens = tokensOf(text);
  const parsed = parseValue(tokens, "");
  const [more] = tokens;
  if (more !== undefined) throw new BadVariant("something follows the value");
  return parsed;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const lexeme =
    /\s*(?:([[\],])|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(@[a-z()]+|[A-Za-z][A-Za-z0-9]*)|([+-]?[0-9][0-9A-Za-z.+-]*))/sy;
  let at = 0;
  const end = text.trimEnd().length;
  while (at < end) {
    lexeme.lastIndex = at;
    const found = lexeme.exec(text);
    if (found === null) throw new BadVariant(`unexpected ${JSON.stringify(text.slice(at, end).trimStart())}`);
    at = lexeme.lastIndex;
    const [, sign, quoted, word, number] = found;
    if (sign !== undefined) tokens.push({ kind: sign as "[" });
    else if (quoted !== undefined) tokens.push({ kind: "string", text: unquoted(quoted.slice(1, -1)) });
    else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (word === "true" || word === "false") tokens.push({ kind: "boolean", value: word === "true" });
    else tokens.push({ kind: "type", text: word ?? "" });
  }
  return tokens;
}

/** `wanted` is the type that was said in front, or that the array before it has; "" for none. */
function parseValue(tokens: Token[], wanted: string): VariantText {
  const token = tokens.shift();
  if (token === undefined) throw new BadVariant("unexpected EOF");
  switch (token.kind) {
    case "type": {
      if (wanted !== "") throw new BadVariant("unexpected type annotation");
      return parseValue(tokens, typeNamed(token.text));
    }
    case "boolean":
      return { signature: requireType(wanted || "b", "b", String(token.value)), value: token.value };
    case "string":
      return { signature: requireType(wanted || "s", "sog", token.text), value: token.text };
    case "number":
      return numberOf(token.text, wanted);
    case "[":
      return parseArray(tokens, wanted);
    default:
      throw new BadVariant(`unexpected ${JSON.stringify(token.kind)}`);
  }
}

/** The first element says what the others are, unless the array's type was given. */
function parseArray(tokens: Token[], wanted: string): VariantText {
  let element = wanted === "" ? "" : wanted.slice(1);
  if (wanted !== "" && (!wanted.startsWith("a") || element.length !== 1))
    throw new BadVariant(`an array cannot be of type "${wanted}"`);
  const values: DbusData[] = [];
  while (peek(tokens) !== "]") {
    const parsed = parseElement(tokens, element);
    if (parsed.signature.length !== 1) throw new BadVariant("arrays in arrays are not read");
    element = parsed.signature;
    values.push(parsed.value);
    const next = peek(tokens);
    if (next === undefined) throw new BadVariant("unexpected EOF");
    if (next !== "," && next !== "]") throw new BadVariant("a comma is missing in the array");
    if (next === ",") tokens.shift();
  }
  tokens.shift();
  if (element === "") throw new BadVariant("an empty array needs its type, such as @as []");
  return { signature: `a${element}`, value: values };
}

function peek(tokens: readonly Token[]): Token["kind"] | undefined {
  return tokens[0]?.kind;
}

/** GVariant lets an element say its type again. */
function parseElement(tokens: Token[], element: string): VariantText {
  const [token] = tokens;
  if (token?.kind !== "type" || element === "") return parseValue(tokens, element);
  const said = typeNamed(token.text);
  if (said !== element) throw new BadVariant(`"${said}" among "${element}"`);
  tokens.shift();
  return parseValue(tokens, element);
}

function typeNamed(name: string): string {
  const signature = name.startsWith("@") ? name.slice(1) : types[name];
  if (signature === undefined) throw new BadVariant(`unrecognized type ${JSON.stringify(name)}`);
  if (!/^a?[ybnqiuxtdsog]$/.test(signature))
    throw new BadVariant(`values of type "${signature}" are not read`);
  return signature;
}

function requireType(wanted: string, possible: string, text: string): string {
  if (wanted.length === 1 && possible.includes(wanted)) return wanted;
  throw new BadVariant(`can't parse ${JSON.stringify(text)} as type "${wanted}"`);
}

/** An integer is an int32 unless it says otherwise, 0x is hexadecimal and 0 before digits octal, as in C. */
function numberOf(text: string, wanted: string): VariantText {
  const real = /^[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$/;
  if (wanted === "d" || (wanted === "" && /^[+-]?[0-9]+(\.|[0-9]*e)/i.test(text))) {
    if (!real.test(text) || !Number.isFinite(Number(text))) throw badNumber(text);
    return { signature: "d", value: Number(text) };
  }
  const signature = requireType(wanted || "i", "ynqiuxt", text);
  const [, sign = "", digits = ""] = /^([+-]?)(0x[0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text) ?? [];
  if (digits === "") throw badNumber(text);
  const magnitude = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const value = sign === "-" ? -magnitude : magnitude;
  const [least, most] = ranges[signature] ?? [0n, 0n];
  if (value < least || value > most)
    throw new BadVariant(`${text} is out of the range of type "${signature}"`);
  return { signature, value };
}

function badNumber(text: string): BadVariant {
  return new BadVariant(`bad number syntax: ${JSON.stringify(text)}`);
}

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** GVariant text format, "Strings": \uXXXX and \UXXXXXXXX, the letters above, and anything else as itself. */
function unquoted(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gs, (_, four, eight, other: string) => {
    if (other === "u" || other === "U") throw new BadVariant("short unicode escape");
    if (other === "\n") return "";
    if (other !== undefined) return escapes[other] ?? other;
    const code = Number.parseInt(four ?? eight, 16);
    if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
      throw new BadVariant("not a Unicode character");
    return String.fromCodePoint(code);
  });
}
