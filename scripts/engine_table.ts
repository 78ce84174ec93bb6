// The table of engines in README.md, from what their suites printed.

export type Counts = {
  readonly passed: number;
  readonly failed: number;
  readonly skips: readonly string[];
  readonly output: string;
};

export type Row = { readonly file: string; readonly runt: Counts; readonly runc: Counts };

const begin = "<!-- engines: npm run test:engines -- --write -->";
const end = "<!-- /engines -->";

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
  const lines = rows.flatMap(({ file, runt, runc }) => {
    const engine = engineOf(runt.output);
    return engine === undefined ? [] : [`| ${engine} | ${counts(runt)} | ${counts(runc)} | \`${file}\` |`];
  });
  return [
    "| engine | with runt | with runc | in `conformance/engines` |",
    "| --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}

/** The text with the table between its two marks, which must be there. */
export function withTable(text: string, table: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no ${begin} … ${end}`);
  return `${text.slice(0, from)}${begin}\n\n${table}\n\n${text.slice(to)}`;
}
