/** From a plan or from saved state to the manager that serves this kind of host. */
import { RuntimeError } from "../errors.ts";
import { type CgroupPaths, type RecordedCgroup, unifiedOnly } from "../plan/cgroup/hierarchies.ts";
import type { CgroupPlace } from "../plan/cgroup/place.ts";
import type { CgroupManager } from "./manager.ts";
import { SystemdCgroup } from "./systemd.ts";
import { CgroupV1 } from "./v1.ts";
import { CgroupV2 } from "./v2.ts";

/** The cgroup of a container that is about to be created; nothing is touched yet. */
export function newCgroup({ paths, systemd }: CgroupPlace): CgroupManager {
  const files = openFiles(paths);
  return systemd === undefined ? files : new SystemdCgroup(files, systemd.unit, systemd.toMake);
}

/** The cgroup that state.json remembers. */
export function openCgroup({ cgroupPaths, systemd }: RecordedCgroup): CgroupManager {
  const files = openFiles(cgroupPaths);
  return systemd === undefined ? files : new SystemdCgroup(files, systemd);
}

/** The same, for what cannot be done without one: a user may have had no right to any (host/cgroup_rights.ts). */
export function requireCgroup(recorded: RecordedCgroup): CgroupManager {
  if (Object.keys(recorded.cgroupPaths).length > 0) return openCgroup(recorded);
  const why = "there was no permission to make one when it was created";
  throw new RuntimeError("unsupported", `the container has no cgroup: ${why}`);
}

function openFiles(paths: CgroupPaths): CgroupManager {
  const unified = unifiedOnly(paths);
  return unified === undefined ? new CgroupV1(paths) : new CgroupV2(unified);
}
