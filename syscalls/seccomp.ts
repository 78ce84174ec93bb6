/** seccomp(2): loading a filter program. */

import { pointedTo } from "./arg.ts";
import { SECCOMP_SET_MODE_FILTER } from "./constants/seccomp.ts";
import { lookDescriptorsUpIn } from "./descriptor_name.ts";
import { host } from "./engine/host.ts";
import { Struct } from "./struct.ts";
import { type Arg, type ResultOrErrno, tryCall, tryCallForFd } from "./syscall.ts";
import { endTrace } from "./trace.ts";
import type { Failure, Fd } from "./types.ts";

export * from "./constants/seccomp.ts";

/**
 * seccomp(2) SECCOMP_SET_MODE_FILTER of a program, an array of struct sock_filter. What follows may be forbidden to this
 * process, so a failure is an answer and nothing else is called here.
 */
export function trySetModeFilter(program: Uint8Array, flags: number): ResultOrErrno {
  return tryCall("seccomp", argumentsFor(program, flags));
}

/** The same with SECCOMP_FILTER_FLAG_NEW_LISTENER among the flags: the listener. */
export function trySetModeFilterForListener(program: Uint8Array, flags: number): Fd | Failure {
  return tryCallForFd("seccomp", argumentsFor(program, flags));
}

function argumentsFor(program: Uint8Array, flags: number): readonly Arg[] {
  const fprog = new Struct(16).u16(0, program.length / 8).u64(8, host.addressOf(program)); // struct sock_fprog
  pointedTo.set(fprog.bytes, [program]);
  const args = [SECCOMP_SET_MODE_FILTER, flags, fprog.bytes];
  // A trace reads the clock and writes, and an error looks a descriptor up, which the filter may answer by killing.
  endTrace("seccomp", args);
  lookDescriptorsUpIn(undefined);
  return args;
}
