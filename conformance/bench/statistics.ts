/** What is said of many samples: by rank, as a few of them are always disturbed. */

export type Summary = {
  readonly median: number;
  readonly least: number;
  /** The quartiles. */
  readonly low: number;
  readonly high: number;
};

/** The value below which this part of all values is; between two of them, in proportion. NaN for none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

export function summarize(values: readonly number[]): Summary {
  return {
    median: median(values),
    least: quantile(values, 0),
    low: quantile(values, 0.25),
    high: quantile(values, 0.75),
  };
}

/**
 * One value by the other, round by round: what disturbs a whole round disturbs both, and disappears. `ofMedians` is
 * the other way to say it.
 */
export function compare(
  ours: readonly number[],
  theirs: readonly number[],
): Summary & { readonly ofMedians: number } {
  const pairs = ours.map((value, round) => value / (theirs[round] ?? Number.NaN));
  return { ...summarize(pairs), ofMedians: median(ours) / median(theirs) };
}
