/** From a plan or from saved state to the manager that serves this kind of host. */
import { OpError } from "../../syscalls/error.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { planCgroupPaths } from "../plan/cgroup_path.ts";
import type { CgroupLayout, CgroupManager, RecordedCgroup } from "./types.ts";
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

/** The cgroup that state.json remembers. A hybrid has v1 controllers beside "", pure v2 has nothing else. */
export function openCgroup({ cgroupPaths: paths }: RecordedCgroup): CgroupManager {
  const unified: HostPath | undefined = paths[""];
  if (unified !== undefined && Object.keys(paths).length === 1) return new CgroupV2(unified);
  return new CgroupV1(paths);
}

/** Which version's files a plan has to be made for. */
export function cgroupVersion(layout: CgroupLayout): 1 | 2 {
  return layout.kind === "v2" ? 2 : 1;
}
