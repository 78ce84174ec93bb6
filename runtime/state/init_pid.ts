/** Which process the init process is: a pid alone may belong to another one by now. */

import { ESRCH } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import { readPieceAt } from "../../syscalls/io.ts";
import { CWD, close } from "../../syscalls/open.ts";
import type { Pid } from "../../syscalls/types.ts";
import { openHandle, type ProcessHandle } from "../proc/process_handle.ts";
import { PF_EXITING, type ProcessStat, readStat } from "../proc/stat.ts";

/** A process for good: pids are reused within a boot, start times are not, and boots differ. */
export interface ProcessIdentity {
  readonly pid: Pid;
  /** Clock ticks since boot (proc_pid_stat(5)). */
  readonly startTime: string;
  readonly bootId: string;
}

/** The identity of a process that is alive. */
export function identify(pid: Pid): ProcessIdentity {
  const stat = readStat(pid);
  if (stat === undefined) throw OpError.from("read", `/proc/${pid}/stat`, ESRCH);
  return { pid, startTime: stat.startTime, bootId: bootId() };
}

/**
 * True while the process lives; a zombie is dead, and so is another process with its pid. No container has pid 1,
 * which is older than any: a state that says so is damaged, and nothing must be signalled for its sake.
 */
export function isAlive(process: ProcessIdentity): boolean {
  return statAlive(process) !== undefined;
}

function statAlive({ pid, startTime, bootId: boot }: ProcessIdentity): ProcessStat | undefined {
  if (pid <= 1) return undefined;
  const stat = readStat(pid);
  if (stat === undefined || stat.state === "Z" || stat.state === "X") return undefined;
  return stat.startTime === startTime && boot === bootId() ? stat : undefined;
}

/** True from the moment at which the process begins to end: its namespaces are left then, and take no others. */
export function isEnding(process: ProcessIdentity): boolean {
  return ((statAlive(process)?.flags ?? PF_EXITING) & PF_EXITING) !== 0;
}

/** A handle that surely is this process: opened first, then compared. Undefined when it is dead. */
export function openProcess(process: ProcessIdentity): ProcessHandle | undefined {
  if (process.pid <= 1) return undefined;
  const handle = openHandle(process.pid);
  if (handle === undefined || isAlive(process)) return handle;
  close(handle.fd);
  return undefined;
}

let thisBoot: string | undefined;

/** The same for as long as this process lives. */
function bootId(): string {
  thisBoot ??= readPieceAt(CWD, "/proc/sys/kernel/random/boot_id").trim();
  return thisBoot;
}
