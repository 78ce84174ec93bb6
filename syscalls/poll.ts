/** Waiting: for events on descriptors, and for time to pass. */

import { call, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";

/** What to wait for on a descriptor, and what came. */
export interface PollRequest {
  readonly fd: Fd;
  readonly events: number;
}

/** poll(2) by ppoll; `timeoutMs` < 0 waits for ever. Returns the events of each request, in order. */
export function poll(requests: readonly PollRequest[], timeoutMs: number): number[] {
  // struct pollfd: fd, then in one word of little-endian machines events and revents. Relays live in this function, and
  // a word costs the interpreter less than a field.
  const table = new Int32Array(2 * requests.length);
  for (let i = 0; i < requests.length; i++) {
    const { fd, events } = requests[i] as PollRequest;
    table[2 * i] = fd;
    table[2 * i + 1] = events;
  }
  let timeout: BigInt64Array | null = null;
  if (timeoutMs >= 0) {
    timeout = new BigInt64Array([
      BigInt(Math.floor(timeoutMs / 1000)),
      BigInt(Math.round((timeoutMs % 1000) * 1e6)),
    ]);
  }
  call("ppoll", [table, requests.length, timeout, null, 0]);
  const came: number[] = [];
  for (let i = 0; i < requests.length; i++) came.push((table[2 * i + 1] as number) >>> 16);
  return came;
}

/** nanosleep(2), in milliseconds. */
export function sleepMs(ms: number): void {
  const time = new BigInt64Array([BigInt(Math.floor(ms / 1000)), BigInt(Math.round((ms % 1000) * 1e6))]);
  tryCall("nanosleep", [time, null]);
}
