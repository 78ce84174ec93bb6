/** What a container's mount of type "cgroup" shows: its own cgroup in each hierarchy. */
import type { CgroupLayout, CgroupPaths, CgroupView } from "./types.ts";

/**
 * The view of these cgroups; on a hybrid host, as in runc, without the unified hierarchy. On v2 a container without
 * a cgroup namespace sees all of the host's, since the paths in its /proc/self/cgroup count from there.
 */
export function cgroupView(layout: CgroupLayout, paths: CgroupPaths, ownNamespace: boolean): CgroupView {
  if (layout.kind === "none") return { mode: "none", ownNamespace, hierarchies: [] };
  const mode = layout.kind === "v2" ? "v2" : "v1";
  const hierarchies = layout.hierarchies.flatMap(({ controllers, mountPoint }) => {
    const [first = ""] = controllers;
    const path = mode === "v1" || ownNamespace ? paths[first] : mountPoint;
    if (path === undefined || (mode === "v1" && first === "")) return [];
    return [{ name: mountPoint.slice(mountPoint.lastIndexOf("/") + 1), path, option: controllers.join(",") }];
  });
  return { mode, ownNamespace, hierarchies };
}
