/** The logs of an instrumented runt (marks.c), as trees of calls. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import "../bun_host.ts";
import { SYS } from "../../syscalls/numbers.ts";
import { MARKS_OF_FUNCTION } from "./instrument.ts";
import { quantile } from "./statistics.ts";

export type Call = {
  /** A function with its module, or a system call. */
  readonly name: string;
  readonly system: boolean;
  /** Nanoseconds of CLOCK_MONOTONIC. */
  readonly begin: number;
  end: number;
  readonly calls: Call[];
  /** What it took itself, without what it called and without the marks. */
  self: number;
};

export type Process = {
  /** Of a fork; else it is a start of the program. */
  readonly forked: boolean;
  /** From the first mark to the last. */
  readonly whole: Call;
};

// marks.c
const CALLS = 1 << 20;
const OVER = 1 << 21;
const FORKED = 1 << 22;
const EVENT = 16;
const SLOT = EVENT << 17;
const SLOTS = 6;

const systemCalls = new Map(Object.entries(SYS).map(([name, number]) => [number as number, name]));

/** In the order of their beginnings; the directory is empty afterwards. */
export function takeLogs(dir: string, names: readonly string[]): Process[] {
  const files = readdirSync(dir).sort();
  const processes = files.flatMap((file) => {
    const bytes = readFileSync(join(dir, file));
    const slots = Array.from({ length: SLOTS }, (_, slot) => bytes.subarray(slot * SLOT, (slot + 1) * SLOT));
    return slots
      .map(eventsOf)
      .filter(({ length }) => length > 0)
      .map((events) => parse(events, names));
  });
  for (const file of files) rmSync(join(dir, file));
  return processes;
}

type Event = { readonly time: number; readonly mark: number };

function eventsOf(bytes: Buffer): Event[] {
  const events: Event[] = [];
  for (let at = 0; at + EVENT <= bytes.length && bytes.readBigInt64LE(at) !== 0n; at += EVENT)
    events.push({ time: Number(bytes.readBigInt64LE(at)), mark: bytes.readUInt32LE(at + 8) });
  return events;
}

function parse(events: readonly Event[], names: readonly string[]): Process {
  const [first] = events;
  const begin = first?.time ?? 0;
  const whole: Call = { name: "", system: false, begin, end: events.at(-1)?.time ?? 0, calls: [], self: 0 };
  const stack = [whole];
  const price = priceOf(events);
  let before = begin;
  for (const { time, mark } of events) {
    const top = stack.at(-1) ?? whole;
    // Each interval belongs to who is on top; before each mark of a function lies what making it takes.
    const ours = mark < CALLS ? price : 0;
    top.self += Math.max(0, time - before - ours);
    before = time;
    if (mark === 0 || mark === FORKED) continue;
    const [name, opens] = meaning(mark, names);
    if (opens) {
      const call: Call = { name, system: mark >= CALLS, begin: time, end: whole.end, calls: [], self: 0 };
      top.calls.push(call);
      stack.push(call);
      continue;
    }
    // The child of a fork leaves functions that its parent entered: they end here, and began with the process.
    if (top.name === name && stack.length > 1) {
      top.end = time;
      stack.pop();
    }
  }
  return { forked: first?.mark === FORKED, whole };
}

function meaning(mark: number, names: readonly string[]): readonly [name: string, opens: boolean] {
  if (mark >= OVER) return [systemCalls.get(mark - OVER) ?? `syscall ${mark - OVER}`, false];
  if (mark >= CALLS) return [systemCalls.get(mark - CALLS) ?? `syscall ${mark - CALLS}`, true];
  return [names[Math.floor(mark / MARKS_OF_FUNCTION)] ?? "?", mark % MARKS_OF_FUNCTION === 0];
}

/** Between two marks that follow each other at once, in a start; kept for the processes that it forks. */
let lastPrice = 0;

function priceOf(events: readonly Event[]): number {
  const calibration = events.filter(({ mark }) => mark === 0);
  const between = calibration.slice(2).map(({ time }, index) => time - (calibration[index + 1]?.time ?? 0));
  if (between.length > 0) lastPrice = quantile(between, 0.25);
  return lastPrice;
}
