/**
 * Forks a process into the namespaces that only a child can be in, or that have to come before all others. It is what
 * runc does with three processes in C (libcontainer/nsenter/nsexec.c, nsexec), where the order matters as much.
 *
 * - A pid or time namespace is entered by children only: unshare(2) and setns(2) leave the caller where it is. So the
 *   parent sets its own "pid_for_children" and "time_for_children" (namespaces(7)), forks, and sets them back at once,
 *   since the hooks of the runtime, which it forks later, must not be in the container's.
 * - A user namespace owns the others, so it is entered first; and who has entered one has no right to anything outside
 *   it any more, to write an id map or to come back. The parent therefore stays outside. A second process enters, forks
 *   the third, which becomes init, as a child of the parent (CLONE_PARENT, so that the parent can wait for it), says
 *   its pid over a socket, and exits.
 * - To join a namespace takes CAP_SYS_ADMIN in the user namespace that owns it (setns(2)), which may be anybody's: the
 *   first one, another container's, the container's own. The second process therefore joins all that it may, then
 *   enters the user namespace, then joins the rest (nsexec.c, join_namespaces). New ones are made after that, so that
 *   the container's user namespace owns them.
 * - The mount namespace is left to the child (init/namespaces.ts): one that another user namespace owns is of no use,
 *   as nothing could be mounted there, and once in it no path of the host leads anywhere.
 * - A pid namespace that is joined has other processes in it, which see the child from its first moment. So before the
 *   fork the arguments are hidden and the dumpable flag is off, and both are put back in the parent.
 */

import { asking } from "../../syscalls/asking.ts";
import { O_DIRECTORY, O_RDONLY, O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { write } from "../../syscalls/io.ts";
import {
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  CLONE_PARENT,
  setns,
  unshare,
} from "../../syscalls/namespace.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { PR_GET_DUMPABLE, PR_SET_DUMPABLE, prctl } from "../../syscalls/prctl.ts";
import { type Cloned, exitGroup, waitFor } from "../../syscalls/process.ts";
import { closing, scope } from "../../syscalls/scope.ts";
import { messagePair } from "../../syscalls/socket.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { receiveForked, tellFailure, tellForked } from "../channel.ts";
import type { CgroupEntry } from "../plan/cgroup/entry.ts";
import type { NamespacePlan } from "../plan/namespaces.ts";
import { enterAsRoot } from "../self/enter_as_root.ts";
import { fork } from "../self/fork.ts";
import { hideArguments } from "../self/hide_arguments.ts";
import { joinNamespace, type OpenNamespace, tryJoinNamespace } from "../self/join_namespace.ts";
import { writeOomScore } from "../self/oom_score.ts";

/** What the child is to be in from its first moment. */
export interface ForkTarget {
  readonly plan: NamespacePlan;
  readonly joins: readonly OpenNamespace[];
  /** The container's user namespace, when it is not the runtime's. */
  readonly userns: Fd | undefined;
  readonly entry: CgroupEntry;
  /** For what is forked into another user namespace, whose own file in /proc it could no longer write. */
  readonly oomScoreAdj: number | undefined;
  readonly keepGroups: boolean;
}

/**
 * Forks `child`; it is told by which of its cgroups' files it still has to enter. It has all that is open here, and is to
 * close what it does not need before anything else.
 */
export function forkIntoNamespaces(place: ForkTarget, child: (join: readonly HostPath[]) => never): Cloned {
  const { plan, userns, entry } = place;
  const restore: (() => void)[] = [];
  try {
    if (place.joins.some(({ join }) => join.flag === CLONE_NEWPID)) hide(restore);
    if (userns !== undefined) return forkInUserns(place, userns, child);
    setNamespacesForChildren(place, restore);
    return forkIntoCgroup(plan.create & CLONE_NEWPID, entry, child);
  } finally {
    for (const undo of restore.reverse()) undo();
  }
}

/** Points this process's "for children" at the pid and time namespaces; how to point back is added to `restore`. */
function setNamespacesForChildren({ plan, joins }: ForkTarget, restore: (() => void)[]): void {
  for (const namespace of joins) {
    const { flag } = namespace.join;
    if (flag !== CLONE_NEWPID && flag !== CLONE_NEWTIME) continue;
    restore.push(ownNamespace(flag));
    joinNamespace(namespace);
  }
  if (plan.create & CLONE_NEWTIME) {
    restore.push(ownNamespace(CLONE_NEWTIME));
    newTimeNamespace(openTimeOffsets(plan), plan);
  }
}

/** By a process in between, which reports the child's pid and ends. */
function forkInUserns(place: ForkTarget, userns: Fd, child: (join: readonly HostPath[]) => never): Cloned {
  return scope((owner) => {
    const [report, reporter] = owner.ownBoth(messagePair());
    const between = fork(0, () => forkAgain(place, userns, child, reporter));
    owner.own(between.pidfd);
    // Else the end of the other process would not be the end of the channel.
    owner.closeNow(reporter);
    try {
      const child = receiveForked(report);
      if (child === undefined) throw new Error("the process in between ended without a child");
      return child;
    } finally {
      waitFor(between.pid);
    }
  });
}

/** The process in between. */
function forkAgain(
  place: ForkTarget,
  userns: Fd,
  child: (join: readonly HostPath[]) => never,
  reporter: Fd,
): never {
  try {
    // The process after this one has files in /proc that an ordinary user may not write to, not being dumpable.
    writeOomScore(place.oomScoreAdj, "self");
    enterUserns(place, userns);
    // Not by CLONE_INTO_CGROUP: the right to the cgroup was left behind with the first user namespace.
    const flags = (place.plan.create & CLONE_NEWPID) | CLONE_PARENT;
    const { pid, pidfd } = asking("linux.namespaces", () => fork(flags, () => child(place.entry.joinAll)));
    tellForked(reporter, pid, pidfd);
    exitGroup(0);
  } catch (error) {
    tellFailure(reporter, error);
    exitGroup(1);
  }
}

/** Joins and makes all that the child is to inherit, in the order that the head of this file gives. */
function enterUserns({ plan, joins, keepGroups }: ForkTarget, userns: Fd): void {
  const user = joins.find(({ join }) => join.flag === CLONE_NEWUSER);
  const others = joins.filter((each) => each !== user && each.join.flag !== CLONE_NEWNS);
  // In the user namespace the files of this process in /proc are somebody else's; what counts for a write is who opened.
  const offsets = openTimeOffsets(plan);
  const later = others.filter((each) => !tryJoinNamespace(each));
  const enter = () =>
    user === undefined
      ? asking("linux.namespaces", () => setns(userns, CLONE_NEWUSER, "the container's user namespace"))
      : joinNamespace(user);
  const from = {
    gid: user?.join.from ?? "linux.gidMappings",
    uid: user?.join.from ?? "linux.uidMappings",
  };
  enterAsRoot(enter, from, keepGroups);
  later.forEach(joinNamespace);
  if (plan.create & CLONE_NEWTIME) newTimeNamespace(offsets, plan);
  // The change of ids may have undone it (prctl(2), fs.suid_dumpable).
  prctl(PR_SET_DUMPABLE, 0);
}

/** Closed again, so that the child does not inherit a directory of the host. */
function withProcfs<T>(act: (procfs: Fd) => T): T {
  return closing(openat(CWD, "/proc", O_RDONLY | O_DIRECTORY), act);
}

/**
 * A process in a pid namespace that others are in must not be readable to them (CVE-2016-9962); see the head of this
 * file.
 */
function hide(restore: (() => void)[]): void {
  const putBack = withProcfs(hideArguments);
  restore.push(() => withProcfs(putBack));
  // Where it is 2 (fs.suid_dumpable), which cannot be set again, only root may look into it anyway.
  if (prctl(PR_GET_DUMPABLE, 0) !== 1) return;
  prctl(PR_SET_DUMPABLE, 0);
  restore.push(() => void prctl(PR_SET_DUMPABLE, 1));
}

/** Forks into the unified cgroup; a kernel without CLONE_INTO_CGROUP leaves that to the child. */
function forkIntoCgroup(
  flags: number,
  entry: CgroupEntry,
  child: (join: readonly HostPath[]) => never,
): Cloned {
  const { cloneInto } = entry;
  const clone = (join: readonly HostPath[], cgroup?: Fd): Cloned =>
    asking("linux.namespaces", () => fork(flags, () => child(join), { cgroup }));
  if (cloneInto === undefined) return clone(entry.join);
  return closing(openat(CWD, cloneInto, O_RDONLY | O_DIRECTORY), (cgroup) => {
    try {
      return clone(entry.join, cgroup);
    } catch (error) {
      if (!isErrno(error, "EINVAL", "E2BIG", "ENOSYS")) throw cloneIntoError(cloneInto, error);
      return clone(entry.joinAll);
    }
  });
}

/**
 * The same failure in the words of cgroups(7), "Delegating a hierarchy to a less privileged user"; no namespace has asked
 * for it.
 */
function cloneIntoError(cgroup: HostPath, error: unknown): unknown {
  if (!isErrno(error, "EACCES", "EPERM")) return error;
  const hint = "not delegated: the cgroup around it and the runtime's own belongs to another user";
  return new OpError({ op: "enter cgroup", object: cgroup, errno: error.data.errno, hint }, { cause: error });
}

/** Remembers the namespace that this process is in now; the result goes back there. */
function ownNamespace(flag: number): () => void {
  const path = `/proc/self/ns/${flag === CLONE_NEWPID ? "pid" : "time"}`;
  const own: Fd = openat(CWD, path, O_RDONLY);
  return () => {
    setns(own, flag, path);
    close(own);
  };
}

const TIME_OFFSETS = "/proc/self/timens_offsets";

/** The file for the clocks of this process's children, where there is something to write to it. */
function openTimeOffsets({ create, timeOffsets }: NamespacePlan): Fd | undefined {
  if ((create & CLONE_NEWTIME) === 0 || timeOffsets === "") return undefined;
  return asking("linux.timeOffsets", () => openat(CWD, TIME_OFFSETS, O_WRONLY));
}

/** time_namespaces(7): the offsets can be written until the first process is in the namespace. */
function newTimeNamespace(offsets: Fd | undefined, { timeOffsets }: NamespacePlan): void {
  asking("linux.namespaces", () => unshare(CLONE_NEWTIME));
  if (offsets === undefined) return;
  asking("linux.timeOffsets", () => write(offsets, encodeUtf8(timeOffsets), TIME_OFFSETS));
  close(offsets);
}
