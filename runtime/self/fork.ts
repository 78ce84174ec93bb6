/** Forking a process that goes on in TypeScript: one thread, ordinary private memory, so a fork is a fork. */
import { ENOSYS } from "../../syscalls/constants/errno.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { type Cloned, clone2, clone3, exitGroup, hasClone3 } from "../../syscalls/process.ts";
import type { Fd } from "../../syscalls/types.ts";

/** Where else than by default. */
export interface ForkOptions {
  /** The directory of the cgroup v2 that the child starts in (CLONE_INTO_CGROUP). */
  readonly cgroup?: Fd | undefined;
  /** Done right before the clone, to close what the child must not even inherit. */
  readonly lastly?: (() => void) | undefined;
  /** By clone(2): a seccomp filter is loaded already. */
  readonly filtered?: boolean;
}

/** By clone3(2), else by clone(2), which knows no cgroups: with one the failure is ENOSYS whatever a filter says. */
function clone(flags: number, cgroup: Fd | undefined): Cloned | undefined {
  try {
    return clone3(flags, cgroup);
  } catch (error) {
    if (!isErrno(error, "ENOSYS", "EPERM") || hasClone3()) throw error;
    if (cgroup !== undefined) throw OpError.from("clone3", "", ENOSYS);
    return clone2(flags);
  }
}

/**
 * clone3 with `flags` (CLONE_NEW*): runs `child` in the new process, which must end in execve or exitGroup;
 * what it throws past its own handling ends it with status 70. Returns the child's pid and pidfd.
 */
export function fork(flags: number, child: () => never, options: ForkOptions = {}): Cloned {
  options.lastly?.();
  const cloned = options.filtered ? clone2(flags) : clone(flags, options.cgroup);
  if (cloned !== undefined) return cloned;
  try {
    child();
  } catch {
    exitGroup(70);
  }
}
