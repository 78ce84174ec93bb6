/**
 * The one door to the kernel. Every system call of this program goes through `call` or `tryCall`, which
 * restart it after EINTR, read errno in the very next statement, trace it, and let tests fail it on purpose.
 */
import { EINTR } from "./constants/errno.ts";
import { CString } from "./cstring.ts";
import { OpError } from "./error.ts";
import { armFaults, faultFor } from "./faults.ts";
import { addressOf, lastErrno, rawSyscall, type Word } from "./libc.ts";
import { SYS, type SyscallName } from "./numbers.ts";
import { type Arg, monotonicNow, traceCall, tracing } from "./trace.ts";

export type { Arg } from "./trace.ts";

if (globalThis.FAULT_INJECTION && process.env.RUNT_FAULT !== undefined) armFaults(process.env.RUNT_FAULT);

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
    if (fault === "KILL") rawSyscall(SYS.kill, process.pid, 9, 0, 0, 0, 0);
    else if (fault !== 0) return -fault;
  }
  const number = SYS[name];
  // The buffers stay referenced by `args` until the call is over.
  const a = word(args[0]);
  const b = word(args[1]);
  const c = word(args[2]);
  const d = word(args[3]);
  const e = word(args[4]);
  const f = word(args[5]);
  const start = tracing() ? monotonicNow() : 0n;
  for (;;) {
    const result = rawSyscall(number, a, b, c, d, e, f);
    const errno = result === -1 ? lastErrno() : 0;
    if (errno === EINTR) continue;
    if (tracing()) traceCall(name, args, result, errno, start);
    return errno === 0 ? Number(result) : -errno;
  }
}

function word(arg: Arg | undefined): Word {
  if (typeof arg === "number" || typeof arg === "bigint") return arg;
  if (arg === undefined || arg === null) return 0;
  return addressOf(arg instanceof CString ? arg.bytes : arg);
}
