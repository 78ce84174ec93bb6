/** What a container's mount of type "cgroup" shows: of v1 its own cgroup in each hierarchy, of v2 what runc shows. */
import { CLONE_NEWCGROUP, CLONE_NEWUSER } from "../../syscalls/constants/sched.ts";
import type { CgroupLayout, CgroupPaths, CgroupView } from "./types.ts";

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
  const hierarchies = layout.hierarchies.flatMap(({ controllers, mountPoint }) => {
    const [first = ""] = controllers;
    const path = whole ? mountPoint : paths[first];
    if (path === undefined || (mode === "v1" && first === "")) return [];
    return [{ name: mountPoint.slice(mountPoint.lastIndexOf("/") + 1), path, option: controllers.join(",") }];
  });
  return { mode, ownNamespace, hierarchies };
}
