/** The kernel's names for numbers, in texts for people. The families of them are in names/. */

/** Some constants by their names. */
export type Names = Readonly<Record<string, number>>;

/** The name of one number; one without a name is itself. */
export function nameOf(names: Names, value: number | bigint): string {
  for (const name in names) if (BigInt(names[name] ?? 0) === BigInt(value)) return name;
  return numberText(BigInt(value));
}

/** "A|B|0x40": the flags by their names, and what has none; no flags are the name for 0, or "0". */
export function flagsText(names: Names, flags: number | bigint): string {
  let rest = unsigned(BigInt(flags));
  if (rest === 0n) return nameOf(names, 0);
  const found: (readonly [name: string, value: bigint])[] = [];
  // One that has the bits of another has them first.
  for (const [name, value] of byBits(names)) {
    if ((rest & value) !== value) continue;
    found.push([name, value]);
    rest &= ~value;
  }
  const parts = found.sort(([, a], [, b]) => (a < b ? -1 : 1)).map(([name]) => name);
  if (rest !== 0n) parts.push(hex(rest));
  return parts.join("|");
}

function byBits(names: Names): (readonly [name: string, value: bigint])[] {
  return Object.entries(names)
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => [name, BigInt(value)] as const)
    .sort(([, a], [, b]) => bitsOf(b) - bitsOf(a));
}

function bitsOf(value: bigint): number {
  let bits = 0;
  for (let rest = value; rest > 0n; rest &= rest - 1n) bits++;
  return bits;
}

/** Flags of 32 bits with the highest set are negative numbers in ECMAScript's operators. */
function unsigned(value: bigint): bigint {
  if (value >= 0n) return value;
  return value & (value >= -0x80000000n ? 0xffffffffn : 0xffffffffffffffffn);
}

function numberText(value: bigint): string {
  return value > -4096n && value <= 4096n ? String(value) : hex(unsigned(value));
}

/** The engine puts a zero in front of a number that has all 64 bits. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16).replace(/^0(?=.)/, "")}`;
}
