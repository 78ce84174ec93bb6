/**
 * The mount that the root file system of a container without a mount namespace is on the host, and everything below
 * it. runc leaves that behind; here it goes when the container does.
 */

import { EINVAL } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_NOFOLLOW, O_PATH } from "../../syscalls/constants/fcntl.ts";
import { OpError } from "../../syscalls/error.ts";
import { MNT_DETACH, tryUmount2, UMOUNT_NOFOLLOW } from "../../syscalls/mount.ts";
import { CWD, openat, tryOpenat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { fstat } from "../../syscalls/stat.ts";
import { failed, type HostPath } from "../../syscalls/types.ts";
import { type MountInfo, readMounts } from "../proc/mountinfo.ts";
import type { SavedState } from "../state/store.ts";

/** The id of the mount that the directory is on, to know later what was mounted on it since (statx(2)). */
export function mountIdOf(rootfs: HostPath): number {
  return Number(closing(openat(CWD, rootfs, O_PATH | O_DIRECTORY), fstat).mountId);
}

/** Unmounts what the container has mounted on the host, if anything. */
export function unmountHostMounts({ rootfs, mountedOn }: SavedState): void {
  if (mountedOn !== undefined) unmountRootfs(rootfs, mountedOn);
}

/**
 * Unmounts what is mounted on the directory, and what is below that, down to the mount with the id `before`. Does
 * nothing where that one is not below: then these are not the container's mounts, as in another mount namespace.
 */
function unmountRootfs(rootfs: HostPath, before: number): void {
  const fd = tryOpenat(CWD, rootfs, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (failed(fd)) return;
  const top = Number(closing(fd, fstat).mountId);
  const ours = mountsAbove(top, before, readMounts());
  for (let left = ours; left > 0; left--) {
    // Detached: a process that another one left in there must not keep it.
    const result = tryUmount2(rootfs, MNT_DETACH | UMOUNT_NOFOLLOW);
    if (result === -EINVAL) return; // on another directory than this
    if (result < 0) throw OpError.from("umount", rootfs, -result);
  }
}

/** How many mounts there are from `top` down to `before`, which is not counted; 0 where they do not lead there. */
export function mountsAbove(
  top: number,
  before: number,
  mounts: readonly Pick<MountInfo, "id" | "parent">[],
): number {
  const parents = new Map(mounts.map(({ id, parent }) => [id, parent]));
  let count = 0;
  for (let id: number | undefined = top; id !== before; id = parents.get(id), count++)
    if (id === undefined || count > parents.size) return 0;
  return count;
}
