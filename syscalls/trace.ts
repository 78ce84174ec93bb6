/**
 * The trace: one line for each system call with its arguments decoded, its result and its time.
 * It writes with the raw system call, so that it never traces itself and works in a forked child.
 */

import type { Arg } from "./arg.ts";
import { showArguments, showResult } from "./calls.ts";
import { monotonicNow, realtimeNow } from "./clock.ts";
import { errnoName } from "./constants/errno.ts";
import { host } from "./engine/host.ts";
import { SYS, type SyscallName } from "./numbers.ts";
import type { Fd } from "./types.ts";
import { encodeUtf8 } from "./utf8.ts";

let traceFd: Fd | undefined;
let label = "";
/** The start of the first call that was traced: every line says how many milliseconds after it its call began. */
let begin = 0n;
let field = "";

/** Starts writing trace lines to this descriptor; undefined stops. */
export function setTrace(fd: Fd | undefined): void {
  traceFd = fd;
}

/** The descriptor of the trace, if there is one. */
export function traceDescriptor(): Fd | undefined {
  return traceFd;
}

/** Names the process in each line ("init" in the forked child), for which nobody has asked for anything yet. */
export function setTraceLabel(name: string): void {
  label = name;
  field = "";
}

/** The field of config.json on whose behalf the next calls are made; returns the one before. asking.ts is what sets it. */
export function setTraceField(name: string): string {
  const before = field;
  field = name;
  return before;
}

/** A call that is being traced. */
interface Begun {
  readonly name: SyscallName;
  readonly args: readonly Arg[];
  /** The arguments as they are shown, which a call may change: close(2) takes a descriptor's name away. */
  readonly shown: readonly string[];
  readonly start: bigint;
  /** When it began, by the clock that is the same in every time namespace. */
  readonly at: bigint;
}

/** What is to be known of a call before it is made. */
export function beginCall(name: SyscallName, args: readonly Arg[]): Begun {
  const shown = showArguments(name, args);
  return { name, args, shown, at: realtimeNow(), start: monotonicNow() };
}

/** Writes the line of a call that is over. */
export function endCall({ name, args, shown, start, at }: Begun, result: number): void {
  const now = monotonicNow();
  const all = showArguments(name, args, result, shown);
  writeLine(name, all, result < 0 ? undefined : showResult(name, args, result), -result, at, now - start);
}

/** Writes a line for something else that takes its time, such as a method call of D-Bus: 0, or an errno. */
export function traceOther(name: string, texts: readonly string[], errno: number, start: bigint): void {
  if (traceFd === undefined) return;
  const shown = texts.map((text) => JSON.stringify(text));
  const took = monotonicNow() - start;
  writeLine(name, shown, errno === 0 ? "0" : undefined, errno, realtimeNow() - took, took);
}

function writeLine(
  name: string,
  args: readonly string[],
  result: string | undefined,
  errno: number,
  at: bigint,
  took: bigint,
): void {
  const micros = Number(took / 100n) / 10;
  if (begin === 0n) begin = at;
  const since = (Number((at - begin) / 1000n) / 1000).toFixed(3);
  const outcome = result ?? `-1 ${errnoName(errno)}`;
  const asked = field === "" ? "" : `  # ${field}`;
  const line = encodeUtf8(
    `${since} ${label}${name}(${args.join(", ")}) = ${outcome} <${micros}us>${asked}\n`,
  );
  host.syscall(SYS.write, traceFd ?? null, line, line.length);
}

/** Writes the call that comes next, without its result, and no line after it. */
export function endTrace(name: SyscallName, args: readonly Arg[]): void {
  if (traceFd === undefined) return;
  const line = encodeUtf8(
    `${label}${name}(${showArguments(name, args).join(", ")}): the trace of this process ends here\n`,
  );
  host.syscall(SYS.write, traceFd ?? null, line, line.length);
  traceFd = undefined;
}

/** True while a trace is being written. */
export function tracing(): boolean {
  return traceFd !== undefined;
}
