/** What time it is. */
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from "./constants/time.ts";
import { host } from "./engine/host.ts";
import { SYS } from "./numbers.ts";

const NANOSECONDS = 1_000_000_000n;

/** clock_gettime(2), in nanoseconds; not through `tryCall`, whose trace measures with it. */
function now(clock: number): bigint {
  const time = new BigInt64Array(2);
  host.syscall(SYS.clock_gettime, clock, time);
  return (time[0] ?? 0n) * NANOSECONDS + (time[1] ?? 0n);
}

/** Nanoseconds of CLOCK_MONOTONIC. */
export function monotonicNow(): bigint {
  return now(CLOCK_MONOTONIC);
}

/** Nanoseconds since 1970, of CLOCK_REALTIME. */
export function realtimeNow(): bigint {
  return now(CLOCK_REALTIME);
}

/** A time since 1970 as RFC 3339 has it, in UTC, with nine digits behind the second. */
export function rfc3339(nanoseconds: bigint): string {
  const milliseconds = Number(nanoseconds / 1_000_000n);
  const seconds = new Date(milliseconds).toISOString().slice(0, 19);
  return `${seconds}.${String(nanoseconds % NANOSECONDS).padStart(9, "0")}Z`;
}
