/**
 * What a user namespace may not mount anew: a sysfs where the network namespace, or a procfs where the pid namespace, is
 * another's, and either where the one that is to be seen is partly covered (mount_namespaces(7), "Restrictions").
 */
import { EINVAL, ENOENT, ENOSYS } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_PATH } from "../../syscalls/constants/fcntl.ts";
import { SYSFS_MAGIC } from "../../syscalls/constants/magic.ts";
import { MOUNT_ATTR_RDONLY } from "../../syscalls/constants/mount.ts";
import { OpError } from "../../syscalls/error.ts";
import { CWD, close, tryOpenat } from "../../syscalls/open.ts";
import { fstatfs } from "../../syscalls/stat.ts";
import { type Fd, failed } from "../../syscalls/types.ts";
import type { FilesystemStep } from "../plan/mounts/mounts.ts";
import { type MountApi, mountSetattr } from "./mount_api.ts";

/**
 * The runtime's own instead: a sysfs where a read-only one was asked for, as by crun; a procfs, which shows the same, where
 * the container has no pid namespace of its own. Undefined for all else.
 */
export function boundInstead(
  api: MountApi,
  { type, attributes, destination }: FilesystemStep,
  ownPids: boolean,
): Fd | undefined {
  const readOnly = (attributes & MOUNT_ATTR_RDONLY) !== 0;
  const source = type === "sysfs" && readOnly ? "/sys" : type === "proc" && !ownPids ? "/proc" : undefined;
  if (source === undefined) return undefined;
  const mounted = api.cloneTree(CWD, source, true);
  mountSetattr(api, mounted, false, { set: attributes, clear: 0, propagation: 0 }, destination);
  return mounted;
}

/** Why there is no such file system, where the errno alone does not tell. */
export function whyNoPseudo(type: string): string | undefined {
  if (type === "sysfs")
    return "it takes a network namespace of its own; a read-only sysfs would be the runtime's";
  if (type === "proc") return "the procfs that the runtime sees is partly covered";
  return undefined;
}

/**
 * The hierarchies below a read-only /sys that is the runtime's own, when it is in its place. Its flag is for one mount, and what of the hierarchies
 * is delegated to the user would be the container's to write to (CVE-2023-25809).
 */
export function makeCgroupsReadonly(api: MountApi, sysfs: Fd): void {
  if (fstatfs(sysfs).magic !== SYSFS_MAGIC) return;
  const cgroups = tryOpenat(sysfs, "fs/cgroup", O_PATH | O_DIRECTORY);
  if (cgroups === -ENOENT) return;
  if (failed(cgroups)) throw OpError.from("open", "/sys/fs/cgroup", -cgroups);
  try {
    const attr = { set: MOUNT_ATTR_RDONLY, clear: 0, propagation: 0 };
    const all = api.tryMountSetattr(cgroups, true, attr);
    const result = all === -ENOSYS ? api.tryMountSetattr(cgroups, false, attr) : all;
    // EINVAL: nothing is mounted there.
    if (result < 0 && result !== -EINVAL) throw OpError.from("mount_setattr", "/sys/fs/cgroup", -result);
  } finally {
    close(cgroups);
  }
}
