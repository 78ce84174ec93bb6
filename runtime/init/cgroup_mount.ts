/** The container's view of its own cgroups, for mounts of type "cgroup" (cgroups(7), cgroup_namespaces(7)). */
import {
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MS_PRIVATE,
  MS_REC,
} from "../../syscalls/constants/mount.ts";
import { trySymlinkat } from "../../syscalls/directory.ts";
import { isErrno } from "../../syscalls/error.ts";
import type { FsOption } from "../../syscalls/mount.ts";
import { CWD, close } from "../../syscalls/open.ts";
import type { Fd } from "../../syscalls/types.ts";
import { openOrCreateInRoot } from "../path/in_root.ts";
import type { CgroupView, ShownHierarchy } from "../plan/cgroup/view.ts";
import type { CgroupStep } from "../plan/mounts/mounts.ts";
import { type MountApi, mountSetattr } from "./mount_api.ts";
import { attachMount, mountPoint } from "./mount_point.ts";

/** Mounts the view on the step's destination. */
export function mountCgroups(api: MountApi, root: Fd, step: CgroupStep, view: CgroupView): void {
  if (view.mode === "v1") mountV1(api, root, step, view);
  else if (view.mode === "v2") mountV2(api, root, step, view);
}

/** A tmpfs with a directory for each hierarchy, and a link for each controller of a joint one. */
function mountV1(api: MountApi, root: Fd, step: CgroupStep, view: CgroupView): void {
  const target = mountPoint(root, step.destination, "directory", "cgroup", "refuse");
  const base = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  const tmpfs = api.createFilesystem(
    "tmpfs",
    [
      { key: "source", value: "tmpfs" },
      { key: "mode", value: "755" },
      ...(step.context === undefined ? [] : [{ key: "context", value: step.context }]),
    ],
    base,
  );
  attachMount(api, tmpfs, target, { ...step, propagation: [] });
  const readOnly = step.attributes & MOUNT_ATTR_RDONLY;
  for (const hierarchy of view.hierarchies) {
    const place = openOrCreateInRoot(tmpfs, hierarchy.name, "directory", "refuse");
    const mounted = view.ownNamespace
      ? remounted(api, hierarchy, base | readOnly)
      : bound(api, hierarchy, step.attributes);
    attachMount(api, mounted, place, { ...step, propagation: [] });
    close(mounted);
    const controllers = hierarchy.name.split(",");
    if (controllers.length > 1)
      for (const controller of controllers) trySymlinkat(hierarchy.name, tmpfs, controller);
  }
  if (readOnly !== 0)
    mountSetattr(api, tmpfs, false, { set: readOnly, clear: 0, propagation: 0 }, step.destination);
  finishPropagation(api, tmpfs, step);
  close(tmpfs);
}

function remounted(api: MountApi, { name, option }: ShownHierarchy, attributes: number): Fd {
  const equals = option.indexOf("=");
  const controllers: FsOption[] =
    equals < 0
      ? option.split(",").map((key) => ({ key }))
      : [{ key: "none" }, { key: option.slice(0, equals), value: option.slice(equals + 1) }];
  const source = name === "systemd" ? "systemd" : "cgroup";
  return api.createFilesystem("cgroup", [{ key: "source", value: source }, ...controllers], attributes);
}

function bound(api: MountApi, { path }: ShownHierarchy, attributes: number, propagation = 0): Fd {
  const clone = api.cloneTree(CWD, path, false);
  mountSetattr(api, clone, false, { set: attributes, clear: 0, propagation }, path);
  return clone;
}

/** Bound, not mounted anew: in the host's cgroup namespace that would set the options of the machine's hierarchy. */
function mountV2(api: MountApi, root: Fd, step: CgroupStep, view: CgroupView): void {
  const target = mountPoint(root, step.destination, "directory", "cgroup2", "refuse");
  const [shown] = view.hierarchies;
  if (shown === undefined) return;
  const mounted = view.ownNamespace
    ? namespaceRoot(api, shown, step.attributes)
    : bound(api, shown, step.attributes, MS_PRIVATE);
  attachMount(api, mounted, target, { ...step, propagation: [] });
  finishPropagation(api, mounted, step);
  close(mounted);
}

/**
 * The root of the cgroup namespace; where the kernel refuses that, as runc (rootfs_linux.go, mountCgroupV2), what it
 * would show. Without a namespace it would be a mistake to mount anew: in the first one that takes nsdelegate and the
 * like from the host's mount.
 */
function namespaceRoot(api: MountApi, own: ShownHierarchy, attributes: number): Fd {
  try {
    return api.createFilesystem("cgroup2", [{ key: "source", value: "cgroup" }], attributes);
  } catch (error) {
    if (!isErrno(error, "EPERM", "EBUSY")) throw error;
    return bound(api, own, attributes);
  }
}

function finishPropagation(api: MountApi, mounted: Fd, step: CgroupStep): void {
  for (const change of step.propagation) {
    mountSetattr(api, mounted, true, { set: 0, clear: 0, propagation: change & ~MS_REC }, step.destination);
  }
}
