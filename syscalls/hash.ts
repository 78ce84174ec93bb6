/** A fast hash of bytes, to find things again and to notice damage. It protects from nobody. */
import { host } from "./engine/host.ts";

/** 64 bits that say little about equality and much about difference: compare what has the same hash. */
export function hashBytes(bytes: Uint8Array): bigint {
  return host.hash(bytes);
}
