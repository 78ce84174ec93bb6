/** Processes: clone, execve, wait, pidfds and the like. */

import { pointedTo } from "./arg.ts";
import { EINVAL, ENOSYS, EPERM } from "./constants/errno.ts";
import { CLD_EXITED, P_ALL, P_PID, WEXITED } from "./constants/wait.ts";
import { type CString, cstr, cstrBytes, type StringArray } from "./cstring.ts";
import { fdAt } from "./descriptor.ts";
import { host } from "./engine/host.ts";
import { Struct } from "./struct.ts";
import { call, callForFd, failure, type ResultOrErrno, tryCall, tryCallForFd } from "./syscall.ts";
import type { Failure, Fd, Pid } from "./types.ts";

export * from "./constants/wait.ts";

/** What clone3(2) made, seen from the parent; undefined in the child. */
export interface Cloned {
  readonly pid: Pid;
  readonly pidfd: Fd;
}

const SIGCHLD = 17;
const CLONE_PIDFD = 0x1000;
/** For clone3: the child becomes a sibling, and its death is told with the signal that this process's own would be. */
export const CLONE_PARENT = 0x8000;

/**
 * clone3(2) without sharing memory: fork(2) with namespaces. Returns twice; undefined means this is the child.
 * Only `runtime/self/fork.ts` may call it, which makes sure that the process can go on in the child.
 */
export function clone3(flags: number, cgroup?: Fd): Cloned | undefined {
  const pidfd = new Int32Array(1);
  const args = new Struct(88)
    .u64(0, BigInt(flags | CLONE_PIDFD) | (cgroup === undefined ? 0n : 0x200000000n))
    .u64(8, host.addressOf(pidfd))
    // With CLONE_PARENT the child has the caller's own exit signal, and a second one is refused.
    .u64(32, flags & CLONE_PARENT ? 0 : SIGCHLD)
    .u64(80, cgroup ?? 0);
  const pid = call("clone3", [args.bytes, 88]);
  return pid === 0 ? undefined : { pid: pid as Pid, pidfd: fdAt(pidfd[0]) };
}

/** Whether there is a clone3 (Linux 5.3) and no filter refuses it: of no arguments at all it says EINVAL. */
export function hasClone3(): boolean {
  return tryCall("clone3", [null, 0]) === -EINVAL;
}

/** The same by clone(2), which filters allow where they refuse clone3, at whose flags they cannot look. */
export function clone2(flags: number): Cloned | undefined {
  const pidfd = new Int32Array(1);
  const signal = flags & CLONE_PARENT ? 0 : SIGCHLD;
  // The second argument is the stack: none, as memory is not shared. The others are in another order on arm64, but 0.
  const pid = call("clone", [flags | CLONE_PIDFD | signal, 0, pidfd, 0, 0]);
  return pid === 0 ? undefined : { pid: pid as Pid, pidfd: fdAt(pidfd[0]) };
}

/** The char *const[] of a list of strings; throws BadString like cstr. */
export function stringArray(list: readonly string[]): StringArray {
  const strings = list.map(cstrBytes);
  const pointers = new BigUint64Array(strings.length + 1);
  strings.forEach((bytes, i) => {
    pointers[i] = BigInt(host.addressOf(bytes));
  });
  pointedTo.set(pointers, strings);
  return { pointers, strings };
}

/** execve(2): returns minus errno, or not at all. Arrays are made beforehand, so that nothing is allocated late. */
export function execve(path: CString, argv: StringArray, envp: StringArray): ResultOrErrno {
  return tryCall("execve", [path, argv.pointers, envp.pointers]);
}

/** execveat(2) of an open file (AT_EMPTY_PATH); where a filter refuses that, execve(2) by /proc/self/fd. */
export function execveFd(fd: Fd, argv: StringArray, envp: StringArray): ResultOrErrno {
  const result = tryCall("execveat", [fd, cstr(""), argv.pointers, envp.pointers, 0x1000]);
  if (result !== -ENOSYS && result !== -EPERM) return result;
  return execve(cstr(`/proc/self/fd/${fd}`), argv, envp);
}

/** How a child ended. */
export interface ExitInfo {
  readonly pid: Pid;
  /** Exit status, or 128 + signal as shells and runc count it. */
  readonly status: number;
  readonly signal: number;
}

function waitid(type: number, id: number, options: number): ExitInfo | undefined {
  const info = new Struct(128);
  const result = tryCall("waitid", [type, id, info.bytes, options, null]);
  if (result < 0) throw failure("waitid", [type, id], -result);
  const pid = info.getI32(16);
  if (pid === 0) return undefined;
  const status = info.getI32(24);
  const exited = info.getI32(8) === CLD_EXITED;
  return { pid: pid as Pid, status: exited ? status : 128 + status, signal: exited ? 0 : status };
}

/** waitid(2) for one child; `options` takes WNOHANG (then undefined: still running). */
export function waitFor(pid: Pid, options = 0): ExitInfo | undefined {
  return waitid(P_PID, pid, WEXITED | options);
}

/** waitid(2) for any child; throws ECHILD when there is none. */
export function waitAny(options = 0): ExitInfo | undefined {
  return waitid(P_ALL, 0, WEXITED | options);
}

/** exit_group(2): no JavaScript teardown, no exit handlers. */
export function exitGroup(status: number): never {
  for (;;) tryCall("exit_group", [status]);
}

/** getpid(2). */
export function getpid(): Pid {
  return call("getpid", []) as Pid;
}

/** pidfd_open(2); failure (ESRCH) is an answer. */
export function tryPidfdOpen(pid: Pid): Fd | Failure {
  return tryCallForFd("pidfd_open", [pid, 0]);
}

/** pidfd_send_signal(2); failure (ESRCH: already gone) is an answer. */
export function tryPidfdSendSignal(pidfd: Fd, signal: number): ResultOrErrno {
  return tryCall("pidfd_send_signal", [pidfd, signal, null, 0]);
}

/** pidfd_getfd(2): a duplicate of another process's descriptor, O_CLOEXEC by the kernel. */
export function pidfdGetfd(pidfd: Fd, fd: Fd): Fd {
  return callForFd("pidfd_getfd", [pidfd, fd, 0]);
}

/** kill(2); pid < 0 is a process group. Failure is an answer. */
export function tryKill(pid: number, signal: number): ResultOrErrno {
  return tryCall("kill", [pid, signal]);
}

/** setsid(2); failure (already a leader) is an answer. */
export function trySetsid(): ResultOrErrno {
  return tryCall("setsid", []);
}

/** setpgid(2) of this process: its own group. */
export function ownProcessGroup(): void {
  call("setpgid", [0, 0]);
}
