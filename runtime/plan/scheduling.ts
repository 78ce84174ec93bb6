/** CPU and I/O scheduling of the process (config.md "Linux Process"; sched_setattr(2), ioprio_set(2)). */

import { NR_CPUS } from "../../syscalls/constants/sched.ts";
import type { SchedAttr } from "../../syscalls/sched.ts";
import { bitsOf, ioPriorityClasses, schedulerFlags, schedulerPolicies } from "../config/names.ts";
import { parseNumberList } from "../config/number_list.ts";
import type { CPUAffinity, LinuxIOPriority, Scheduler, SchedulerPolicy } from "../config/types.ts";

/** What sched_setattr gets. */
export interface SchedulerPlan {
  readonly name: SchedulerPolicy;
  readonly attr: SchedAttr;
}

/** What ioprio_set gets. */
export interface IoPriorityPlan {
  readonly ioClass: number;
  readonly priority: number;
}

/** The CPUs of a process of exec before and after it joins the container's cgroups; undefined leaves them. */
export interface AffinityPlan {
  readonly initial: readonly number[] | undefined;
  readonly final: readonly number[] | undefined;
}

/** Plans `process.scheduler`; which property goes with which policy has been validated. */
export function planScheduler(scheduler: Scheduler | undefined): SchedulerPlan | undefined {
  if (scheduler === undefined) return undefined;
  const attr = {
    policy: schedulerPolicies[scheduler.policy],
    flags: bitsOf(schedulerFlags, scheduler.flags ?? []),
    // config.md: "If not set, the runtime must use the value 0"
    nice: scheduler.nice ?? 0,
    priority: scheduler.priority ?? 0,
    runtime: BigInt(scheduler.runtime ?? 0),
    deadline: BigInt(scheduler.deadline ?? 0),
    period: BigInt(scheduler.period ?? 0),
  };
  return { name: scheduler.policy, attr };
}

/** Plans `process.ioPriority`. */
export function planIoPriority(ioPriority: LinuxIOPriority | undefined): IoPriorityPlan | undefined {
  if (ioPriority === undefined) return undefined;
  return { ioClass: ioPriorityClasses[ioPriority.class], priority: ioPriority.priority ?? 0 };
}

/** Plans `process.execCPUAffinity`. */
export function planAffinity({ initial, final }: CPUAffinity = {}): AffinityPlan {
  const cpus = (name: string, list: string | undefined): readonly number[] | undefined => {
    const field = `process.execCPUAffinity.${name}`;
    const numbers = parseNumberList(list ?? "", { field, one: "CPU", many: "CPUs", below: NR_CPUS });
    return numbers.length === 0 ? undefined : numbers;
  };
  return { initial: cpus("initial", initial), final: cpus("final", final) };
}
