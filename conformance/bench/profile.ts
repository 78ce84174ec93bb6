/** `--profile`: where the time of runt's commands goes, by process, phase, function and system call. */
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runtimePath } from "../needs.ts";
import { buildInstrumented } from "./instrument.ts";
import { type Call, type Process, takeLogs } from "./mark_log.ts";
import { type Commands, SLEEPER } from "./operations.ts";
import type { Runtime } from "./runtimes.ts";
import { median } from "./statistics.ts";
import { type Step, Stopwatch } from "./stopwatch.ts";
import { markdown } from "./table.ts";

type Part = {
  readonly process: string;
  readonly path: readonly string[];
  calls: number;
  own: number;
  all: number;
};

/** One execution: milliseconds since the program was started. */
type Sample = {
  readonly wall: number;
  readonly processes: readonly { readonly name: string; readonly from: number; readonly to: number }[];
  readonly parts: ReadonlyMap<string, Part>;
};

/** System calls that take as long as somebody else does. */
const waits = new Set(["recvmsg()", "ppoll()", "wait4()", "waitid()", "flock()"]);

const isSystemCall = (name: string): boolean => name.endsWith("()");

const MAX_DEPTH = 9;
const LISTED = 25;
const MILLION = 1e6;

/** Prints it; what it returns holds the numbers. */
export async function profile(
  commands: Commands,
  rounds: number,
  only: string | undefined,
): Promise<unknown> {
  // In memory, where writing takes the least.
  const marks = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : commands.bundles.dir, "marks-"));
  process.once("exit", () => rmSync(marks, { recursive: true, force: true }));
  chmodSync(marks, 0o777);
  const { path, names } = await buildInstrumented(marks);
  const runtime: Runtime = { name: "runt", kind: "runt", path, key: "rp" };
  const shipped: Runtime = { ...runtime, path: runtimePath };
  const stopwatch = new Stopwatch(commands.bundles.dir);
  const id = commands.id(runtime, "life");
  const of = (each: Runtime, ...args: string[]): Step[] => [{ run: commands.of(each, ...args) }];
  const quiet = (...args: string[]): Step[] => [{ quiet: commands.of(shipped, ...args) }];
  const create = ["create", "--bundle", commands.bundles.sleeping, id];
  const all: readonly [name: string, before: Step[], of: (each: Runtime) => Step[], after: Step[]][] = [
    ["--version", [], (each) => [{ run: [each.path, "--version"] }], []],
    ["state", [], (each) => of(each, "state", commands.id(each, SLEEPER)), []],
    ["kill", [], (each) => of(each, "kill", commands.id(each, SLEEPER), "WINCH"), []],
    ["run", [], (each) => [{ run: commands.run(each, commands.bundles.plain) }], []],
    ["run with seccomp", [], (each) => [{ run: commands.run(each, commands.bundles.confined) }], []],
    ["run with 100 bind mounts", [], (each) => [{ run: commands.run(each, commands.bundles.binds) }], []],
    ["exec", [], (each) => of(each, "exec", commands.id(each, SLEEPER), "true"), []],
    ["create", [], (each) => of(each, ...create), quiet("delete", "--force", id)],
    ["start", quiet(...create), (each) => of(each, "start", id), quiet("delete", "--force", id)],
    ["delete", quiet(...create), (each) => of(each, "delete", "--force", id), []],
  ];
  stopwatch.perform([[{ quiet: commands.detached(shipped, SLEEPER) }]]);
  try {
    return all
      .filter(([name]) => only === undefined || name.includes(only))
      .map(([name, before, act, after]) => {
        const [wall, samples]: [number[], Sample[]] = [[], []];
        for (let round = -1; round < rounds; round++) {
          const [real] = stopwatch.perform([[...before, ...act(shipped), ...after]]);
          if (before.length > 0) stopwatch.perform([before]);
          takeLogs(marks, names);
          const [measured] = stopwatch.perform([act(runtime)]);
          const processes = takeLogs(marks, names);
          if (after.length > 0) stopwatch.perform([after]);
          if (round < 0 || measured === undefined || real === undefined) continue;
          wall.push(real.milliseconds);
          samples.push(sampleOf(processes, measured.start, measured.milliseconds));
        }
        return report(name, samples, median(wall));
      });
  } finally {
    stopwatch.perform([[{ quiet: commands.delete(shipped, SLEEPER) }]]);
  }
}

function sampleOf(processes: readonly Process[], start: number, wall: number): Sample {
  const parts = new Map<string, Part>();
  const names = namesOf(processes);
  const since = (time: number): number => (time - start) / MILLION;
  for (const [index, { whole }] of processes.entries()) add(parts, whole, names[index] ?? "?", []);
  return {
    wall,
    processes: processes.map(({ whole }, index) => ({
      name: names[index] ?? "?",
      from: since(whole.begin),
      to: since(whole.end),
    })),
    parts,
  };
}

/** A second start is the sealed one. */
function namesOf(processes: readonly Process[]): string[] {
  let [starts, forks] = [0, 0];
  return processes.map(({ forked }) =>
    forked ? `child ${++forks}` : ++starts === 1 ? "first start" : "sealed start",
  );
}

function add(parts: Map<string, Part>, call: Call, process: string, path: readonly string[]): void {
  const key = [process, ...path].join("\0");
  const part = parts.get(key) ?? { process, path, calls: 0, own: 0, all: 0 };
  part.calls++;
  part.own += call.self / MILLION;
  part.all += (call.end - call.begin) / MILLION;
  parts.set(key, part);
  for (const each of call.calls)
    add(parts, each, process, [...path, each.system ? `${each.name}()` : each.name]);
}

const ms = (value: number): string => value.toFixed(value < 0.1 ? 3 : 2);

/** Of the faster half of the samples: in the others, the machine did something else as well. */
function report(name: string, all: readonly Sample[], shipped: number): unknown {
  const samples = [...all].sort((a, b) => a.wall - b.wall).slice(0, Math.ceil(all.length / 2));
  const wall = samples.reduce((sum, sample) => sum + sample.wall, 0) / samples.length;
  console.log(`\n## ${name}: ${ms(wall)} ms, and ${ms(shipped)} as it is shipped\n`);
  const parts = middle(samples);
  const processes = samples[0]?.processes.map(({ name: process }, index) => {
    // These are means, so that they add up.
    const mean = (of: (sample: Sample) => number): number =>
      samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
    const within = (wanted: (last: string) => boolean, what: (part: Part) => number) =>
      mean((sample) =>
        [...sample.parts.values()]
          .filter((part) => part.process === process && wanted(part.path.at(-1) ?? ""))
          .reduce((sum, part) => sum + what(part), 0),
      );
    const own = (part: Part): number => part.own;
    return {
      process,
      from: mean((sample) => sample.processes[index]?.from ?? Number.NaN),
      to: mean((sample) => sample.processes[index]?.to ?? Number.NaN),
      typescript: within((last) => !isSystemCall(last), own),
      kernel: within((last) => isSystemCall(last) && !waits.has(last), own),
      calls: within(isSystemCall, ({ calls }) => calls),
      waiting: within((last) => waits.has(last), own),
    };
  });
  const reaped = {
    process: "until it is reaped",
    from: Math.max(...(processes ?? []).map(({ to }) => to)),
    to: wall,
  };
  console.log(
    markdown(
      ["process", "from, ms", "to", "in TypeScript", "in system calls", "of these", "waiting"],
      [
        ...(processes ?? []).map((each) => [
          each.process,
          ...[each.from, each.to, each.typescript, each.kernel].map(ms),
          each.calls.toFixed(0),
          ms(each.waiting),
        ]),
        [reaped.process, ms(reaped.from), ms(reaped.to), "", "", "", ""],
      ],
    ),
  );
  const least = wall / 100;
  const shown = parts.filter(({ path, all }) => path.length > 0 && path.length <= MAX_DEPTH && all >= least);
  console.log(
    `\n${markdown(
      ["phases of at least 1 %", "calls", "ms", "of its own"],
      shown.map(({ process, path, calls, all, own }) => [
        `${process}: ${"· ".repeat(path.length - 1)}${path.at(-1)}`,
        calls.toFixed(0),
        ms(all),
        ms(own),
      ]),
    )}`,
  );
  const functions = byName(parts.filter(({ path }) => path.length > 0 && !isSystemCall(path.at(-1) ?? "")));
  const calls = byName(parts.filter(({ path }) => isSystemCall(path.at(-1) ?? "")));
  for (const [title, list] of [
    ["functions, themselves", functions],
    ["system calls", calls],
  ] as const)
    console.log(
      `\n${markdown(
        [title, "calls", "ms"],
        list.slice(0, LISTED).map((each) => [each.name, each.calls.toFixed(0), ms(each.own)]),
      )}`,
    );
  return { name, wall, shipped, processes, phases: shown, functions, calls };
}

/** The median of each part over all samples, 0 where it did not happen, in the order of the first. */
function middle(samples: readonly Sample[]): Part[] {
  const first = samples[0]?.parts ?? new Map<string, Part>();
  return [...first].map(([key, part]) => {
    const of = (what: (part: Part) => number): number =>
      median(samples.map((sample) => what(sample.parts.get(key) ?? { ...part, calls: 0, own: 0, all: 0 })));
    return { ...part, calls: of(({ calls }) => calls), own: of(({ own }) => own), all: of(({ all }) => all) };
  });
}

function byName(parts: readonly Part[]): { name: string; calls: number; own: number }[] {
  const sums = new Map<string, { name: string; calls: number; own: number }>();
  for (const { process, path, calls, own } of parts) {
    const name = `${path.at(-1)}, ${process}`;
    const sum = sums.get(name) ?? { name, calls: 0, own: 0 };
    sums.set(name, { name, calls: sum.calls + calls, own: sum.own + own });
  }
  return [...sums.values()].sort((a, b) => b.own - a.own);
}
