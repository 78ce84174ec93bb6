/** Where the cgroup of a container that is about to be created will be, and who makes it. */

import { OpError } from "../../../syscalls/error.ts";
import type { HostPath } from "../../../syscalls/types.ts";
import { RuntimeError } from "../../errors.ts";
import type { SystemdFacts } from "../host_facts.ts";
import { planUnitAnnotations } from "../systemd/annotations.ts";
import { planUnit, type UnitToMake } from "../systemd/unit.ts";
import type { CgroupLayout, CgroupPaths, SystemdUnit } from "./hierarchies.ts";
import { planCgroupPaths } from "./path.ts";

/** What a configuration says about a container's cgroup, besides its limits. */
export interface WantedCgroup {
  readonly id: string;
  readonly cgroupsPath?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** Where it will be. */
export interface CgroupPlace {
  readonly paths: CgroupPaths;
  /** Around it, when systemd is the driver. */
  readonly systemd?: { readonly unit: SystemdUnit; readonly toMake: UnitToMake };
}

/**
 * Plans it, by systemd if there is one to make it. With `rights` and no path asked for it is only in the hierarchies with
 * these mount points, perhaps in none.
 */
export function planCgroupPlace(
  wanted: WantedCgroup,
  layout: CgroupLayout,
  systemd?: SystemdFacts,
  rights?: ReadonlySet<HostPath>,
): CgroupPlace {
  const { cgroupsPath, id } = wanted;
  const lenient = rights !== undefined && !cgroupsPath;
  if (layout.kind === "none" && !lenient) {
    const hint = "no cgroup file system is mounted";
    throw new OpError({ op: "find cgroups", object: "/proc/self/mountinfo", errno: "ENOENT", hint });
  }
  if (systemd !== undefined) return placeOfUnit(wanted, layout, systemd);
  const hierarchies = layout.hierarchies.filter(({ mountPoint }) => !lenient || rights.has(mountPoint));
  return { paths: planCgroupPaths(cgroupsPath, id, { ...layout, hierarchies }) };
}

function placeOfUnit(
  { cgroupsPath, id, annotations = {} }: WantedCgroup,
  layout: CgroupLayout,
  { controlGroup, ...systemd }: SystemdFacts,
): CgroupPlace {
  const user = systemd.bus === "user";
  if (user && layout.kind !== "v2")
    throw new RuntimeError("unsupported", "cannot use rootless systemd cgroups manager on cgroup v1");
  const annotated = planUnitAnnotations(annotations);
  const plan = planUnit(cgroupsPath, id, user);
  const path = `${controlGroup}${plan.path}`;
  const paths: Record<string, HostPath> = {};
  for (const { controllers, mountPoint } of layout.hierarchies)
    for (const controller of controllers) paths[controller] = `${mountPoint}${path}` as HostPath;
  return { paths, systemd: { unit: { ...systemd, name: plan.name }, toMake: { plan, path, annotated } } };
}
