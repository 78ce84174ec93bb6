/** CPU and I/O scheduling of the process (config.md "Linux Process"; sched_setattr(2), ioprio_set(2)). */

import { NR_CPUS } from "../../syscalls/constants/sched.ts";
import * as S from "../../syscalls/constants/sched_attr.ts";
import type { SchedAttr } from "../../syscalls/sched.ts";
import { parseNumberList } from "../config/number_list.ts";
import type {
  CPUAffinity,
  IOPriorityClass,
  LinuxIOPriority,
  Scheduler,
  SchedulerFlag,
  SchedulerPolicy,
} from "../config/types.ts";

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

const policies: Readonly<Record<SchedulerPolicy, number>> = {
  SCHED_OTHER: S.SCHED_NORMAL,
  SCHED_FIFO: S.SCHED_FIFO,
  SCHED_RR: S.SCHED_RR,
  SCHED_BATCH: S.SCHED_BATCH,
  SCHED_ISO: S.SCHED_ISO,
  SCHED_IDLE: S.SCHED_IDLE,
  SCHED_DEADLINE: S.SCHED_DEADLINE,
};

const flags: Readonly<Record<SchedulerFlag, number>> = {
  SCHED_FLAG_RESET_ON_FORK: S.SCHED_FLAG_RESET_ON_FORK,
  SCHED_FLAG_RECLAIM: S.SCHED_FLAG_RECLAIM,
  SCHED_FLAG_DL_OVERRUN: S.SCHED_FLAG_DL_OVERRUN,
  SCHED_FLAG_KEEP_POLICY: S.SCHED_FLAG_KEEP_POLICY,
  SCHED_FLAG_KEEP_PARAMS: S.SCHED_FLAG_KEEP_PARAMS,
  SCHED_FLAG_UTIL_CLAMP_MIN: S.SCHED_FLAG_UTIL_CLAMP_MIN,
  SCHED_FLAG_UTIL_CLAMP_MAX: S.SCHED_FLAG_UTIL_CLAMP_MAX,
};

const ioClasses: Readonly<Record<IOPriorityClass, number>> = {
  IOPRIO_CLASS_RT: S.IOPRIO_CLASS_RT,
  IOPRIO_CLASS_BE: S.IOPRIO_CLASS_BE,
  IOPRIO_CLASS_IDLE: S.IOPRIO_CLASS_IDLE,
};

/** Plans `process.scheduler`; which property goes with which policy has been validated. */
export function planScheduler(scheduler: Scheduler | undefined): SchedulerPlan | undefined {
  if (scheduler === undefined) return undefined;
  const attr = {
    policy: policies[scheduler.policy],
    flags: (scheduler.flags ?? []).reduce((all, flag) => all | flags[flag], 0),
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
  return { ioClass: ioClasses[ioPriority.class], priority: ioPriority.priority ?? 0 };
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
