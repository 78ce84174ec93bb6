/** Durations as Go's time.ParseDuration reads them: "5s", "1m30s", "-1.5h", "300ms". */

const nanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  "\u00b5s": 1_000n, // the micro sign
  "\u03bcs": 1_000n, // the Greek letter
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const part = "(\\d+\\.?\\d*|\\.\\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)";
const whole = new RegExp(`^[+-]?(?:0|(?:${part})+)$`);
const MAX = 0x7fffffffffffffffn;

/** Nanoseconds, or undefined for what Go does not read or an int64 does not hold. */
export function parseDuration(text: string): bigint | undefined {
  if (!whole.test(text)) return undefined;
  let sum = 0n;
  for (const [, number = "", unit = ""] of text.matchAll(new RegExp(part, "g"))) {
    const [integer = "", fraction = ""] = number.split(".");
    sum += (BigInt(integer + fraction) * (nanoseconds[unit] ?? 0n)) / 10n ** BigInt(fraction.length);
  }
  if (sum > MAX) return undefined;
  return text.startsWith("-") ? -sum : sum;
}
