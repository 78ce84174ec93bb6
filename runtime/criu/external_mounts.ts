/**
 * Mounts of a container that come from outside of it. criu does not save what is in them: at the checkpoint it is told a
 * name for each, and at the restore what is to be mounted under that name.
 */

import { O_PATH } from "../../syscalls/constants/fcntl.ts";
import { S_IFDIR } from "../../syscalls/constants/stat.ts";
import { close } from "../../syscalls/open.ts";
import { fstat, isType } from "../../syscalls/stat.ts";
import { type Fd, failed } from "../../syscalls/types.ts";
import { resolveLinks, tryOpenInRoot } from "../path/in_root.ts";
import type { CgroupView } from "../plan/cgroup/view.ts";
import type { DeviceStep } from "../plan/mounts/device_nodes.ts";
import type { MountStep } from "../plan/mounts/mounts.ts";
import type { criu_opts, Values } from "./rpc.ts";

/** Each mount by its place, or by a name, with what is there. */
export type ExternalMounts = NonNullable<Values<typeof criu_opts>["ext_mnt"]>;

/** What a container has of the host's. */
export interface Outside {
  readonly mounts: readonly MountStep[];
  /** Nodes where there may be any; in a user namespace they are bind mounts. */
  readonly devices: readonly Pick<DeviceStep, "path">[];
  readonly maskedPaths: readonly string[];
  readonly cgroups: CgroupView;
}

/** What stands in the place of a file that is hidden; of all of them, in the images. */
const HIDDEN = "/dev/null";

/** For the checkpoint; `rootfs` is the root file system on the host, `inside` the root of the container that runs. */
export function mountsToDump(outside: Outside, rootfs: Fd, inside: Fd): ExternalMounts {
  const places = [
    ...binds(outside, rootfs).map(([place]) => place),
    ...outside.devices.map(({ path }) => path),
  ];
  const masked = outside.maskedPaths.filter((path) => isFile(inside, path));
  return [
    ...places.map((path) => ({ key: path, val: path })),
    ...masked.map((key) => ({ key, val: HIDDEN })),
  ];
}

/** For the restore. */
export function mountsToRestore(outside: Outside, rootfs: Fd): ExternalMounts {
  const hidden = outside.maskedPaths.length > 0 ? [{ key: HIDDEN, val: HIDDEN }] : [];
  const devices = outside.devices.map(({ path }) => ({ key: path, val: path }));
  return [...binds(outside, rootfs).map(([key, val]) => ({ key, val })), ...hidden, ...devices];
}

/** The places and sources of bind mounts; of a v1 hierarchy that is no mount of its own as well. */
function binds({ mounts, cgroups }: Outside, rootfs: Fd): (readonly [place: string, source: string])[] {
  return mounts.flatMap((step) => {
    if (step.kind === "bind") return [[resolveLinks(rootfs, step.destination), step.source] as const];
    if (step.kind !== "cgroup" || cgroups.mode !== "v1" || cgroups.ownNamespace) return [];
    const place = resolveLinks(rootfs, step.destination);
    return cgroups.hierarchies.map(({ name, path }) => [`${place}/${name}`, path] as const);
  });
}

/** Directories are hidden by an empty file system of the container's own. */
function isFile(root: Fd, path: string): boolean {
  const found = tryOpenInRoot(root, path, O_PATH, "follow-in-root");
  if (failed(found)) return false;
  const isDirectory = isType(fstat(found), S_IFDIR);
  close(found);
  return !isDirectory;
}
