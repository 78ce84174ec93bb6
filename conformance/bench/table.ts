/** What was measured, as tables in Markdown. */
import type { Row } from "./rounds.ts";
import type { Runtime } from "./runtimes.ts";
import type { Size } from "./sizes.ts";
import { compare, median, type Summary } from "./statistics.ts";

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "--:"))), ...rows.map(line)].join(
    "\n",
  );
}

const NONE = "–";

/** Times, then what the first runtime's are of each other's. */
export function timeTable(rows: readonly Row[], runtimes: readonly Runtime[]): string {
  const others = runtimes.filter(({ kind }) => kind !== "runt");
  const ours = runtimes.find(({ kind }) => kind === "runt")?.name ?? "runt";
  const head = [
    "",
    ...runtimes.map(({ name }) => `${name}, ms`),
    ...others.map((o) => `${ours} / ${o.name}`),
  ];
  return markdown(
    [...head, "goal"],
    rows.map((row) => [
      row.name,
      ...runtimes.map(({ name }) => {
        const series = row.series.find(({ runtime }) => runtime.name === name);
        return series === undefined ? NONE : time(series.summary);
      }),
      ...others.map(({ name }) => {
        const ratio = row.ratios.find(({ to }) => to === name);
        return ratio === undefined
          ? NONE
          : `**${ratio.median.toFixed(2)}** (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})`;
      }),
      row.goal === undefined ? "" : goalOf(row),
    ]),
  );
}

/** How long they kept processors busy: hardly different when the machine has other things to do as well. */
export function busyTable(rows: readonly Row[], runtimes: readonly Runtime[]): string {
  const [ours, ...others] = runtimes;
  const head = [
    ...runtimes.map(({ name }) => `${name}, ms`),
    ...others.map((o) => `${ours?.name} / ${o.name}`),
  ];
  return markdown(
    ["processor time", ...head],
    rows.map((row) => {
      const [own, ...theirs] = runtimes.map(
        (runtime) => row.series.find((each) => each.runtime === runtime)?.busy ?? [],
      );
      const cell = (value: number, text: string): string => (Number.isNaN(value) ? NONE : text);
      const middle = [own ?? [], ...theirs].map(median);
      const ratios = theirs.map((other) => compare(own ?? [], other).ofMedians);
      return [
        row.name,
        ...middle.map((value) => cell(value, short(value))),
        ...ratios.map((value) => cell(value, `**${value.toFixed(2)}**`)),
      ];
    }),
  );
}

const time = ({ median, least, low, high }: Summary): string =>
  `${short(median)} (${short(least)}; ${short(low)}–${short(high)})`;

const short = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

/** The goal against crun and runc, and the worst of the ratios of medians where it is missed. */
function goalOf({ goal, ratios }: Row): string {
  if (goal === undefined) return "";
  const missed = ratios.filter(({ kind, median }) => kind !== "runt" && median > goal[kind]);
  return `${goal.crun} / ${goal.runc}${missed.length === 0 ? "" : ", missed"}`;
}

export function sizeTable(sizes: readonly Size[]): string {
  const row = (name: string, of: (size: Size) => string): string[] => [name, ...sizes.map(of)];
  const known = (value: number | undefined, text: (value: number) => string): string =>
    value === undefined ? NONE : text(value);
  const megabytes = (kibibytes: number): string => `${((kibibytes * 1024) / 1e6).toFixed(2)} MB`;
  return markdown(
    ["", ...sizes.map(({ runtime }) => runtime.name)],
    [
      row("the file", ({ file, libraries }) =>
        libraries === 0
          ? `${megabytes(file / 1024)}, static`
          : `${megabytes(file / 1024)} and ${libraries} libraries`,
      ),
      row("resident, `run`", ({ resident }) => megabytes(resident)),
      row("processor time, `run`, ms", ({ busy }) => busy.toFixed(1)),
      row("page faults, `run`", ({ faults }) => faults.toFixed(0)),
      row("anonymous memory of a created container", ({ anonymous }) => known(anonymous, megabytes)),
      row("of which nobody else has it (`Private_Dirty`)", ({ dirty }) => known(dirty, megabytes)),
      row("user instructions, `--version`", ({ instructions }) =>
        known(instructions, (value) => `${(value / 1e6).toFixed(2)} M`),
      ),
    ],
  );
}
