/** Scheduling of a process: sched_setattr(2), ioprio_set(2), sched_setaffinity(2). */
import { IOPRIO_CLASS_SHIFT } from "./constants/sched_attr.ts";
import { call, type ResultOrErrno, tryCall } from "./door.ts";
import { Struct } from "./struct.ts";
import type { Pid } from "./types.ts";

/** The parts of struct sched_attr that a configuration can ask for; times are nanoseconds. */
export interface SchedAttr {
  readonly policy: number;
  readonly flags: number;
  readonly nice: number;
  readonly priority: number;
  readonly runtime: bigint;
  readonly deadline: bigint;
  readonly period: bigint;
}

/** SCHED_ATTR_SIZE_VER0: without the utilisation clamps, which no field of a configuration has values for. */
const SCHED_ATTR_SIZE = 48;

/** sched_setattr(2) of this process; failure is an answer. */
export function trySchedSetattr(attr: SchedAttr): ResultOrErrno {
  const bytes = schedAttrBytes(attr);
  return tryCall("sched_setattr", [0, bytes, 0]);
}

/** struct sched_attr (linux/sched/types.h). */
export function schedAttrBytes(attr: SchedAttr): Uint8Array {
  return new Struct(SCHED_ATTR_SIZE)
    .u32(0, SCHED_ATTR_SIZE)
    .u32(4, attr.policy)
    .u64(8, attr.flags)
    .i32(16, attr.nice)
    .u32(20, attr.priority)
    .u64(24, attr.runtime)
    .u64(32, attr.deadline)
    .u64(40, attr.period).bytes;
}

const IOPRIO_WHO_PROCESS = 1;

/** ioprio_set(2) of this process. */
export function ioprioSet(ioClass: number, priority: number): void {
  const value = (ioClass << IOPRIO_CLASS_SHIFT) | priority;
  call("ioprio_set", [IOPRIO_WHO_PROCESS, 0, value], `class ${ioClass}, priority ${priority}`);
}

/** More CPUs than any kernel can have (CONFIG_NR_CPUS is at most 8192). */
const ALL_CPUS = new Uint8Array(8192 / 8).fill(0xff);

/** sched_setaffinity(2) to every CPU; the kernel takes away those that the cpuset does not allow. */
export function tryAllowAllCpus(pid: Pid | 0): ResultOrErrno {
  return tryCall("sched_setaffinity", [pid, ALL_CPUS.length, ALL_CPUS]);
}
