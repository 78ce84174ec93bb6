/** Entering namespaces: those to join by descriptor, those to make by unshare (namespaces(7)). */
import { ENOTTY } from "../../syscalls/constants/errno.ts";
import { O_NONBLOCK, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import {
  CLONE_NEWCGROUP,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  setns,
  tryNamespaceType,
  unshare,
} from "../../syscalls/namespace.ts";
import { interfaceUp } from "../../syscalls/netlink.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { interfaceUpByIoctl } from "../../syscalls/socket.ts";
import type { Fd } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { NamespaceJoin, NamespacePlan } from "../plan/namespaces.ts";

/** A namespace to join, open, its type verified. */
export interface OpenNamespace {
  readonly join: NamespaceJoin;
  readonly fd: Fd;
}

/**
 * Opens what is to be joined and verifies on the descriptor that it is a namespace of the right type. This is
 * done by the parent, before the fork: the paths are the caller's and mean what they mean there.
 */
export function openNamespaces(joins: readonly NamespaceJoin[]): OpenNamespace[] {
  return joins.map((join) => {
    // O_NONBLOCK: a fifo in the place of a namespace must not hang the runtime.
    const fd = named(join, () => openat(CWD, join.path, O_RDONLY | O_NONBLOCK));
    const type = tryNamespaceType(fd);
    if (type === join.flag) return { join, fd };
    const what = type === -ENOTTY ? "it is not a namespace" : `it is not a ${join.type} namespace`;
    throw new RuntimeError(
      "invalid-argument",
      `join ${join.type} namespace ${join.path}: ${what}, asked for by ${join.from}`,
    );
  });
}

/** Joins one namespace. */
export function joinNamespace({ join, fd }: OpenNamespace): void {
  named(join, () => setns(fd, join.flag, join.path));
}

/** The same; false when there is no right to (EPERM), which there may be in another user namespace. */
export function tryJoinNamespace(namespace: OpenNamespace): boolean {
  try {
    joinNamespace(namespace);
    return true;
  } catch (error) {
    if (isErrno(error, "EPERM")) return false;
    throw error;
  }
}

/** Into these a process has to be born (parent/fork_into_namespaces.ts), so that a child joins none of them. */
const BORN_INTO = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWTIME;

/** In the child: joins those that it was not born into, and makes the new ones. */
export function enterNamespaces(plan: NamespacePlan, joins: readonly OpenNamespace[]): void {
  // With a user namespace all but that of mounts were joined before the child was born.
  const before = plan.own & CLONE_NEWUSER ? ~CLONE_NEWNS : BORN_INTO;
  for (const namespace of joins) {
    if ((namespace.join.flag & before) === 0) joinNamespace(namespace);
    close(namespace.fd);
  }
  // The cgroup namespace has to wait until the process is in its cgroup.
  const create = plan.create & ~(BORN_INTO | CLONE_NEWCGROUP);
  if (create !== 0) unshare(create);
  // A new network namespace has its loopback device down.
  if (plan.create & CLONE_NEWNET) loopbackUp();
}

/**
 * By netlink, as in runc: it is the family that engines' units leave (systemd.exec(5) "RestrictAddressFamilies=").
 * Where that is refused and an Internet socket is not, by that one.
 */
function loopbackUp(): void {
  try {
    interfaceUp("lo");
  } catch (error) {
    if (!isErrno(error, "EAFNOSUPPORT", "EPERM", "EACCES") || error.data.op !== "socket") throw error;
    try {
      interfaceUpByIoctl("lo");
    } catch {
      throw error.during("set interface up: socket of family AF_NETLINK for", "lo");
    }
  }
}

/** What setns(2) means where its errno alone does not tell. */
const hints: Readonly<Record<string, string>> = {
  "mount EPERM":
    "it belongs to another user namespace than the container's, whose root may mount nothing in it",
  "pid EINVAL": "it is neither the runtime's own nor below that",
  "user EINVAL": "it is the one that the runtime is in already: leave it out",
};

function named<T>(join: NamespaceJoin, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    const hint = hints[`${join.type} ${error.data.errno}`];
    const failure = error.during(`join ${join.type} namespace`, join.path).askedBy(join.from);
    throw hint === undefined ? failure : failure.because(hint);
  }
}
