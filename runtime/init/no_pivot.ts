/**
 * --no-pivot, for a host whose root is an initramfs, which pivot_root(2) cannot leave: the container's root is moved
 * over "/". What lies below stays mounted, and a process with CAP_SYS_ADMIN that unmounts its own root and joins its
 * own mount namespace again stands there. So everything is unmounted there but the bare root itself: what remains has
 * no /proc, no /sys and no cgroups (runc, rootfs_linux.go, msMoveRoot, unmounts proc and sysfs only).
 */
import { EINVAL, ENOENT, ENOSYS, EPERM } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_PATH } from "../../syscalls/constants/fcntl.ts";
import { OpError } from "../../syscalls/error.ts";
import { readTextAt } from "../../syscalls/io.ts";
import {
  MNT_DETACH,
  MS_REC,
  MS_SLAVE,
  mount,
  tryMount,
  tryUmount2,
  UMOUNT_NOFOLLOW,
} from "../../syscalls/mount.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { fstat } from "../../syscalls/stat.ts";
import type { Fd } from "../../syscalls/types.ts";
import { chroot, fchdir, tryChdir } from "../../syscalls/working_directory.ts";
import { type MountInfo, parseMounts } from "../proc/mountinfo.ts";
import type { MountApi } from "./mount_api.ts";

/** More rounds than anyone stacks mounts on one directory. */
const ROUNDS = 64;

/** Moves the root file system over "/" and goes into it. */
export function moveRoot(api: MountApi, root: Fd, procfs: Fd): void {
  closing(openat(CWD, "/", O_PATH | O_DIRECTORY), (old) => {
    // So that no unmount here is one of the host's too.
    mount("", "/", "", MS_SLAVE, "");
    api.moveMountOnto(root, old, "/");
    const { mountId } = fstat(root);
    if (mountId === 0n) throw OpError.from("statx", "/", ENOSYS, "which says what mount a file is on");
    unmountAllBut(Number(mountId), Number(fstat(old).mountId), procfs);
  });
  fchdir(root);
  chroot(".");
  const result = tryChdir("/");
  if (result < 0) throw OpError.from("chdir", "/", -result);
}

/** Paths still mean the old root here: this process has not changed its root yet. */
function unmountAllBut(kept: number, old: number, procfs: Fd): void {
  for (let round = 0; round < ROUNDS; round++) {
    const children = parseMounts(readTextAt(procfs, "self/mountinfo")).filter(
      ({ id, parent }) => parent === old && id !== kept,
    );
    const removed = children.filter(unmount);
    if (removed.length === 0) return;
  }
}

/** False when there was nothing that could be done, which for a procfs or sysfs is an error. */
function unmount({ mountPoint: path, type }: MountInfo): boolean {
  const slave = tryMount("", path, "", MS_SLAVE | MS_REC, "");
  if (slave === -ENOENT || slave === -EINVAL) return false; // on a path that is hidden or gone
  const result = tryUmount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
  if (result >= 0) return true;
  if (result !== -EINVAL && result !== -EPERM) throw OpError.from("umount", path, -result);
  // A locked mount of another user namespace: hidden, as by runc.
  if (type === "proc" || type === "sysfs") mount("tmpfs", path, "tmpfs", 0, "");
  return false;
}
