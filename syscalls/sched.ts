/** Scheduling of a process: sched_setattr(2), ioprio_set(2), sched_setaffinity(2). */

import { NR_CPUS } from "./constants/sched.ts";
import { IOPRIO_CLASS_SHIFT } from "./constants/sched_attr.ts";
import { Struct } from "./struct.ts";
import { call, type ResultOrErrno, tryCall } from "./syscall.ts";
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

/** sched_setattr(2), of this process for 0; failure is an answer. */
export function trySchedSetattr(pid: Pid | 0, attr: SchedAttr): ResultOrErrno {
  const bytes = schedAttrBytes(attr);
  return tryCall("sched_setattr", [pid, bytes, 0]);
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
  call("ioprio_set", [IOPRIO_WHO_PROCESS, 0, value]);
}

const ALL_CPUS = new BigUint64Array(NR_CPUS / 64).fill(0xffffffffffffffffn);

/** sched_setaffinity(2), of this process for 0, to a bit for each CPU; failure is an answer. */
export function trySetAffinity(pid: Pid | 0, mask: BigUint64Array): ResultOrErrno {
  return tryCall("sched_setaffinity", [pid, mask.byteLength, mask]);
}

/** The same to every CPU; the kernel takes away those that the cpuset does not allow. */
export function tryAllowAllCpus(pid: Pid | 0): ResultOrErrno {
  return trySetAffinity(pid, ALL_CPUS);
}

/** sched_getaffinity(2) of this process: a bit for each CPU. */
export function getAffinity(): BigUint64Array {
  const mask = new BigUint64Array(NR_CPUS / 64);
  const bytes = call("sched_getaffinity", [0, mask.byteLength, mask]);
  return mask.slice(0, bytes / 8);
}
