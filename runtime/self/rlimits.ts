/** Resource limits (`process.rlimits`), of this process or by the parent of its child (prlimit(2)). */
import { asking } from "../../syscalls/asking.ts";
import { OpError } from "../../syscalls/error.ts";
import { getrlimit, type Rlimit, trySetrlimit } from "../../syscalls/resource.ts";
import type { Pid } from "../../syscalls/types.ts";
import type { RlimitStep } from "../plan/rlimits.ts";
import { restoreDescriptorLimit } from "./seal.ts";

/** Raises hard limits while there is the right to; the rest waits, since a small limit would stop the engine. */
export function raiseHardLimits(steps: readonly RlimitStep[], pid: Pid | 0): void {
  for (const step of steps) {
    // A child has inherited them, and to read its own takes a right to it, in whosever user namespace it is.
    const current = getrlimit(0, step.resource);
    if (step.limit.hard > current.hard) set(step, { soft: current.soft, hard: step.limit.hard }, pid);
  }
}

/** Sets the limits exactly, after the caller's own. */
export function setLimits(steps: readonly RlimitStep[]): void {
  restoreDescriptorLimit();
  for (const step of steps) set(step, step.limit, 0);
}

function set(step: RlimitStep, limit: Rlimit, pid: Pid | 0): void {
  asking(step.from, () => {
    const result = trySetrlimit(pid, step.resource, limit);
    const { soft, hard } = step.limit;
    if (result < 0) throw OpError.from("prlimit", `${step.name} ${soft}:${hard}`, -result);
  });
}
