/** Lists of CPUs and of memory nodes as the kernel writes them (cpuset(7) "List format"), and their bit masks. */
import { RuntimeError } from "../errors.ts";

/** What is listed: the words for an error, and the first number that cannot be. */
export interface Listed {
  readonly field: string;
  readonly one: string;
  readonly many: string;
  readonly below: number;
}

/** "0-3,7" → 0, 1, 2, 3, 7: in order, each once. */
export function parseNumberList(text: string, { field, one, many, below }: Listed): number[] {
  return numbersIn(text.replace(/\s*-\s*/g, "-"), below, (part) => {
    throw new RuntimeError(
      "invalid-argument",
      `${field}: ${JSON.stringify(part)} is no ${one} and no range of ${many} below ${below}`,
    );
  });
}

/** The same as the kernel takes it, without blanks in a range; what is no number or range below `below` is `refused`. */
export function numbersIn(text: string, below: number, refused: (part: string) => never): number[] {
  const numbers = new Set<number>();
  for (const part of text.split(",").map((piece) => piece.trim())) {
    if (part === "") continue;
    const range = /^(\d+)(?:-(\d+))?$/.exec(part);
    const first = Number(range?.[1]);
    const last = Number(range?.[2] ?? range?.[1]);
    if (range === null || first > last || last >= below) refused(part);
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}

/** A bit for each number, in as many words as the highest needs. */
export function bitMask(numbers: readonly number[]): BigUint64Array {
  const highest = numbers.at(-1);
  const mask = new BigUint64Array(highest === undefined ? 0 : Math.floor(highest / 64) + 1);
  for (const number of numbers) {
    const word = Math.floor(number / 64);
    mask[word] = (mask[word] ?? 0n) | (1n << BigInt(number % 64));
  }
  return mask;
}
