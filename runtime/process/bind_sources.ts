/**
 * The sources of bind mounts that the parent makes, as a container in a user namespace of its own has no right to:
 * mapping the ids of a file system takes one in the user namespace that it was mounted in (mount_setattr(2)), and the
 * way to a source may lead through a directory of the host's root.
 */

import { EINVAL, ENOSYS, EPERM } from "../../syscalls/constants/errno.ts";
import { CLONE_NEWUSER } from "../../syscalls/constants/sched.ts";
import { OpError } from "../../syscalls/error.ts";
import { CWD, close, O_NONBLOCK, O_RDONLY, openat } from "../../syscalls/file.ts";
import {
  cloneTree,
  MOUNT_ATTR_IDMAP,
  MS_REC,
  missingMountCalls,
  mountSetattr,
  tryMountSetattr,
} from "../../syscalls/mount.ts";
import { tryNamespaceType } from "../../syscalls/namespace.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { BindStep, IdmapPlan, MountStep, UsernsPlan } from "../plan/mounts.ts";
import { makeUserns } from "./userns.ts";

/** A detached copy of each source with its ids mapped; `propagation` (MS_*) is what the container's mounts get first. */
export function openMappedSources(
  steps: readonly MountStep[],
  propagation: number,
): ReadonlyMap<BindStep, Fd> {
  const sources = new Map<BindStep, Fd>();
  const namespaces = new Map<string, Fd>();
  for (const step of steps) {
    if (step.kind !== "bind" || step.idmap === undefined) continue;
    const { idmap } = step;
    try {
      // Equal maps share a namespace.
      const key = JSON.stringify(idmap.userns);
      const userns = namespaces.get(key) ?? openUserns(idmap.userns);
      namespaces.set(key, userns);
      sources.set(step, mapped(step, idmap, userns, propagation));
    } catch (error) {
      throw error instanceof OpError ? error.askedBy(step.from) : error;
    }
  }
  for (const fd of namespaces.values()) close(fd);
  return sources;
}

/** A detached copy of a source that the init process cannot reach; undefined where the kernel has no such thing. */
export function openSource({ source, recursive, from }: BindStep, propagation: number): Fd | undefined {
  if (missingMountCalls().length > 0) return undefined;
  try {
    return detachedCopy(source, recursive, propagation);
  } catch (error) {
    throw error instanceof OpError ? error.askedBy(from) : error;
  }
}

function detachedCopy(source: HostPath, recursive: boolean, propagation: number): Fd {
  const copy = cloneTree(CWD, source, recursive);
  // Else what is mounted in a shared copy would be so on the host as well.
  const leave = { set: 0, clear: 0, propagation: propagation & ~MS_REC };
  mountSetattr(copy, (propagation & MS_REC) !== 0, leave, source);
  return copy;
}

/** The ids of a mount can be mapped only while it is detached. */
function mapped({ source, recursive }: BindStep, idmap: IdmapPlan, userns: Fd, propagation: number): Fd {
  if (missingMountCalls().length > 0) throw notMapped(source, ENOSYS);
  const copy = detachedCopy(source, recursive, propagation);
  const attr = { set: MOUNT_ATTR_IDMAP, clear: 0, propagation: 0, userns };
  const result = tryMountSetattr(copy, idmap.recursive, attr);
  if (result < 0) throw notMapped(source, -result);
  return copy;
}

function notMapped(source: HostPath, errno: number): OpError {
  const hints: Readonly<Record<number, string>> = {
    [EINVAL]: "does its file system support id-mapped mounts?",
    [EPERM]: "it is id-mapped already, or its file system belongs to another user namespace",
    [ENOSYS]: "it needs mount_setattr(2), Linux 5.12",
  };
  return OpError.from("id-map", source, errno, hints[errno]);
}

function openUserns(userns: UsernsPlan): Fd {
  if (!("path" in userns)) return makeUserns(userns);
  const fd = openat(CWD, userns.path, O_RDONLY | O_NONBLOCK);
  if (tryNamespaceType(fd) === CLONE_NEWUSER) return fd;
  throw new RuntimeError("invalid-argument", `${userns.path} is not a user namespace`);
}
