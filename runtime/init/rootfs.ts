/** The container's root file system: its mounts before pivot_root, pivot_root itself, and what is hidden after. */

import { asking } from "../../syscalls/asking.ts";
import { EINVAL, ENOENT, ENOTDIR } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_PATH } from "../../syscalls/constants/fcntl.ts";
import { S_IFDIR } from "../../syscalls/constants/stat.ts";
import { OpError } from "../../syscalls/error.ts";
import {
  MNT_DETACH,
  MOUNT_ATTR_RDONLY,
  MS_PRIVATE,
  MS_REC,
  MS_SHARED,
  MS_SLAVE,
  mount,
  pivotRoot,
  umount2,
} from "../../syscalls/mount.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import { closing, scope } from "../../syscalls/scope.ts";
import { fstat, isType } from "../../syscalls/stat.ts";
import { type Fd, failed } from "../../syscalls/types.ts";
import { chroot, fchdir, tryChdir } from "../../syscalls/working_directory.ts";
import { safetyViolation } from "../errors.ts";
import { tryOpenInRoot } from "../path/in_root.ts";
import type { RootfsPlan } from "../plan/mounts/rootfs.ts";
import type { PathStep } from "../plan/plan.ts";
import { isNullDevice } from "../self/standard_streams.ts";
import type { ReadOnlyLater } from "./mount.ts";
import { type MountApi, mountSetattr } from "./mount_api.ts";
import { isSameMountPoint } from "./mount_point.ts";

/**
 * Makes the root file system a mount of its own in this namespace and returns a descriptor of it, the only way
 * in which everything after names the container's files. Whoever calls this must go into it by pivotInto or moveInto.
 */
export function prepareRootfs(api: MountApi, plan: RootfsPlan, needsStaging: boolean): Fd {
  asking("linux.rootfsPropagation", () => mount("", "/", "", plan.hostPropagation, ""));
  return closing(openat(CWD, plan.path, O_PATH | O_DIRECTORY), (place) => {
    // pivot_root(2) refuses a root whose parent mount is shared.
    if (plan.hostPropagation & MS_SHARED) makeParentPrivate(api, place);
    if (needsStaging) api.staging.open(place, plan.path);
    const root = api.cloneTree(place, "", true);
    api.moveMountOnto(root, place, plan.path);
    return root;
  });
}

/** mount_setattr(2) takes only the root of a mount, so climb until one is found. */
function makeParentPrivate(api: MountApi, start: Fd): void {
  scope((owner) => {
    let current = owner.own(openat(start, ".", O_PATH | O_DIRECTORY));
    for (;;) {
      const result = api.tryMountSetattr(current, false, { set: 0, clear: 0, propagation: MS_PRIVATE });
      if (result >= 0) return;
      if (result !== -EINVAL)
        throw OpError.from("mount_setattr", "the parent of the root file system", -result);
      const parent = owner.own(openat(current, "..", O_PATH | O_DIRECTORY));
      owner.closeNow(current);
      current = parent;
    }
  });
}

/**
 * pivot_root(2) into the root file system. With "." for both, the old root is stacked on the new one and no directory
 * for it is needed in the image. It is made slave, so that its unmount stays in this namespace; by a descriptor,
 * since "." is the new root here, whose propagation is the configuration's.
 */
export function pivotInto(root: Fd): void {
  closing(openat(CWD, "/", O_PATH | O_DIRECTORY), (old) => {
    fchdir(root);
    pivotRoot(".", ".");
    fchdir(old);
    mount("", ".", "", MS_SLAVE | MS_REC, "");
    umount2(".", MNT_DETACH);
  });
  const result = tryChdir("/");
  if (result < 0) throw OpError.from("chdir", "/", -result);
}

/**
 * The same without a mount namespace of the container's own: the mount is one of the host, and so is all that is
 * mounted below it, until `delete` unmounts it (lifecycle/host_mount.ts). It is private, so that what is below it is
 * not everywhere where the host's mounts go, and nothing is changed above it: runc makes the host's "/" a slave.
 */
export function prepareOnHost(api: MountApi, plan: RootfsPlan, needsStaging: boolean): Fd {
  return closing(openat(CWD, plan.path, O_PATH | O_DIRECTORY), (place) => {
    if (needsStaging) api.staging.open(place, plan.path);
    const root = api.cloneTree(place, "", true);
    const leave = { set: 0, clear: 0, propagation: MS_PRIVATE };
    mountSetattr(api, root, true, leave, plan.path);
    api.moveMountOnto(root, place, plan.path);
    // What is put on a shared mount is made shared.
    mountSetattr(api, root, true, leave, plan.path);
    return root;
  });
}

/** And where nothing is to be mounted at all: the directory as it is. */
export function openRootfs({ path }: RootfsPlan): Fd {
  return openat(CWD, path, O_PATH | O_DIRECTORY);
}

/** Without a mount namespace of its own the root is changed for this process and its children only. */
export function chrootInto(root: Fd): void {
  fchdir(root);
  chroot(".");
}

/**
 * The last changes of "/" itself: the propagation that a mount there was given, `linux.rootfsPropagation`, then
 * `root.readonly`.
 */
export function finalizeRootfs(api: MountApi, root: Fd, plan: RootfsPlan, ofMount: readonly number[]): void {
  asking("linux.rootfsPropagation", () => {
    for (const propagation of [...ofMount, plan.propagation]) {
      if (propagation === 0) continue;
      const attr = { set: 0, clear: 0, propagation: propagation & ~MS_REC };
      mountSetattr(api, root, (propagation & MS_REC) !== 0, attr, "/");
    }
  });
  if (plan.readonly)
    asking("root.readonly", () =>
      mountSetattr(api, root, false, { set: MOUNT_ATTR_RDONLY, clear: 0, propagation: 0 }, "/"),
    );
}

/**
 * Hides `linux.maskedPaths`, before pivot_root: files behind the host's null device, verified as such, since the
 * image's own proves nothing (CVE-2025-31133); directories behind one empty read-only tmpfs. What is not there
 * needs no hiding.
 */
export function maskPaths(api: MountApi, root: Fd, steps: readonly PathStep[], label: string): void {
  scope((owner) => {
    const nullDevice = owner.own(openNullDevice());
    let tmpfs: Fd | undefined;
    forEachPath(root, steps, (target, path) => {
      if (isSameMountPoint(target, root)) {
        throw safetyViolation(`${path} is the root of the container, which cannot be masked`);
      }
      const put = (mask: Fd): void => api.moveMountOnto(mask, target, path);
      if (!isType(fstat(target), S_IFDIR)) closing(api.cloneTree(nullDevice, "", false), put);
      // A detached mount cannot be cloned before Linux 6.15, but an attached one can: the first use attaches it.
      else if (tmpfs !== undefined) closing(api.cloneTree(tmpfs, "", false), put);
      else {
        tmpfs = owner.own(emptyTmpfs(api, label));
        put(tmpfs);
      }
    });
  });
}

function openNullDevice(): Fd {
  const fd = openat(CWD, "/dev/null", O_PATH);
  if (isNullDevice(fstat(fd))) return fd;
  throw safetyViolation("/dev/null of the host is not the null device");
}

/** As runc's: of the least size, since nothing is ever in it. */
function emptyTmpfs(api: MountApi, label: string): Fd {
  const context = label === "" ? [] : [{ key: "context", value: label }];
  const least = ["nr_blocks", "nr_inodes"].map((key) => ({ key, value: "1" }));
  const options = [{ key: "source", value: "tmpfs" }, { key: "ro" }, ...least, ...context];
  return api.createFilesystem("tmpfs", options, MOUNT_ATTR_RDONLY);
}

/** Makes `linux.readonlyPaths` read-only, keeping their other flags; what is not there is left alone. */
export function makeReadonly(api: MountApi, root: Fd, steps: readonly PathStep[]): void {
  const attr = { set: MOUNT_ATTR_RDONLY, clear: 0, propagation: 0 };
  forEachPath(root, steps, (target, path) => {
    // What is mounted on the root itself is not where the container's processes are.
    if (isSameMountPoint(target, root)) {
      mountSetattr(api, root, false, attr, path);
      return;
    }
    closing(api.cloneTree(target, "", true), (clone) => {
      mountSetattr(api, clone, false, attr, path);
      api.moveMountOnto(clone, target, path);
    });
  });
}

/** Opens each path that is there, links followed within the root, and names the field of what fails. */
function forEachPath(root: Fd, steps: readonly PathStep[], act: (target: Fd, path: string) => void): void {
  for (const { path, from } of steps) {
    asking(from, () => {
      const target = tryOpenInRoot(root, path, O_PATH, "follow-in-root");
      if (target === -ENOENT || target === -ENOTDIR) return;
      if (failed(target)) throw OpError.from("open", path, -target);
      closing(target, () => act(target, path));
    });
  }
}

/** Makes mounts read-only that had to be writable until everything in them was made, and closes them. */
export function makeReadonlyNow(api: MountApi, mounts: readonly ReadOnlyLater[]): void {
  for (const { mounted, from } of mounts) {
    asking(from, () =>
      closing(mounted, () =>
        mountSetattr(api, mounted, false, { set: MOUNT_ATTR_RDONLY, clear: 0, propagation: 0 }),
      ),
    );
  }
}
