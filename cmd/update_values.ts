/** Numbers on the command line of update: exact, and with the words of runc's libraries when they are none. */
import { quote } from "./quote.ts";

/** A whole number of 64 bits with a sign, as Go's strconv.ParseInt. */
export function parseInt64(flag: string, text: string): bigint {
  const value = digits("ParseInt", /^[+-]?\d+$/, flag, text);
  return inRange("ParseInt", -(2n ** 63n), 2n ** 63n - 1n, flag, text, value);
}

/** A whole number of 64 bits without a sign, as Go's strconv.ParseUint. */
export function parseUint64(flag: string, text: string): bigint {
  const value = digits("ParseUint", /^\d+$/, flag, text);
  return inRange("ParseUint", 0n, 2n ** 64n - 1n, flag, text, value);
}

function digits(reader: string, pattern: RegExp, flag: string, text: string): bigint {
  if (pattern.test(text)) return BigInt(text.replace("+", ""));
  throw invalid(flag, `strconv.${reader}: parsing ${quote(text)}: invalid syntax (${wholeNumber})`);
}

function inRange(
  reader: string,
  least: bigint,
  most: bigint,
  flag: string,
  text: string,
  value: bigint,
): bigint {
  if (value >= least && value <= most) return value;
  throw invalid(
    flag,
    `strconv.${reader}: parsing ${quote(text)}: value out of range (${least} to ${most} is accepted)`,
  );
}

const wholeNumber = "a whole number in decimal is accepted";
const sizes = "bytes are accepted, or a number with k, m, g, t or p behind it, or -1 for no limit";

const powers = "kmgtp";
const size = /^(\d+\.?\d*|\.\d+) ?(?:([kmgtp])i?)?b?$/i;

/** Bytes: a number, or one with k, m, g, t or p behind it, which are powers of 1024; -1 is no limit. */
export function parseBytes(flag: string, text: string): bigint {
  if (text === "-1") return -1n;
  const [, number, unit = ""] = size.exec(text) ?? [];
  if (number === undefined) throw invalid(flag, `invalid size: '${text}' (${sizes})`);
  const [integer = "", fraction = ""] = number.split(".");
  const power = powers.indexOf(unit.toLowerCase()) + 1;
  const bytes =
    (BigInt(integer + fraction) << (10n * BigInt(unit === "" ? 0 : power))) / 10n ** BigInt(fraction.length);
  if (bytes < 2n ** 63n) return bytes;
  throw invalid(flag, `invalid size: '${text}' (${sizes})`);
}

function invalid(flag: string, problem: string): Error {
  return new Error(`invalid value for ${flag}: ${problem}`);
}
