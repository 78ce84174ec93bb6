/**
 * Namespaces that a process has to be born into: of pids and of time, and that of users before either, as it owns
 * them. The parent points its own "for children" there, forks, and points back, since the hooks of the runtime must
 * not be born in the container's. Into a user namespace there is no way back, so a process in between goes there, and
 * makes the child a child of the parent (CLONE_PARENT).
 */
import { isErrno, OpError } from "../../syscalls/error.ts";
import { CWD, close, O_DIRECTORY, O_RDONLY, O_WRONLY, openat, writeTextAt } from "../../syscalls/file.ts";
import {
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_PARENT,
  setns,
  unshare,
} from "../../syscalls/namespace.ts";
import { type Cloned, exitGroup, tryPidfdOpen, waitFor } from "../../syscalls/process.ts";
import { messagePair, receiveMessage, sendMessage } from "../../syscalls/socket.ts";
import type { Fd, HostPath, Pid, SpecField } from "../../syscalls/types.ts";
import { decodeUtf8, encodeUtf8 } from "../../syscalls/utf8.ts";
import type { CgroupEntry } from "../cgroup/entry.ts";
import { becomeRoot } from "../init/identity.ts";
import { joinNamespace, type OpenNamespace } from "../init/namespaces.ts";
import { type ChildFailure, errorOf, failureOf } from "../init/sync.ts";
import type { NamespacePlan } from "../plan/namespaces.ts";
import { fork } from "./fork.ts";

/** What the child is born into. */
export interface Birthplace {
  readonly plan: NamespacePlan;
  readonly joins: readonly OpenNamespace[];
  /** The container's user namespace, when it is not the runtime's. */
  readonly userns: Fd | undefined;
  readonly entry: CgroupEntry;
}

/** Forks `child`; it is told by which of its cgroups' files it still has to enter. */
export function forkInto(place: Birthplace, child: (join: readonly HostPath[]) => never): Cloned {
  const { plan, userns, entry } = place;
  if (userns !== undefined) return forkInUserns(place, userns, child);
  const restore = pointChildren(place, true);
  try {
    return forkIntoCgroup(plan.create & CLONE_NEWPID, entry, child);
  } finally {
    for (const undo of restore) undo();
  }
}

/** Points this process's "for children" at the pid and time namespaces; returns how to point back. */
function pointChildren({ plan, joins }: Birthplace, andBack: boolean): (() => void)[] {
  const restore: (() => void)[] = [];
  for (const namespace of joins) {
    const { flag } = namespace.join;
    if (flag !== CLONE_NEWPID && flag !== CLONE_NEWTIME) continue;
    if (andBack) restore.push(keep(flag));
    joinNamespace(namespace);
  }
  if (plan.create & CLONE_NEWTIME) {
    if (andBack) restore.push(keep(CLONE_NEWTIME));
    newTimeNamespace(plan.timeOffsets);
  }
  return restore;
}

/** By a process in between, which reports the child's pid and ends. */
function forkInUserns(place: Birthplace, userns: Fd, child: (join: readonly HostPath[]) => never): Cloned {
  const [report, reporter] = messagePair();
  const between = fork(0, () => {
    close(report);
    try {
      setns(userns, CLONE_NEWUSER, "the container's user namespace");
      becomeRoot();
      pointChildren(place, false);
      // Not by CLONE_INTO_CGROUP: the right to the cgroup was left behind with the first user namespace.
      const { pid } = fork((place.plan.create & CLONE_NEWPID) | CLONE_PARENT, () => {
        close(reporter);
        child(place.entry.joinAll);
      });
      sendMessage(reporter, encodeUtf8(JSON.stringify({ pid })));
      exitGroup(0);
    } catch (error) {
      sendMessage(reporter, encodeUtf8(JSON.stringify({ failure: failureOf(error) })));
      exitGroup(1);
    }
  });
  close(reporter);
  const answer = receiveMessage(report, 4096);
  for (const fd of [report, between.pidfd]) close(fd);
  waitFor(between.pid);
  const text = typeof answer === "number" ? "{}" : decodeUtf8(answer.bytes);
  const { pid, failure } = JSON.parse(text || "{}") as { pid?: Pid; failure?: ChildFailure };
  if (failure !== undefined) throw errorOf(failure);
  // It is a child of this process that nobody else waits for, so its pid cannot have been given to another.
  const pidfd = pid === undefined ? -1 : tryPidfdOpen(pid);
  if (pid === undefined || pidfd < 0) throw new Error("the process in between ended without a child");
  return { pid, pidfd: pidfd as Fd };
}

/** Forks into the unified cgroup; a kernel without CLONE_INTO_CGROUP leaves that to the child. */
function forkIntoCgroup(
  flags: number,
  entry: CgroupEntry,
  child: (join: readonly HostPath[]) => never,
): Cloned {
  if (entry.cloneInto === undefined) return fork(flags, () => child(entry.join));
  const cgroup = openat(CWD, entry.cloneInto, O_RDONLY | O_DIRECTORY);
  const inside = (): never => {
    close(cgroup);
    child(entry.join);
  };
  try {
    return fork(flags, inside, { cgroup });
  } catch (error) {
    if (!isErrno(error, "EINVAL", "E2BIG", "ENOSYS")) throw notBornIn(entry.cloneInto, error);
    return fork(flags, () => child(entry.joinAll));
  } finally {
    close(cgroup);
  }
}

/** The same failure in the words of cgroups(7), "Delegating a hierarchy to a less privileged user". */
function notBornIn(cgroup: HostPath, error: unknown): unknown {
  if (!isErrno(error, "EACCES", "EPERM")) return error;
  const hint = "not delegated: the cgroup around it and the runtime's own belongs to another user";
  return new OpError({ ...error.data, op: "enter cgroup", object: cgroup, hint }, { cause: error });
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
