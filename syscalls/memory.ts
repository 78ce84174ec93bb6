/** madvise(2). */
import { type ResultOrErrno, tryCall } from "./door.ts";

export * from "./constants/mman.ts";

/** madvise(2) on an address range; failure is an answer. */
export function tryMadvise(address: number | bigint, length: number | bigint, advice: number): ResultOrErrno {
  return tryCall("madvise", [address, length, advice]);
}
