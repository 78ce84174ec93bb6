/** What a runtime takes besides time: disk, memory, page faults, instructions. */
import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../needs.ts";
import type { Commands } from "./operations.ts";
import type { Runtime } from "./runtimes.ts";
import { median } from "./statistics.ts";
import type { Stopwatch } from "./stopwatch.ts";

export type Size = {
  readonly runtime: Runtime;
  /** Bytes. */
  readonly file: number;
  readonly libraries: number;
  /** Of `run`: the largest of its processes in KiB, and the page faults of all of them, with the container's. */
  readonly resident: number;
  readonly faults: number;
  /** Milliseconds that they kept processors busy: what counts when there are many at a time. */
  readonly busy: number;
  /** KiB of a container that is created and waits for `start`. */
  readonly anonymous: number | undefined;
  readonly dirty: number | undefined;
  /** In user mode, of `--version`. */
  readonly instructions: number | undefined;
};

const TIMES = 9;

export function sizeOf(runtime: Runtime, commands: Commands, stopwatch: Stopwatch): Size {
  const once = [{ run: commands.run(runtime, commands.bundles.plain) }];
  const measured = stopwatch.perform(Array.from({ length: TIMES }, () => once));
  const waiting = Array.from({ length: TIMES }, () => created(runtime, commands, stopwatch));
  return {
    runtime,
    file: statSync(runtime.path).size,
    libraries: librariesOf(runtime.path),
    resident: median(measured.map(({ kibibytes }) => kibibytes)),
    faults: median(measured.map(({ faults }) => faults)),
    busy: median(measured.map(({ user, system }) => user + system)),
    anonymous: medianOf(waiting.map(({ Anonymous }) => Anonymous)),
    dirty: medianOf(waiting.map(({ Private_Dirty }) => Private_Dirty)),
    instructions: instructionsOf([runtime.path, "--version"]),
  };
}

function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : median(known);
}

/** Those that ldd(1) lists, but for the one that the kernel gives to every process. */
function librariesOf(file: string): number {
  const { stdout } = spawnSync("ldd", [file], { encoding: "utf8" });
  return stdout.split("\n").filter((line) => line.includes("(0x") && !line.includes("linux-vdso")).length;
}

/** The sums of /proc/PID/smaps_rollup in KiB, of the process that waits in a created container. */
function created(runtime: Runtime, commands: Commands, stopwatch: Stopwatch): Record<string, number> {
  const pidFile = join(commands.bundles.dir, "created");
  const id = commands.id(runtime, "created");
  const bundle = commands.bundles.plain;
  stopwatch.perform([
    [{ quiet: commands.of(runtime, "create", "--bundle", bundle, "--pid-file", pidFile, id) }],
  ]);
  try {
    Bun.sleepSync(50); // what it does after its parent has been told counts as well
    const text = readFileSync(`/proc/${readFileSync(pidFile, "utf8").trim()}/smaps_rollup`, "utf8");
    return Object.fromEntries(
      [...text.matchAll(/^(\w+): +(\d+) kB$/gm)].map(([, name, value]) => [name ?? "", Number(value)]),
    );
  } finally {
    stopwatch.perform([[{ quiet: commands.delete(runtime, "created") }]]);
  }
}

/** By the processor's counter where there is one, else by valgrind, which counts them one by one. */
function instructionsOf(argv: readonly string[]): number | undefined {
  const counters: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["perf", ["stat", "-x,", "-e", "instructions:u", ...argv], /^(\d+),.*instructions:u/m],
    ["valgrind", ["--tool=callgrind", "--callgrind-out-file=/dev/null", ...argv], /Collected : (\d+)/],
  ];
  for (const [tool, args, counted] of counters) {
    const path = findCommand(tool);
    const value = path && counted.exec(spawnSync(path, args, { encoding: "utf8" }).stderr)?.[1];
    if (value) return Number(value);
  }
  console.log(`skip: instructions of ${argv.join(" ")}: no counter for perf, no valgrind`);
  return undefined;
}
