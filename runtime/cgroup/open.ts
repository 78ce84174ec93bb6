/** From a plan or from saved state to the manager that serves this kind of host. */
import { OpError } from "../../syscalls/error.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import { planCgroupPaths } from "../plan/cgroup/path.ts";
import type { CgroupLayout, CgroupPaths, RecordedCgroup, SystemdPlace } from "../plan/cgroup/types.ts";
import { planUnitAnnotations } from "../plan/systemd/annotations.ts";
import { planUnit } from "../plan/systemd/unit.ts";
import type { CgroupManager } from "./manager.ts";
import { SystemdCgroup } from "./systemd.ts";
import { withSystemd } from "./systemd_bus.ts";
import { CgroupV1 } from "./v1.ts";
import { CgroupV2 } from "./v2.ts";

/** What a configuration says about a container's cgroup, besides its limits. */
export interface WantedCgroup {
  readonly id: string;
  readonly cgroupsPath?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The cgroup of a container that is about to be created, by systemd if one is given; nothing is touched yet. */
export function planCgroup(
  wanted: WantedCgroup,
  layout: CgroupLayout,
  systemd?: SystemdPlace,
): CgroupManager {
  if (layout.kind === "none") {
    const hint = "no cgroup file system is mounted";
    throw new OpError({ op: "find cgroups", object: "/proc/self/mountinfo", errno: "ENOENT", hint });
  }
  const { cgroupsPath, id } = wanted;
  if (systemd !== undefined) return planSystemdCgroup(wanted, layout, systemd);
  return openFiles(planCgroupPaths(cgroupsPath, id, layout));
}

function planSystemdCgroup(
  { cgroupsPath, id, annotations = {} }: WantedCgroup,
  layout: CgroupLayout,
  systemd: SystemdPlace,
): SystemdCgroup {
  const user = systemd.bus === "user";
  if (user && layout.kind !== "v2")
    throw new RuntimeError("unsupported", "cannot use rootless systemd cgroups manager on cgroup v1");
  const annotated = planUnitAnnotations(annotations);
  const plan = planUnit(cgroupsPath, id, user);
  const base = user ? withSystemd(systemd, (manager) => manager.controlGroup()) : "";
  const path = `${base}${plan.path}`;
  const paths: Record<string, HostPath> = {};
  for (const { controllers, mountPoint } of layout.hierarchies)
    for (const controller of controllers) paths[controller] = `${mountPoint}${path}` as HostPath;
  return new SystemdCgroup(openFiles(paths), { ...systemd, name: plan.name }, { plan, path, annotated });
}

/** The cgroup that state.json remembers. */
export function openCgroup({ cgroupPaths, systemd }: RecordedCgroup): CgroupManager {
  const files = openFiles(cgroupPaths);
  return systemd === undefined ? files : new SystemdCgroup(files, systemd);
}

function openFiles(paths: CgroupPaths): CgroupManager {
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
