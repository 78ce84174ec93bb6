/** Opening the namespaces that a container joins, by the parent. */
import { ENOTTY } from "../../syscalls/constants/errno.ts";
import { O_NONBLOCK, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { tryNamespaceType } from "../../syscalls/namespace.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import type { Owner } from "../../syscalls/scope.ts";
import { RuntimeError } from "../errors.ts";
import type { NamespaceJoin } from "../plan/namespaces.ts";
import { joining, type OpenNamespace } from "../self/join_namespace.ts";

/**
 * Opens what is to be joined and verifies on the descriptor that it is a namespace of the right type. This is
 * done before the fork: the paths are the caller's and mean what they mean there.
 */
export function openNamespaces(joins: readonly NamespaceJoin[], owner: Owner): OpenNamespace[] {
  return joins.map((join) => {
    // O_NONBLOCK: a fifo in the place of a namespace must not hang the runtime.
    const fd = owner.own(joining(join, () => openat(CWD, join.path, O_RDONLY | O_NONBLOCK)));
    const type = tryNamespaceType(fd);
    if (type === join.flag) return { join, fd };
    const what = type === -ENOTTY ? "it is not a namespace" : `it is not a ${join.type} namespace`;
    throw new RuntimeError(
      "invalid-argument",
      `join ${join.type} namespace ${join.path}: ${what}, asked for by ${join.from}`,
    );
  });
}
