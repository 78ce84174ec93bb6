/** /proc/<pid>/stat (proc_pid_stat(5)). */
import { isErrno } from "../../syscalls/error.ts";
import { readPieceAt } from "../../syscalls/io.ts";
import { CWD } from "../../syscalls/open.ts";
import type { Pid } from "../../syscalls/types.ts";

/** PF_EXITING of the flags (linux/sched.h): on its way out, though not dead to those who wait for it. */
export const PF_EXITING = 4;

/** As much of it as is of use. */
export interface ProcessStat {
  /** "Z" is a zombie, "X" dead. */
  readonly state: string;
  /** PF_*. */
  readonly flags: number;
  /** Clock ticks since boot. */
  readonly startTime: string;
}

/** Of a process; undefined when there is none. */
export function readStat(pid: Pid): ProcessStat | undefined {
  try {
    return parseStat(readPieceAt(CWD, `/proc/${pid}/stat`));
  } catch (error) {
    if (isErrno(error, "ENOENT", "ESRCH")) return undefined;
    throw error;
  }
}

/** Out of the text of such a file. */
export function parseStat(text: string): ProcessStat {
  // The second field is the command in parentheses, which may hold anything, ")" included.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "X", flags: Number(fields[6] ?? 0), startTime: fields[19] ?? "" };
}
