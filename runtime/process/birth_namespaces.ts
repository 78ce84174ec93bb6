/**
 * Namespaces that a process can only be born into: of pids and of time. The parent points its own "for children"
 * there, forks, and points back, since the hooks of the runtime must not be born in the container's.
 */
import { OpError } from "../../syscalls/error.ts";
import { CWD, close, O_RDONLY, O_WRONLY, openat, writeTextAt } from "../../syscalls/file.ts";
import { CLONE_NEWPID, CLONE_NEWTIME, setns, unshare } from "../../syscalls/namespace.ts";
import type { Cloned } from "../../syscalls/process.ts";
import type { Fd, SpecField } from "../../syscalls/types.ts";
import { joinNamespace, type OpenNamespace } from "../init/namespaces.ts";
import type { NamespacePlan } from "../plan/namespaces.ts";

/** Runs `fork` so that its child is in the pid and the time namespace of the plan, be they new or to join. */
export function bornInto(
  plan: NamespacePlan,
  joins: readonly OpenNamespace[],
  fork: (flags: number) => Cloned,
): Cloned {
  const restore: (() => void)[] = [];
  try {
    for (const namespace of joins) {
      const { flag } = namespace.join;
      if (flag !== CLONE_NEWPID && flag !== CLONE_NEWTIME) continue;
      restore.push(keep(flag));
      joinNamespace(namespace);
    }
    if (plan.create & CLONE_NEWTIME) {
      restore.push(keep(CLONE_NEWTIME));
      newTimeNamespace(plan.timeOffsets);
    }
    return fork(plan.create & CLONE_NEWPID);
  } finally {
    for (const undo of restore) undo();
  }
}

/** Remembers the namespace that this process is in now; the result goes back there. */
function keep(flag: number): () => void {
  const path = `/proc/self/ns/${flag === CLONE_NEWPID ? "pid" : "time"}`;
  const own: Fd = openat(CWD, path, O_RDONLY);
  return () => {
    setns(own, flag, path);
    close(own);
  };
}

/** time_namespaces(7): the offsets can be written until the first process is in the namespace. */
function newTimeNamespace(offsets: string): void {
  const file = "/proc/self/timens_offsets";
  try {
    unshare(CLONE_NEWTIME);
    if (offsets !== "") writeTextAt(CWD, file, O_WRONLY, offsets);
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    const field = error.data.op === "unshare" ? "linux.namespaces" : "linux.timeOffsets";
    throw error.askedBy(field as SpecField);
  }
}
