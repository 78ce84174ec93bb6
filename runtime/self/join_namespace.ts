/** Joining namespaces by this process, whose own they are then, or its children's (setns(2), namespaces(7)). */
import { asking } from "../../syscalls/asking.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { setns } from "../../syscalls/namespace.ts";
import type { Fd } from "../../syscalls/types.ts";
import type { NamespaceJoin } from "../plan/namespaces.ts";

/** A namespace to join, open, its type verified. */
export interface OpenNamespace {
  readonly join: NamespaceJoin;
  readonly fd: Fd;
}

/** Joins one namespace. */
export function joinNamespace({ join, fd }: OpenNamespace): void {
  joining(join, () => setns(fd, join.flag, join.path));
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

/** What setns(2) means where its errno alone does not tell. */
const hints: Readonly<Record<string, string>> = {
  "mount EPERM":
    "it belongs to another user namespace than the container's, whose root may mount nothing in it",
  "pid EINVAL": "it is neither the runtime's own nor below that",
  "user EINVAL": "it is the one that the runtime is in already: leave it out",
};

/** Does what is done to join a namespace; its failure names that, and what asked for it. */
export function joining<T>(join: NamespaceJoin, act: () => T): T {
  return asking(join.from, () => {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof OpError)) throw error;
      const hint = hints[`${join.type} ${error.data.errno}`];
      const failure = error.during(`join ${join.type} namespace`, join.path);
      throw hint === undefined ? failure : failure.because(hint);
    }
  });
}
