/**
 * The user namespaces of id-mapped mounts: mount_setattr(2) takes its mapping from one.
 */
import { OpError } from "../../syscalls/error.ts";
import { CWD, O_NONBLOCK, O_RDONLY, openat } from "../../syscalls/file.ts";
import { CLONE_NEWUSER, tryNamespaceType } from "../../syscalls/namespace.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { MountStep, UsernsPlan } from "../plan/mounts.ts";
import { makeUserns } from "./userns.ts";

/** One open namespace for each mount that asks for ids to be mapped; equal maps share one. */
export function openMountUserns(steps: readonly MountStep[]): ReadonlyMap<UsernsPlan, Fd> {
  const byMaps = new Map<string, UsernsPlan>();
  const open = new Map<UsernsPlan, Fd>();
  for (const step of steps) {
    if (step.kind !== "bind" || step.idmap === undefined) continue;
    const { userns } = step.idmap;
    const key = JSON.stringify(userns);
    const same = byMaps.get(key);
    const fd = (same && open.get(same)) ?? openOne(userns, step);
    byMaps.set(key, userns);
    open.set(userns, fd);
  }
  return open;
}

function openOne(userns: UsernsPlan, { from }: MountStep): Fd {
  try {
    return "path" in userns ? openExisting(userns.path) : makeUserns(userns);
  } catch (error) {
    throw error instanceof OpError ? error.askedBy(from) : error;
  }
}

function openExisting(path: HostPath): Fd {
  const fd = openat(CWD, path, O_RDONLY | O_NONBLOCK);
  if (tryNamespaceType(fd) === CLONE_NEWUSER) return fd;
  throw new RuntimeError("invalid-argument", `${path} is not a user namespace`);
}
