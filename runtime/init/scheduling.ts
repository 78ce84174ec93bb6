/** What execve keeps and the user's program is to have: scheduling, I/O priority, personality, memory policy. */
import { EPERM, errnoName } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import { setMempolicy } from "../../syscalls/memory.ts";
import { setPersonality } from "../../syscalls/prctl.ts";
import {
  getAffinity,
  ioprioSet,
  tryAllowAllCpus,
  trySchedSetattr,
  trySetAffinity,
} from "../../syscalls/sched.ts";
import type { Pid, SpecField } from "../../syscalls/types.ts";
import { bitMask } from "../config/number_list.ts";
import type { SchedulerPolicy } from "../config/types.ts";
import type { MemoryPolicyPlan } from "../plan/memory_policy.ts";
import type { AffinityPlan, IoPriorityPlan, SchedulerPlan } from "../plan/scheduling.ts";

/** Why the kernel says EPERM even to root (sched(7)): a right has been given away to the cgroup. */
const hints: Partial<Record<SchedulerPolicy, string>> = {
  SCHED_FIFO: "a cgroup v1 needs a share of linux.resources.cpu.realtimeRuntime",
  SCHED_RR: "a cgroup v1 needs a share of linux.resources.cpu.realtimeRuntime",
  SCHED_DEADLINE: "it can't be used together with a cpuset",
};

/** `process.scheduler`; all but modesty needs CAP_SYS_NICE, so it comes before the capabilities go. */
export function setScheduler(plan: SchedulerPlan | undefined, pid: Pid | 0 = 0): void {
  if (plan === undefined) return;
  const result = trySchedSetattr(pid, plan.attr);
  if (result >= 0) return;
  const hint = result === -EPERM ? hints[plan.name] : undefined;
  throw OpError.from("set scheduler", plan.name, -result, hint).askedBy("process.scheduler" as SpecField);
}

/** All CPUs that the cgroup allows: the affinity of who called the runtime is not the container's. As runc. */
export function resetAffinity(note: (text: string) => void, pid: Pid | 0 = 0): void {
  const result = tryAllowAllCpus(pid);
  if (result < 0) note(`cannot reset the CPU affinity: ${errnoName(-result)}`);
}

/** `process.execCPUAffinity.initial`: what is forked by `act` has it, and this process has its own again after that. */
export function withInitialAffinity<T>({ initial }: AffinityPlan, act: () => T): T {
  if (initial === undefined) return act();
  const own = getAffinity();
  setAffinity("initial", initial, 0);
  try {
    return act();
  } finally {
    trySetAffinity(0, own);
  }
}

/** `process.execCPUAffinity.final`, of a process in its cgroups; one without any affinity gets all CPUs of its cpuset. */
export function setFinalAffinity(plan: AffinityPlan, pid: Pid, note: (text: string) => void): void {
  if (plan.final !== undefined) setAffinity("final", plan.final, pid);
  else if (plan.initial === undefined) resetAffinity(note, pid);
}

function setAffinity(name: "initial" | "final", cpus: readonly number[], pid: Pid | 0): void {
  const result = trySetAffinity(pid, bitMask(cpus));
  if (result < 0) {
    const field = `process.execCPUAffinity.${name}` as SpecField;
    throw OpError.from(`set ${name} CPU affinity`, cpus.join(), -result).askedBy(field);
  }
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
  asked("linux.memoryPolicy", () => setMempolicy(plan.mode, bitMask(plan.nodes), plan.text));
}

function asked(field: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    throw error instanceof OpError ? error.askedBy(field as SpecField) : error;
  }
}
