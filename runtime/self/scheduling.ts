/** The scheduling policy and the CPUs of a process: its own, or by the parent those of its child. */
import { asking } from "../../syscalls/asking.ts";
import { EPERM, errnoName } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import { tryAllowAllCpus, trySchedSetattr } from "../../syscalls/sched.ts";
import type { Pid } from "../../syscalls/types.ts";
import type { SchedulerPolicy } from "../config/types.ts";
import type { SchedulerPlan } from "../plan/scheduling.ts";

/** Why the kernel says EPERM even to root (sched(7)): a right has been given away to the cgroup. */
const hints: Partial<Record<SchedulerPolicy, string>> = {
  SCHED_FIFO: "a cgroup v1 needs a share of linux.resources.cpu.realtimeRuntime",
  SCHED_RR: "a cgroup v1 needs a share of linux.resources.cpu.realtimeRuntime",
  SCHED_DEADLINE: "it can't be used together with a cpuset",
};

/** `process.scheduler`; all but modesty needs CAP_SYS_NICE, so it comes before the capabilities go. */
export function setScheduler(plan: SchedulerPlan | undefined, pid: Pid | 0 = 0): void {
  if (plan === undefined) return;
  asking("process.scheduler", () => {
    const result = trySchedSetattr(pid, plan.attr);
    if (result >= 0) return;
    const hint = result === -EPERM ? hints[plan.name] : undefined;
    throw OpError.from("set scheduler", plan.name, -result, hint);
  });
}

/**
 * All CPUs that the cgroup allows: the affinity of who called the runtime is not the container's. As runc
 * (process_linux.go, tryResetCPUAffinity).
 */
export function resetAffinity(note: (text: string) => void, pid: Pid | 0 = 0): void {
  const result = tryAllowAllCpus(pid);
  if (result < 0) note(`cannot reset the CPU affinity: ${errnoName(-result)}`);
}
