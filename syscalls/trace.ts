/**
 * The trace: one line for each system call with its arguments decoded, its result and its time.
 * It writes with the raw system call, so that it never traces itself and works in a forked child.
 */

import { monotonicNow } from "./clock.ts";
import { errnoName } from "./constants/errno.ts";
import type { CString } from "./cstring.ts";
import { type Buffer, host } from "./engine/host.ts";
import { SYS } from "./numbers.ts";
import { encodeUtf8 } from "./utf8.ts";

/** What a system call argument may be before it becomes a register. */
export type Arg = number | bigint | CString | Buffer | null;

let traceFd = -1;
let label = "";
/** The start of the first call that was traced: every line says how many milliseconds after it its call began. */
let begin = 0n;
let field = "";

/** Starts writing trace lines to this descriptor; -1 stops. */
export function setTrace(fd: number): void {
  traceFd = fd;
}

/** The descriptor of the trace, or -1. */
export function traceDescriptor(): number {
  return traceFd;
}

/** Names the process in each line ("init" in the forked child). */
export function setTraceLabel(name: string): void {
  label = name;
}

/** The configuration field on whose behalf the next calls are made. */
export function setTraceField(name: string): void {
  field = name;
}

/** Writes one line, if tracing is on. */
export function traceCall(name: string, args: readonly Arg[], result: number, start: bigint): void {
  if (traceFd < 0) return;
  const micros = Number((monotonicNow() - start) / 100n) / 10;
  if (begin === 0n) begin = start;
  const since = (Number((start - begin) / 1000n) / 1000).toFixed(3);
  const shown = args.map(show).join(", ");
  const outcome = result >= 0 ? String(result) : `-1 ${errnoName(-result)}`;
  const asked = field === "" ? "" : `  # ${field}`;
  const line = encodeUtf8(`${since} ${label}${name}(${shown}) = ${outcome} <${micros}us>${asked}\n`);
  host.syscall(SYS.write, traceFd, line, line.length);
}

/** Writes what comes next, as a line without a result, and no line after it. */
export function endTrace(last: string): void {
  if (traceFd < 0) return;
  const line = encodeUtf8(`${label}${last}: the trace of this process ends here\n`);
  host.syscall(SYS.write, traceFd, line, line.length);
  traceFd = -1;
}

/** True while a trace is being written. */
export function tracing(): boolean {
  return traceFd >= 0;
}

function show(arg: Arg): string {
  if (arg === null) return "NULL";
  if (typeof arg === "string") return JSON.stringify(arg);
  if (typeof arg === "number")
    return arg === -100 ? "AT_FDCWD" : arg > 4096 ? `0x${arg.toString(16)}` : String(arg);
  // The engine puts a zero in front of one that has all 64 bits.
  if (typeof arg === "bigint") return `0x${arg.toString(16).replace(/^0(?=.)/, "")}`;
  return `[${arg.byteLength} bytes]`;
}
