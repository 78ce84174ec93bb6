import { asking } from "../../syscalls/asking.ts";
import { isErrno } from "../../syscalls/error.ts";
import {
  CLONE_NEWCGROUP,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWTIME,
  CLONE_NEWUSER,
  unshare,
} from "../../syscalls/namespace.ts";
import { interfaceUp } from "../../syscalls/netlink.ts";
import { close } from "../../syscalls/open.ts";
import { interfaceUpByIoctl } from "../../syscalls/socket.ts";
import type { NamespacePlan } from "../plan/namespaces.ts";
import { joinNamespace, type OpenNamespace } from "../self/join_namespace.ts";

/**
 * The parent has put the child into these at the fork (parent/fork_into_namespaces.ts), so that it joins none of them.
 */
const SET_BEFORE_FORK = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWTIME;

/** Joins the namespaces that the fork has not put it into, and makes the new ones. */
export function enterNamespaces(plan: NamespacePlan, joins: readonly OpenNamespace[]): void {
  // With a user namespace all but that of mounts were joined before the child was forked.
  const before = plan.own & CLONE_NEWUSER ? ~CLONE_NEWNS : SET_BEFORE_FORK;
  for (const namespace of joins) {
    if ((namespace.join.flag & before) === 0) joinNamespace(namespace);
    close(namespace.fd);
  }
  // The cgroup namespace has to wait until the process is in its cgroup.
  const create = plan.create & ~(SET_BEFORE_FORK | CLONE_NEWCGROUP);
  asking("linux.namespaces", () => {
    if (create !== 0) unshare(create);
    // A new network namespace has its loopback device down.
    if (plan.create & CLONE_NEWNET) loopbackUp();
  });
}

/**
 * By netlink, as in runc (libcontainer/network_linux.go, loopback.initialize): it is the family that engines' units
 * leave (systemd.exec(5) "RestrictAddressFamilies="). Where that is refused and an Internet socket is not, by that
 * one.
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
