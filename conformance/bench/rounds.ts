/** One operation in interleaved rounds: whatever else the machine does hits all runtimes alike. */
import type { Goal, Operation } from "./operations.ts";
import type { Kind, Runtime } from "./runtimes.ts";
import { compare, type Summary, summarize } from "./statistics.ts";
import type { Measure, Step, Stopwatch } from "./stopwatch.ts";

export type Series = {
  readonly runtime: Runtime;
  /** Milliseconds, by round. */
  readonly samples: readonly number[];
  readonly summary: Summary;
  /** Page faults and the largest resident set (KiB), the medians. */
  readonly faults: number;
  readonly kibibytes: number;
  /** Milliseconds that processors were busy with it, by round. */
  readonly busy: readonly number[];
};

export type Row = {
  readonly name: string;
  readonly goal?: Goal;
  readonly series: readonly Series[];
  /** Of the first runtime's times to each other's. */
  readonly ratios: readonly (Summary & {
    readonly ofMedians: number;
    readonly to: string;
    readonly kind: Kind;
  })[];
};

/** Measures them all; the runtimes that cannot do it are left out, and it says why. */
export function measure(
  operation: Operation,
  runtimes: readonly Runtime[],
  rounds: number,
  stopwatch: Stopwatch,
): Row {
  const prepared: Runtime[] = [];
  try {
    const able = runtimes.filter((runtime) => {
      prepared.push(runtime);
      return works(operation, runtime, stopwatch);
    });
    const order = Array.from({ length: Math.max(1, rounds) }, (_, round) => turn(able, round)).flat();
    const samples = order.map((runtime) => operation.sample(runtime));
    const measured = able.length === 0 ? [] : stopwatch.perform(samples);
    return rowOf(
      operation,
      able.map((runtime) =>
        seriesOf(
          runtime,
          measured.filter((_, index) => order[index] === runtime),
        ),
      ),
    );
  } finally {
    for (const runtime of prepared) quietly(stopwatch, operation.after?.(runtime));
  }
}

/** Forwards and backwards: nobody has the same neighbour always, whose end the kernel is still working on. */
function turn<T>(all: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? all : [...all].reverse();
}

/** Prepares it and performs it once, which also warms the caches. */
function works(operation: Operation, runtime: Runtime, stopwatch: Stopwatch): boolean {
  try {
    const before = operation.before?.(runtime) ?? [];
    if (before.length > 0) stopwatch.perform([before]);
    stopwatch.perform([operation.sample(runtime)]);
    return true;
  } catch (error) {
    console.log(`skip: ${operation.name} with ${runtime.name}: ${(error as Error).message}`);
    return false;
  }
}

function quietly(stopwatch: Stopwatch, steps: readonly Step[] | undefined): void {
  for (const step of steps ?? [])
    try {
      stopwatch.perform([[step]]);
    } catch {} // what was never made
}

function seriesOf(runtime: Runtime, measured: readonly Measure[]): Series {
  const samples = measured.map(({ milliseconds }) => milliseconds);
  return {
    runtime,
    samples,
    summary: summarize(samples),
    faults: summarize(measured.map(({ faults }) => faults)).median,
    kibibytes: summarize(measured.map(({ kibibytes }) => kibibytes)).median,
    busy: measured.map(({ user, system }) => user + system),
  };
}

function rowOf({ name, goal }: Pick<Operation, "name" | "goal">, series: readonly Series[]): Row {
  const ours = series.find(({ runtime }) => runtime.kind === "runt");
  const others = series.filter((each) => each !== ours);
  return {
    name,
    ...(goal && { goal }),
    series,
    ratios: ours
      ? others.map((theirs) => ({
          ...compare(ours.samples, theirs.samples),
          to: theirs.runtime.name,
          kind: theirs.runtime.kind,
        }))
      : [],
  };
}
