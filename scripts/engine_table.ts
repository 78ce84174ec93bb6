// The table of engines in README.md, from what their suites printed.

export type Counts = {
  readonly passed: number;
  readonly failed: number;
  readonly skips: readonly string[];
  readonly output: string;
};

export type Row = {
  readonly file: string;
  /** Which the machine has that it ran on. */
  readonly cgroups: string;
  readonly runt: Counts;
  readonly runc: Counts;
};

const begin = "<!-- engines: npm run test:engines -- --write -->";
const end = "<!-- /engines -->";
const head = [
  "| engine | cgroups | with runt | with runc | in `conformance/engines` |",
  "| --- | --- | --- | --- | --- |",
];

/** A suite says which engine it ran in a line `engine: NAME VERSION (HOW), runtime PATH`. */
const engineOf = (output: string): string | undefined => output.match(/engine: (.*), runtime .*$/m)?.[1];

const counts = ({ passed, failed, skips }: Counts): string =>
  [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skips.length > 0 ? [`${skips.length} skipped`] : []),
  ].join(", ");

/** A suite that could not start its engine is not in the table. */
export function engineTable(rows: readonly Row[]): string {
  const lines = rows.flatMap(({ file, cgroups, runt, runc }) => {
    const engine = engineOf(runt.output);
    return engine === undefined
      ? []
      : [`| ${engine} | ${cgroups} | ${counts(runt)} | ${counts(runc)} | \`${file}\` |`];
  });
  return [...head, ...lines].join("\n");
}

/** The text with the table's rows between its two marks, which must be there, in place of those of the same suites. */
export function withTable(text: string, table: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no ${begin} … ${end}`);
  const rows = new Map([...rowsOf(text.slice(from, to)), ...rowsOf(table)]);
  const lines = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
  return `${text.slice(0, from)}${begin}\n\n${[...head, ...lines].join("\n")}\n\n${text.slice(to)}`;
}

/** By cgroups and file. */
const rowsOf = (table: string): [string, string][] =>
  table
    .split("\n")
    .filter((line) => line.startsWith("| ") && !head.includes(line))
    .map((line) => {
      const [, cgroups = "", , , file = ""] = line.slice(2, -2).split(" | ");
      return [`${cgroups} ${file}`, line];
    });
