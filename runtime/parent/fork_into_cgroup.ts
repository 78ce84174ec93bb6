/** The fork of exec's first process into the cgroup of the container (clone3(2), CLONE_INTO_CGROUP). */
import { O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import type { Cloned } from "../../syscalls/process.ts";
import { closing } from "../../syscalls/scope.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { noteOfOther } from "../self/enter_cgroup.ts";
import { fork } from "../self/fork.ts";

/**
 * Forks into the unified cgroup, and if the container has given it children with limits, upon which it takes no
 * processes itself (cgroup-v2.rst "No Internal Process Constraint"), into the one of its init process, as runc
 * (libcontainer/process_linux.go, addIntoCgroupV2).
 * Where that does not work the child joins by itself, and will say what is wrong; it is told whether it has to.
 */
export function forkIntoCgroup(
  cgroup: HostPath | undefined,
  ofInit: () => HostPath | undefined,
  child: (cloned: boolean) => never,
  debugLog: (message: string) => void,
): Cloned {
  const joining = (): Cloned => fork(0, () => child(false));
  if (cgroup === undefined) return joining();
  const first = tryForkIntoCgroup(cgroup, child);
  if (!(first instanceof OpError)) return first;
  const other = isErrno(first, "EBUSY", "EOPNOTSUPP") ? ofInit() : undefined;
  if (other === undefined) return joining();
  debugLog(noteOfOther(first.data.errno, other));
  const second = tryForkIntoCgroup(other, child);
  return second instanceof OpError ? joining() : second;
}

/** The child, or how the kernel refused. */
function tryForkIntoCgroup(path: HostPath, child: (cloned: boolean) => never): Cloned | OpError {
  try {
    return closing(openat(CWD, path, O_RDONLY | O_DIRECTORY), (cgroup) =>
      fork(0, () => child(true), { cgroup }),
    );
  } catch (error) {
    if (error instanceof OpError) return error;
    throw error;
  }
}
