// What one test file's output and exit status amount to, and what a whole run's. Pure: scripts/test.ts runs the files.

export type Totals = { readonly passed: number; readonly failed: number; readonly skipped: number };

export type Report = {
  readonly passed: number;
  readonly failed: number;
  /** The lines `skip: test: reason`. */
  readonly skips: readonly string[];
  /** Why the file fails, beyond what its tests say; none when it is good. */
  readonly problems: readonly string[];
};

export function readReport(text: string, status: number | null, timedOutAfter?: number): Report {
  const plain = text.replace(/\u001b\[[0-9;]*m/g, "");
  const skips = plain.match(/^skip: .+$/gm) ?? [];
  const count = (name: string): number | undefined => {
    const match = plain.match(new RegExp(`^\\s*${name}:\\s+(\\d+)$`, "m"));
    return match ? Number(match[1]) : undefined;
  };
  const total = count("Total");
  const passed = count("Passed") ?? 0;
  const uvuSkipped = count("Skipped") ?? 0;
  // A test that announces its skip and returns counts as passed with uvu; suite.skip does not count at all.
  const returned = Math.max(0, skips.length - uvuSkipped);
  const problems: string[] = [];
  if (timedOutAfter !== undefined) problems.push(`killed after ${timedOutAfter} s`);
  else if (status !== 0) problems.push(`exit status ${status ?? "by a signal"}`);
  if (total === undefined) problems.push("no totals: it did not finish");
  else if (total === 0 && uvuSkipped === 0) problems.push("it has no tests: is .run() missing?");
  else if (passed !== total) problems.push(`${passed} of ${total} passed`);
  if (uvuSkipped > skips.length) problems.push(`${uvuSkipped} skipped, but only ${skips.length} said why`);
  const failed = Math.max((total ?? 0) - passed, problems.length > 0 ? 1 : 0);
  return { passed: passed - Math.min(returned, passed), failed, skips, problems };
}

export type FileReport = Omit<Report, "problems"> & { readonly file: string; readonly output: string };

/** What a whole run printed of each of its files: a line for each, and what is set in below it. */
export function readFiles(text: string): FileReport[] {
  const parts = text.split(/^(?=(?:ok {2}|FAIL) \S+: \d+ passed)/m);
  return parts.flatMap((part) => {
    const [first, file = "", passed, failed] =
      part.match(/^(?:ok {2}|FAIL) (\S+): (\d+) passed(?:, (\d+) failed)?/) ?? [];
    if (first === undefined) return []; // what was said before
    const below = part.split("\n").slice(1);
    const end = below.findIndex((line) => !line.startsWith("     "));
    const output = below.slice(0, end < 0 ? undefined : end).join("\n");
    const skips = (output.match(/^ {7}skip: .+$/gm) ?? []).map((line) => line.trim());
    return { file, passed: Number(passed), failed: Number(failed ?? 0), skips, output };
  });
}

/** The last line of a run. */
export const totalsLine = ({ passed, failed, skipped }: Totals): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

/** A run of `files` files elsewhere, by all that it printed; or why its totals cannot be believed. */
export function readRun(text: string, status: number, files: number): Totals | string {
  const lines = text.trimEnd().split("\n");
  const numbers = lines.at(-1)?.match(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/);
  if (!numbers) return `it did not finish (exit status ${status})`;
  const [, passed = 0, failed = 0, skipped = 0] = numbers.map(Number);
  const reported = lines.filter((line) => /^(ok {2}|FAIL) \S+: \d+ passed/.test(line)).length;
  if (reported !== files) return `${reported} of ${files} files reported`;
  if ((status === 0) !== (failed === 0)) return `${failed} failed, but exit status ${status}`;
  return { passed, failed, skipped: skipped || 0 };
}
