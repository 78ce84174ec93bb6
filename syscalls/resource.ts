/** Resource limits: prlimit(2). */
import { call, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Pid } from "./types.ts";

export * from "./constants/resource.ts";

/** struct rlimit64; RLIM_INFINITY is 2^64-1. */
export interface Rlimit {
  readonly soft: bigint;
  readonly hard: bigint;
}

/** prlimit(2): reads the limit of a process (0: this one). */
export function getrlimit(pid: Pid | 0, resource: number): Rlimit {
  const old = new BigUint64Array(2);
  call("prlimit64", [pid, resource, null, old]);
  return { soft: old[0] ?? 0n, hard: old[1] ?? 0n };
}

/** prlimit(2): sets the limit of a process (0: this one); failure is an answer. */
export function trySetrlimit(pid: Pid | 0, resource: number, limit: Rlimit): ResultOrErrno {
  return tryCall("prlimit64", [pid, resource, new BigUint64Array([limit.soft, limit.hard]), null]);
}
