/** From a plan or from saved state to the manager that serves this kind of host. */
import { OpError } from "../../syscalls/error.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { planCgroupPaths } from "../plan/cgroup_path.ts";
import type { CgroupLayout, CgroupManager, CgroupPaths, RecordedCgroup } from "./types.ts";
import { CgroupV1 } from "./v1.ts";
import { CgroupV2 } from "./v2.ts";

/** The cgroup of a container that is about to be created; nothing is touched yet. */
export function planCgroup(cgroupsPath: string | undefined, id: string, layout: CgroupLayout): CgroupManager {
  if (layout.kind === "none") {
    const hint = "no cgroup file system is mounted";
    throw new OpError({ op: "find cgroups", object: "/proc/self/mountinfo", errno: "ENOENT", hint });
  }
  return openCgroup({ cgroupPaths: planCgroupPaths(cgroupsPath, id, layout) });
}

/** The cgroup that state.json remembers. */
export function openCgroup({ cgroupPaths: paths }: RecordedCgroup): CgroupManager {
  const unified = unifiedOnly(paths);
  return unified === undefined ? new CgroupV1(paths) : new CgroupV2(unified);
}

/** The one directory of pure v2; a hybrid has v1 controllers beside "". */
export function unifiedOnly(paths: CgroupPaths): HostPath | undefined {
  return Object.keys(paths).length === 1 ? paths[""] : undefined;
}

/** Which version's files a plan has to be made for. */
export function cgroupVersion(layout: CgroupLayout): 1 | 2 {
  return layout.kind === "v2" ? 2 : 1;
}
