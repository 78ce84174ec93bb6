/** Keys of a configuration that nothing reads: allowed by the specification, and most often a slip of the pen. */
import type { SpecField } from "../../syscalls/types.ts";
import type { Findings } from "./check.ts";
import { field } from "./field.ts";
import type { JsonValue } from "./json.ts";
import { unknownIn } from "./validate.ts";

export interface UnknownKey {
  readonly field: SpecField;
  /** The known name that the author may have meant. */
  readonly closest?: string;
}

/** The keys of config.json that no part of the specification names (config.md "Extensibility"). */
export function unknownKeys(value: JsonValue): readonly UnknownKey[] {
  return nameUnknown(unknownIn(value));
}

/** What a validation found unknown, with the names that were perhaps meant. */
export function nameUnknown(unknown: Findings["unknown"]): readonly UnknownKey[] {
  return unknown.map(({ path, known }) => {
    const closest = closestName(String(path.at(-1)), known);
    return closest === undefined ? { field: field(...path) } : { field: field(...path), closest };
  });
}

/** The name that is at most a third of its letters away, case apart; the first of equally near ones. */
export function closestName(given: string, names: readonly string[]): string | undefined {
  let closest: string | undefined;
  let least = Math.max(1, Math.floor(given.length / 3)) + 1;
  for (const name of names) {
    // The difference in length is the least that the distance can be.
    if (Math.abs(name.length - given.length) >= least) continue;
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (distance < least) [closest, least] = [name, distance];
  }
  return closest;
}

/** Letters put in, left out, or changed, and neighbours swapped: the optimal string alignment, row by row. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const exchanged = swapped ? (before[j - 2] ?? 0) + 1 : changed;
      row.push(Math.min(changed, exchanged, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    before = above;
  }
  return row[b.length] ?? 0;
}
