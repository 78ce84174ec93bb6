/**
 * syscall(2). Every system call of this program goes through `call` or `tryCall`, which restart it after EINTR, trace
 * it, and let tests fail it on purpose.
 */

import type { Arg } from "./arg.ts";
import { objectOf, operationOf } from "./calls.ts";
import { EINTR } from "./constants/errno.ts";
import { SIGKILL } from "./constants/signal.ts";
import { host } from "./engine/host.ts";
import { OpError } from "./error.ts";
import { faultFor } from "./faults.ts";
import { SYS, type SyscallName } from "./numbers.ts";
import { beginCall, endCall, tracing } from "./trace.ts";
import type { Failure, Fd } from "./types.ts";

export type { Arg } from "./arg.ts";

/** The result of a call whose failure is an answer: a value >= 0, or minus errno. */
export type ResultOrErrno = number;

/** Makes the call; a failure is an OpError, which names `object` in the place of what the arguments say (calls.ts). */
export function call(name: SyscallName, args: readonly Arg[], object?: string, op?: string): number {
  const result = tryCall(name, args);
  if (result < 0) throw failure(name, args, -result, object, op);
  return result;
}

/** `call` of one that gives a descriptor. */
export function callForFd(name: SyscallName, args: readonly Arg[], object?: string, op?: string): Fd {
  return call(name, args, object, op) as Fd;
}

/** `tryCall` of one that gives a descriptor. */
export function tryCallForFd(name: SyscallName, args: readonly Arg[]): Fd | Failure {
  return tryCall(name, args) as Fd | Failure;
}

/** What a failed call throws, in the words of calls.ts where no others are given. */
export function failure(
  name: SyscallName,
  args: readonly Arg[],
  errno: number,
  object = objectOf(name, args),
  op = operationOf(name, args),
): OpError {
  return OpError.from(op, object, errno);
}

/**
 * Makes the call and returns its result, or minus errno. EINTR restarts it, but never close(2): the descriptor is gone,
 * and its number may be another's by then.
 */
export function tryCall(name: SyscallName, args: readonly Arg[]): ResultOrErrno {
  const number = SYS[name];
  const begun = tracing() ? beginCall(name, args) : undefined;
  for (;;) {
    // The buffers stay referenced by `args` until the call is over.
    const result =
      (globalThis.FAULT_INJECTION ? fault(name) : 0) ||
      host.syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
    if (result === -EINTR && name !== "close") continue;
    if (begun !== undefined) endCall(begun, result);
    return result;
  }
}

/** Minus the errno with which the call is to fail, 0 to make it; or the end of this process. */
function fault(name: SyscallName): number {
  const fault = faultFor(name);
  if (fault === "KILL") host.syscall(SYS.kill, host.syscall(SYS.getpid), SIGKILL);
  return fault === "KILL" ? 0 : -fault;
}
