/** What a container's mount of type "cgroup" shows: of v1 its own cgroup in each hierarchy, of v2 what runc shows. */
import { CLONE_NEWCGROUP, CLONE_NEWUSER } from "../../../syscalls/constants/sched.ts";
import type { HostPath } from "../../../syscalls/types.ts";
import type { CgroupLayout, CgroupPaths } from "./hierarchies.ts";

/** One hierarchy as the container is to see it. */
export interface ShownHierarchy {
  /** The directory's name: "memory", "cpu,cpuacct", "systemd". */
  readonly name: string;
  /** The directory to bind: the container's own cgroup, on v2 without a cgroup namespace the mount point. */
  readonly path: HostPath;
  /** On v1 what mounts the same hierarchy again: "memory", "cpu,cpuacct", "name=systemd". */
  readonly option: string;
}

/** What there is to show. */
export interface CgroupView {
  readonly mode: "v1" | "v2" | "none";
  /** With a cgroup namespace the file system itself is mounted, without one the path is bound. */
  readonly ownNamespace: boolean;
  readonly hierarchies: readonly ShownHierarchy[];
}

/**
 * The view of these cgroups, for a container with namespaces of its own of these kinds (CLONE_NEW* flags). On a
 * hybrid host it is without the unified hierarchy, as in runc. On v2 a container in the host's cgroup namespace
 * sees the whole hierarchy, in which /proc/self/cgroup says where it is; in a user namespace only its own part.
 */
export function cgroupView(layout: CgroupLayout, paths: CgroupPaths, namespaces: number): CgroupView {
  const ownNamespace = (namespaces & CLONE_NEWCGROUP) !== 0;
  if (layout.kind === "none") return { mode: "none", ownNamespace, hierarchies: [] };
  const mode = layout.kind === "v2" ? "v2" : "v1";
  const whole = mode === "v2" && (namespaces & CLONE_NEWUSER) === 0;
  const hierarchies = layout.hierarchies.flatMap(({ controllers, mountPoint, own }) => {
    const [first = ""] = controllers;
    if (mode === "v1" && first === "") return [];
    // Where it has none (rootless.ts) the container stays in the runtime's own.
    const its = paths[first] ?? (`${mountPoint}${own === "/" ? "" : own}` as HostPath);
    const path = whole ? mountPoint : its;
    return [{ name: mountPoint.slice(mountPoint.lastIndexOf("/") + 1), path, option: controllers.join(",") }];
  });
  return { mode, ownNamespace, hierarchies };
}
