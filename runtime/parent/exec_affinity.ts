/** `process.execCPUAffinity` (config.md): the CPUs of a process of exec, before and after it is in its cgroups. */
import { asking } from "../../syscalls/asking.ts";
import { OpError } from "../../syscalls/error.ts";
import { getAffinity, trySetAffinity } from "../../syscalls/sched.ts";
import type { Pid } from "../../syscalls/types.ts";
import { bitMask } from "../config/number_list.ts";
import type { AffinityPlan } from "../plan/scheduling.ts";
import { resetAffinity } from "../self/scheduling.ts";

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
  asking(`process.execCPUAffinity.${name}`, () => {
    const result = trySetAffinity(pid, bitMask(cpus));
    if (result < 0) throw OpError.from(`set ${name} CPU affinity`, cpus.join(), -result);
  });
}
