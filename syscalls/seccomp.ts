/** seccomp(2): loading a filter program. */
import { SECCOMP_SET_MODE_FILTER } from "./constants/seccomp.ts";
import { lookDescriptorsUpIn } from "./descriptor_name.ts";
import { tryCall } from "./door.ts";
import { host } from "./engine/host.ts";
import { Struct } from "./struct.ts";

export * from "./constants/seccomp.ts";

/**
 * seccomp(2) SECCOMP_SET_MODE_FILTER of a program, an array of struct sock_filter. Returns the listener's descriptor
 * with SECCOMP_FILTER_FLAG_NEW_LISTENER, else 0, or minus errno: what follows may be forbidden to this process, so
 * the failure is an answer and nothing else is called here.
 */
export function trySetModeFilter(program: Uint8Array, flags: number): number {
  // What follows may be forbidden, and an error is not to ask for more than was to be done.
  lookDescriptorsUpIn(undefined);
  const fprog = new Struct(16).u16(0, program.length / 8).u64(8, host.addressOf(program)); // struct sock_fprog
  return tryCall("seccomp", [SECCOMP_SET_MODE_FILTER, flags, fprog.bytes]);
}
