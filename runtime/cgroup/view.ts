/** What a container's mount of type "cgroup" shows: its own cgroup in each hierarchy. */
import type { CgroupLayout, CgroupPaths, CgroupView } from "./types.ts";

/** The view of these cgroups; on a hybrid host, as in runc, without the unified hierarchy. */
export function cgroupView(layout: CgroupLayout, paths: CgroupPaths, ownNamespace: boolean): CgroupView {
  if (layout.kind === "none") return { mode: "none", ownNamespace, hierarchies: [] };
  const mode = layout.kind === "v2" ? "v2" : "v1";
  const hierarchies = layout.hierarchies.flatMap(({ controllers, mountPoint }) => {
    const [first = ""] = controllers;
    const path = paths[first];
    if (path === undefined || (mode === "v1" && first === "")) return [];
    return [{ name: mountPoint.slice(mountPoint.lastIndexOf("/") + 1), path, option: controllers.join(",") }];
  });
  return { mode, ownNamespace, hierarchies };
}
