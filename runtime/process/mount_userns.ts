/**
 * The user namespaces of id-mapped mounts. mount_setattr(2) takes its mapping from one, so for maps of a mount's own a
 * process is forked into a new one, gets the maps, and ends as soon as the namespace is open.
 */
import { OpError } from "../../syscalls/error.ts";
import {
  CWD,
  close,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  openat,
  pipe,
  read,
  writeTextAt,
} from "../../syscalls/file.ts";
import { CLONE_NEWUSER, tryNamespaceType } from "../../syscalls/namespace.ts";
import { exitGroup, waitFor } from "../../syscalls/process.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { MountStep, UsernsPlan } from "../plan/mounts.ts";
import type { LinuxIDMapping } from "../spec/types.ts";
import { fork } from "./fork.ts";

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

function makeUserns(maps: Exclude<UsernsPlan, { readonly path: HostPath }>): Fd {
  const [wait, release] = pipe();
  const helper = fork(CLONE_NEWUSER, () => {
    close(release);
    read(wait, new Uint8Array(1)); // until the parent closes its end, or is gone
    exitGroup(0);
  });
  try {
    writeMap(`/proc/${helper.pid}/uid_map`, maps.uidMappings);
    writeMap(`/proc/${helper.pid}/gid_map`, maps.gidMappings);
    return openat(CWD, `/proc/${helper.pid}/ns/user`, O_RDONLY);
  } finally {
    for (const fd of [wait, release, helper.pidfd]) close(fd);
    waitFor(helper.pid);
  }
}

/** user_namespaces(7): all lines by one write. */
function writeMap(path: string, mappings: readonly LinuxIDMapping[]): void {
  const lines = mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`);
  writeTextAt(CWD, path, O_WRONLY, lines.join(""));
}
