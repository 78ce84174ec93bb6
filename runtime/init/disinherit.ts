/**
 * Undoing what the engine and the caller did to this process, so that the user's program starts from what the
 * configuration says: signal dispositions and mask, descriptors, parent-death signal, resource limits.
 */
import { OpError } from "../../syscalls/error.ts";
import { closeRange } from "../../syscalls/file.ts";
import { PR_SET_PDEATHSIG, prctl } from "../../syscalls/prctl.ts";
import { getrlimit, type Rlimit, trySetrlimit } from "../../syscalls/resource.ts";
import { defaultAllSignals, setSignalMask } from "../../syscalls/signal.ts";

import type { Fd, Pid } from "../../syscalls/types.ts";
import type { RlimitStep } from "../plan/rlimits.ts";
import { restoreDescriptorLimit } from "../process/seal.ts";

const CLOSE_RANGE_CLOEXEC = 4;
const LAST_DESCRIPTOR = 0xffffffff;

/** Every signal to its default, none blocked, and the caller's limit of open files: these outlive the execve. */
export function disinherit(): void {
  defaultAllSignals();
  setSignalMask(0n);
  restoreDescriptorLimit();
}

/** Marks every descriptor from `first` on to be closed by execve; those before are the caller's gift. */
export function closeAllFrom(first: number): void {
  closeRange(first, LAST_DESCRIPTOR, CLOSE_RANGE_CLOEXEC);
}

/** Closes every descriptor above the standard streams but these. */
export function closeAllBut(keep: readonly Fd[]): void {
  let next = 3;
  for (const fd of [...new Set(keep)].sort((a, b) => a - b)) {
    if (fd > next) closeRange(next, fd - 1, 0);
    if (fd >= next) next = fd + 1;
  }
  closeRange(next, LAST_DESCRIPTOR, 0);
}

/** The runtime's death must not be the container's from here on. */
export function clearParentDeathSignal(): void {
  prctl(PR_SET_PDEATHSIG, 0, "PR_SET_PDEATHSIG");
}

/** Raises hard limits while there is the right to; the rest waits, since a small limit would stop the engine. */
export function raiseHardLimits(steps: readonly RlimitStep[], pid: Pid | 0): void {
  for (const step of steps) {
    const current = getrlimit(pid, step.resource);
    if (step.limit.hard > current.hard) set(step, { soft: current.soft, hard: step.limit.hard }, pid);
  }
}

/** Sets the limits exactly, after the caller's own. */
export function setLimits(steps: readonly RlimitStep[]): void {
  restoreDescriptorLimit();
  for (const step of steps) set(step, step.limit, 0);
}

function set(step: RlimitStep, limit: Rlimit, pid: Pid | 0): void {
  const result = trySetrlimit(pid, step.resource, limit);
  const { soft, hard } = step.limit;
  if (result < 0) throw OpError.from("prlimit", `${step.name} ${soft}:${hard}`, -result).askedBy(step.from);
}
