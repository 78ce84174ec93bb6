// docs/conformance.md, from what the tests of the public validation suite printed.
import { type Reasons, reasons } from "./validation_reasons.ts";

export type Outcome = {
  readonly passed: number;
  /** The texts of the checks that failed. */
  readonly failures: readonly string[];
  readonly skipped: number;
  /** What a test without checks tells of a failure. */
  readonly told: readonly string[];
  /** "exit 0", or how else the test ended. */
  readonly status: string;
};

export type Row = { readonly test: string; readonly runt: Outcome; readonly runc: Outcome };

/** What the results depend on. */
export type Host = {
  readonly cgroups: string;
  readonly kernel: string;
  readonly lacks: readonly string[];
  readonly runc: string;
};

/** TAP: lines of "ok N - text" and "not ok N - text"; "# SKIP" is neither. */
export function outcomeOf(tap: string, status: string): Outcome {
  const lines = tap.split("\n");
  const checks = lines.filter((line) => /^(not )?ok /.test(line));
  const isSkip = (line: string): boolean => /# skip/i.test(line);
  const texts = (pattern: RegExp): string[] => lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
  return {
    passed: checks.filter((line) => line.startsWith("ok ") && !isSkip(line)).length,
    failures: texts(/^not ok \d+ - (?!.*# skip)(.*)$/i),
    skipped: checks.filter(isSkip).length,
    told: checks.length > 0 ? [] : texts(/^ +"error": "(.+)"/),
    status,
  };
}

const good = ({ failures, told, status }: Outcome): boolean =>
  failures.length === 0 && told.length === 0 && status === "exit 0";

/** The result in words. */
export function inWords({ passed, failures, skipped, told, status }: Outcome): string {
  return [
    `${passed} passed, ${failures.length} failed`,
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
    ...(told.length > 0 ? [`${told.length} told`] : []),
  ]
    .join(", ")
    .concat(status === "exit 0" ? "" : ` (${status})`);
}

/** Tests that fail with runt and that nothing explains. */
export const unexplained = (rows: readonly Row[], why: Reasons = reasons): string[] =>
  rows.filter(({ test, runt }) => !good(runt) && why[test] === undefined).map(({ test }) => test);

const sum = (outcomes: readonly Outcome[], count: (outcome: Outcome) => number): number =>
  outcomes.reduce((total, each) => total + count(each), 0);

function totals(name: string, outcomes: readonly Outcome[]): string {
  const numbers = [
    sum(outcomes, ({ passed }) => passed),
    sum(outcomes, ({ failures }) => failures.length),
    sum(outcomes, ({ skipped }) => skipped),
    outcomes.filter(({ status }) => status !== "exit 0").length,
    outcomes.filter(({ told }) => told.length > 0).length,
  ];
  return `| ${name} | ${numbers.join(" | ")} |`;
}

/** Equal texts once, with their number. */
function counted(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, n]) => (n > 1 ? `${text} (${n} times)` : text)).join("; ");
}

/** Of runt; what tells nothing, such as a path made up for the run, is left out. */
function failing({ test, runt }: Row): string[] {
  if (good(runt)) return [];
  const texts = [...runt.failures, ...runt.told].map((text) => text.split("\\n")[0] ?? "");
  return [`- ${test}: ${texts.length > 0 ? counted(texts) : `it ends with ${runt.status}`}`];
}

const okLines = (outcomes: readonly Outcome[]): number =>
  sum(outcomes, ({ passed, skipped }) => passed + skipped);

/** The whole page. */
export function page(rows: readonly Row[], host: Host, why: Reasons = reasons): string {
  const [runt, runc] = [rows.map((row) => row.runt), rows.map((row) => row.runc)];
  const notAll = rows.filter((row) => !good(row.runt) || !good(row.runc));
  const lacks = host.lacks.map((capability) => `, no ${capability}`).join("");
  return `# The public validation suite

\`npm run validation -- --write CHECKOUT\` made this page. It runs the validation suite of opencontainers/runtime-tools,
from a checkout of it in which \`make runtimetest validation-executables\` was run, with runt and with runc, and fails
when a check fails with runt that the page does not explain. The explanations are in \`scripts/validation_reasons.ts\`.

Last run: ${host.cgroups}, kernel ${host.kernel}${lacks}, against ${host.runc}.

| | checks passed | failed | skipped | tests that ended badly | tests without checks that tell of a failure |
| --- | --- | --- | --- | --- | --- |
${totals("runt", runt)}
${totals("runc", runc)}

A count of all lines that begin with "ok" takes the skipped ones for passed: ${okLines(runc)} for runc, ${okLines(runt)} for runt.
Runs differ by two or three in \`killsig\`, \`pidfile\` and \`poststart\`. Each test runs in a mount namespace of its own, without
which runc leaves the mounts of \`linux_ns_itype\` on the host, where the suite, tidying up, then removes files in them.

Tests in which not everything passes with both, and why:

| test | runt | runc | |
| --- | --- | --- | --- |
${notAll.map((row) => `| ${row.test} | ${inWords(row.runt)} | ${inWords(row.runc)} | ${why[row.test] ?? "**not explained**"} |`).join("\n")}

The checks that fail with runt:

${rows.flatMap(failing).join("\n")}
`;
}
