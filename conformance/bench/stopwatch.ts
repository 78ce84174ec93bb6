/** Schedules of programs that are started and timed by a small C program, stopwatch.c, which says why. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type Step =
  /** Its time counts; `terminal` gives it one as its standard streams. */
  | { readonly run: readonly string[]; readonly terminal?: boolean }
  /** Its time does not. */
  | { readonly quiet: readonly string[] }
  /** Until the process with the id in this file is gone, as a shim waits between `kill` and `delete`. */
  | { readonly wait: string }
  /** So many at a time; what counts is the time from the first start to the last end. */
  | { readonly pool: number; readonly of: readonly (readonly string[])[] };

/** Of all steps of one sample whose time counts. */
export type Measure = {
  /** CLOCK_MONOTONIC at the first, in nanoseconds. */
  readonly start: number;
  readonly milliseconds: number;
  /** The largest resident set among the processes. */
  readonly kibibytes: number;
  readonly faults: number;
  readonly user: number;
  readonly system: number;
};

const source = join(import.meta.dirname, "stopwatch.c");
const program = join(import.meta.dirname, "../../dist/bench/stopwatch");

/** Compiles it, statically, so that it also runs in a machine without a compiler or this C library. */
function built(): string {
  if (existsSync(program) && statSync(program).mtimeMs >= statSync(source).mtimeMs) return program;
  mkdirSync(join(program, ".."), { recursive: true });
  execFileSync("cc", ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-static", "-o", program, source]);
  return program;
}

export class Stopwatch {
  readonly #dir: string;
  readonly #enter: (argv: readonly string[]) => readonly string[];
  readonly #program = built();

  /** Its files are in `dir`; `enter` makes a command line of another that runs on an engine's machine. */
  constructor(dir: string, enter: (argv: readonly string[]) => readonly string[] = (argv) => argv) {
    this.#dir = dir;
    this.#enter = enter;
  }

  /** Performs one sample after the other. Throws with what was said on standard error when a program fails. */
  perform(samples: readonly (readonly Step[])[]): Measure[] {
    const [schedule, results, errors] = ["schedule", "results", "errors"].map((name) =>
      join(this.#dir, name),
    ) as [string, string, string];
    const lines = samples.flat().flatMap(lineOf);
    writeFileSync(schedule, `${lines.join("\n")}\n`);
    rmSync(errors, { force: true });
    const [file = "", ...args] = this.#enter([this.#program, schedule, results, errors]);
    const { status, signal, stderr } = spawnSync(file, args, { encoding: "utf8" });
    if (status !== 0) {
      const said = existsSync(errors) ? readFileSync(errors, "utf8").trim().slice(-500) : "";
      throw new Error([stderr.trim(), said, signal ?? ""].filter((text) => text !== "").join(": "));
    }
    const measured = readFileSync(results, "utf8").trim().split("\n").map(parse);
    return samples.map((steps) => total(measured.splice(0, steps.filter(isTimed).length)));
  }
}

const isTimed = (step: Step): boolean => "run" in step || "pool" in step;

function lineOf(step: Step): string[] {
  if ("pool" in step)
    return [line("pool", `${step.pool}`), ...step.of.map((argv) => line("run", ...argv)), "end"];
  if ("run" in step) return [line(step.terminal ? "tty" : "run", ...step.run)];
  return ["quiet" in step ? line("quiet", ...step.quiet) : line("wait", step.wait)];
}

function line(...words: string[]): string {
  if (words.some((word) => word === "" || /[\t\n]/.test(word)))
    throw new Error(`no word of a schedule: ${JSON.stringify(words)}`);
  return words.join("\t");
}

function parse(text: string): Measure {
  const [start = 0, duration = 0, kibibytes = 0, minor = 0, major = 0, user = 0, system = 0] = text
    .split(" ")
    .map(Number);
  return {
    start,
    milliseconds: duration / 1e6,
    kibibytes,
    faults: minor + major,
    user: user / 1000,
    system: system / 1000,
  };
}

function total(parts: readonly Measure[]): Measure {
  const sum = (of: (each: Measure) => number): number => parts.reduce((all, each) => all + of(each), 0);
  return {
    start: parts[0]?.start ?? 0,
    milliseconds: sum((each) => each.milliseconds),
    kibibytes: Math.max(0, ...parts.map((each) => each.kibibytes)),
    faults: sum((each) => each.faults),
    user: sum((each) => each.user),
    system: sum((each) => each.system),
  };
}
