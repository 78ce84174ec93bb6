/** How this host mounts cgroups, from as few files as can tell: none but a statfs on a host with only v2. */

import { ENOENT, ENOTDIR } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_PATH } from "../../syscalls/constants/fcntl.ts";
import { CGROUP2_SUPER_MAGIC } from "../../syscalls/constants/magic.ts";
import { OpError } from "../../syscalls/error.ts";
import { CWD, tryOpenat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { fstatfs } from "../../syscalls/stat.ts";
import { failed, type HostPath, type Pid } from "../../syscalls/types.ts";
import type { CgroupHierarchy, CgroupLayout, CgroupPaths } from "../plan/cgroup/hierarchies.ts";
import { type OwnCgroups, readCgroups } from "../proc/cgroup.ts";
import { type MountInfo, readMounts } from "../proc/mountinfo.ts";

const CGROUP_ROOT = "/sys/fs/cgroup" as HostPath;

/** What runc puts a container in; other named hierarchies are left alone. */
const known = new Set(
  "cpuset devices memory cpu cpuacct pids blkio hugetlb net_cls net_prio perf_event freezer rdma misc name=systemd".split(
    " ",
  ),
);

/** Reads the layout of this process's mount namespace. */
export function detectCgroups(): CgroupLayout {
  const own = readCgroups("self");
  if (onlyCgroup2()) {
    const hierarchy = { controllers: [""], mountPoint: CGROUP_ROOT, own: own.get("") ?? "/" };
    return { kind: "v2", hierarchies: [hierarchy] };
  }
  return cgroupLayout(readMounts(isCgroup), own);
}

/** The unified cgroup in which a process is, where that is one below the container's own. */
export function unifiedCgroupOf(pid: Pid, container: CgroupPaths): HostPath | undefined {
  const path = readCgroups(pid).get("");
  const unified = detectCgroups().hierarchies.find(({ controllers }) => controllers[0] === "");
  if (path === undefined || unified === undefined) return undefined;
  const cgroup = `${unified.mountPoint}${path}` as HostPath;
  return cgroup.startsWith(`${container[""]}/`) && !cgroup.includes("/../") ? cgroup : undefined;
}

/** Whether this host has the unified hierarchy and nothing else. */
export function onlyCgroup2(): boolean {
  const fd = tryOpenat(CWD, CGROUP_ROOT, O_PATH | O_DIRECTORY);
  if (fd === -ENOENT || fd === -ENOTDIR) return false;
  if (failed(fd)) throw OpError.from("open", CGROUP_ROOT, -fd);
  return closing(fd, () => fstatfs(fd).magic === CGROUP2_SUPER_MAGIC);
}

const isCgroup = (type: string): boolean => type.startsWith("cgroup");

/** The layout from mounts of types "cgroup" and "cgroup2", and from where this process is in them. */
export function cgroupLayout(mounts: readonly MountInfo[], own: OwnCgroups): CgroupLayout {
  const hierarchies: CgroupHierarchy[] = [];
  const seen = new Set<string>();
  for (const { type, root, mountPoint, options } of mounts) {
    const names = type === "cgroup2" ? [""] : options.split(",").filter((option) => known.has(option));
    const controllers = names.filter((name) => own.has(name) && !seen.has(name));
    const [first] = controllers;
    if (first === undefined) continue;
    for (const name of controllers) seen.add(name);
    hierarchies.push({ controllers, mountPoint, own: within(root, own.get(first) ?? "/") });
  }
  return { kind: kindOf(seen), hierarchies };
}

function kindOf(controllers: ReadonlySet<string>): CgroupLayout["kind"] {
  if (controllers.size === 0) return "none";
  if (!controllers.has("")) return "v1";
  return controllers.size === 1 ? "v2" : "hybrid";
}

/** In a container without a cgroup namespace the kernel tells paths of the host, and the mount begins below. */
function within(root: string, path: string): string {
  if (root === "/") return path;
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) || "/" : "/";
}
