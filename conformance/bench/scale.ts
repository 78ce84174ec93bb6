/** Operations with many containers: at a time, in a list, and beside each other. */
import type { Commands, Operation } from "./operations.ts";
import { SLEEPER } from "./operations.ts";
import { measure } from "./rounds.ts";
import type { Runtime } from "./runtimes.ts";
import { median } from "./statistics.ts";
import type { Step, Stopwatch } from "./stopwatch.ts";
import { markdown } from "./table.ts";

const WIDTH = 8;
const MANY = 200;
const LISTED = 400;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

/** Containers that sleep, made and deleted several at a time. */
function manyContainers(
  commands: Commands,
  count: number,
): { make: (runtime: Runtime) => Step[]; remove: (runtime: Runtime) => Step[] } {
  return {
    make: (runtime) => [
      { pool: WIDTH, of: numbers(count).map((number) => commands.detached(runtime, number)) },
    ],
    // All are killed first: runc looks only every 100 ms whether what it has killed itself is gone.
    remove: (runtime) => [
      {
        pool: WIDTH,
        of: numbers(count).map((n) => commands.of(runtime, "kill", commands.id(runtime, n), "KILL")),
      },
      { pool: WIDTH, of: numbers(count).map((number) => commands.delete(runtime, number)) },
    ],
  };
}

export function scaleOperations(commands: Commands): Operation[] {
  const listed = manyContainers(commands, LISTED);
  return [
    {
      name: `${MANY} times \`run\` true, ${WIDTH} at a time`,
      goal: { crun: 0.8, runc: 0.5 },
      rounds: 0.15,
      long: true,
      sample: (runtime) => [
        {
          pool: WIDTH,
          of: numbers(MANY).map((number) => commands.run(runtime, commands.bundles.plain, number)),
        },
      ],
    },
    {
      name: `${MANY} times \`exec\` true, ${WIDTH} at a time`,
      goal: { crun: 0.8, runc: 0.5 },
      rounds: 0.15,
      long: true,
      sample: (runtime) => [
        {
          pool: WIDTH,
          of: numbers(MANY).map(() => commands.of(runtime, "exec", commands.id(runtime, SLEEPER), "true")),
        },
      ],
    },
    {
      name: `\`list\` of ${LISTED}`,
      goal: { crun: 1, runc: 0.3 },
      long: true,
      before: listed.make,
      sample: (runtime) => [{ run: commands.of(runtime, "list") }],
      after: listed.remove,
    },
  ];
}

export type Beside = {
  readonly runtime: Runtime;
  readonly count: number;
  /** Medians in milliseconds: beside one container, and beside that many. */
  readonly one: number;
  readonly many: number;
};

/**
 * A life cycle beside many live containers of the same runtime, against one beside a single one: the latter before and
 * after, as the machine may have become slower meanwhile.
 */
export function beside(
  runtime: Runtime,
  commands: Commands,
  count: number,
  rounds: number,
  stopwatch: Stopwatch,
): Beside {
  const life = { name: "life", sample: (each: Runtime) => commands.life(each) };
  const samples = (): readonly number[] =>
    measure(life, [runtime], rounds, stopwatch).series[0]?.samples ?? [];
  const { make, remove } = manyContainers(commands, count - 1);
  const before = samples();
  stopwatch.perform([make(runtime)]);
  let many: readonly number[];
  try {
    many = samples();
  } finally {
    stopwatch.perform([remove(runtime)]);
  }
  return { runtime, count, one: median([...before, ...samples()]), many: median(many) };
}

export function besideTable(all: readonly Beside[]): string {
  return markdown(
    ["`create` + `start` + `kill` + `delete`", ...all.map(({ runtime }) => runtime.name)],
    [
      ["beside 1 live container, ms", ...all.map(({ one }) => one.toFixed(1))],
      [`beside ${all[0]?.count}, ms`, ...all.map(({ many }) => many.toFixed(1))],
      ["ratio", ...all.map(({ one, many }) => `**${(many / one).toFixed(2)}**`)],
    ],
  );
}
