/**
 * The one door to the kernel. Every system call of this program goes through `call` or `tryCall`, which
 * restart it after EINTR, trace it, and let tests fail it on purpose.
 */

import { monotonicNow } from "./clock.ts";
import { EINTR } from "./constants/errno.ts";
import { SIGKILL } from "./constants/signal.ts";
import { host } from "./engine/host.ts";
import { OpError } from "./error.ts";
import { faultFor } from "./faults.ts";
import { SYS, type SyscallName } from "./numbers.ts";
import { type Arg, traceCall, tracing } from "./trace.ts";

export type { Arg } from "./trace.ts";

/** The result of a call whose failure is an answer: a value >= 0, or minus errno. */
export type ResultOrErrno = number;

/** Makes the call; a failure is an OpError naming `object`. */
export function call(name: SyscallName, args: readonly Arg[], object: string, op: string = name): number {
  const result = tryCall(name, args);
  if (result < 0) throw OpError.from(op, object, -result);
  return result;
}

/** Makes the call and returns its result, or minus errno. EINTR restarts it. */
export function tryCall(name: SyscallName, args: readonly Arg[]): ResultOrErrno {
  if (globalThis.FAULT_INJECTION) {
    const fault = faultFor(name);
    if (fault === "KILL") host.syscall(SYS.kill, host.syscall(SYS.getpid), SIGKILL);
    else if (fault !== 0) return -fault;
  }
  const number = SYS[name];
  const start = tracing() ? monotonicNow() : 0n;
  for (;;) {
    // The buffers stay referenced by `args` until the call is over.
    const result = host.syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
    if (result === -EINTR) continue;
    if (tracing()) traceCall(name, args, result, start);
    return result;
  }
}
