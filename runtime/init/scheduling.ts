/** What execve keeps and the user's program is to have: scheduling, I/O priority, personality, memory policy. */
import { EPERM, errnoName } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import { setMempolicy } from "../../syscalls/memory.ts";
import { setPersonality } from "../../syscalls/prctl.ts";
import { ioprioSet, tryAllowAllCpus, trySchedSetattr } from "../../syscalls/sched.ts";
import type { SpecField } from "../../syscalls/types.ts";
import { type MemoryPolicyPlan, nodeMask } from "../plan/memory_policy.ts";
import type { IoPriorityPlan, SchedulerPlan } from "../plan/scheduling.ts";
import type { SchedulerPolicy } from "../spec/types.ts";

/** Why the kernel says EPERM even to root (sched(7)): a right has been given away to the cgroup. */
const hints: Partial<Record<SchedulerPolicy, string>> = {
  SCHED_FIFO: "a cgroup v1 needs a share of linux.resources.cpu.realtimeRuntime",
  SCHED_RR: "a cgroup v1 needs a share of linux.resources.cpu.realtimeRuntime",
  SCHED_DEADLINE: "it can't be used together with a cpuset",
};

/** `process.scheduler`; all but modesty needs CAP_SYS_NICE, so it comes before the capabilities go. */
export function setScheduler(plan: SchedulerPlan | undefined): void {
  if (plan === undefined) return;
  const result = trySchedSetattr(plan.attr);
  if (result >= 0) return;
  const hint = result === -EPERM ? hints[plan.name] : undefined;
  throw OpError.from("set scheduler", plan.name, -result, hint).askedBy("process.scheduler" as SpecField);
}

/** All CPUs that the cgroup allows: the affinity of who called the runtime is not the container's. As runc. */
export function resetAffinity(note: (text: string) => void): void {
  const result = tryAllowAllCpus(0);
  if (result < 0) note(`cannot reset the CPU affinity: ${errnoName(-result)}`);
}

/** `process.ioPriority`. */
export function setIoPriority(plan: IoPriorityPlan | undefined): void {
  if (plan === undefined) return;
  asked("process.ioPriority", () => ioprioSet(plan.ioClass, plan.priority));
}

/** `linux.personality`. */
export function setDomain(domain: number | undefined): void {
  if (domain === undefined) return;
  asked("linux.personality", () => setPersonality(domain));
}

/** `linux.memoryPolicy`. */
export function setMemoryPolicy(plan: MemoryPolicyPlan | undefined): void {
  if (plan === undefined) return;
  asked("linux.memoryPolicy", () => setMempolicy(plan.mode, nodeMask(plan.nodes), plan.text));
}

function asked(field: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw error instanceof OpError ? error.askedBy(field as SpecField) : error;
  }
}
