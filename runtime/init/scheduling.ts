/** What execve keeps and the user's program is to have: I/O priority, personality, memory policy. */
import { asking } from "../../syscalls/asking.ts";
import { setMempolicy } from "../../syscalls/memory.ts";
import { setPersonality } from "../../syscalls/prctl.ts";
import { ioprioSet } from "../../syscalls/sched.ts";
import { bitMask } from "../config/number_list.ts";
import type { MemoryPolicyPlan } from "../plan/memory_policy.ts";
import type { IoPriorityPlan } from "../plan/scheduling.ts";

/** `process.ioPriority`. */
export function setIoPriority(plan: IoPriorityPlan | undefined): void {
  if (plan === undefined) return;
  asking("process.ioPriority", () => ioprioSet(plan.ioClass, plan.priority));
}

/** `linux.personality`. */
export function applyPersonality(domain: number | undefined): void {
  if (domain === undefined) return;
  asking("linux.personality", () => setPersonality(domain));
}

/** `linux.memoryPolicy`. */
export function setMemoryPolicy(plan: MemoryPolicyPlan | undefined): void {
  if (plan === undefined) return;
  asking("linux.memoryPolicy", () => setMempolicy(plan.mode, bitMask(plan.nodes), plan.text));
}
