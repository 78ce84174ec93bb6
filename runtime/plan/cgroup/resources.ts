/**
 * linux.resources as writes to control files. Nothing is touched here: the same configuration and facts give
 * the same writes, in the order in which the kernel accepts them.
 */
import type { LinuxResources } from "../../config/types.ts";
import { inWholePercent, planUnitResources } from "../systemd/resources.ts";
import { planResourcesV1 } from "./resources_v1.ts";
import { planResourcesV2 } from "./resources_v2.ts";
import { type CgroupFacts, type CgroupPlan, CgroupPlanner } from "./write.ts";

export type { CgroupFacts, CgroupPlan, CgroupWrite } from "./write.ts";

/** Plans the limits; throws an OpError for a value that is contradictory in itself. */
export function planCgroupResources(asked: LinuxResources | undefined, facts: CgroupFacts): CgroupPlan {
  const planner = new CgroupPlanner();
  const resources = facts.driver === "systemd" ? forSystemd(asked ?? {}) : (asked ?? {});
  if (facts.version === 1) planResourcesV1(planner, resources, facts);
  else planResourcesV2(planner, resources, facts);
  const { writes, notEnforced, devices } = planner;
  if (facts.driver !== "systemd") return { writes, notEnforced, devices };
  return { writes, notEnforced, devices, unit: planUnitResources(resources, facts) };
}

function forSystemd(resources: LinuxResources): LinuxResources {
  return resources.cpu === undefined ? resources : { ...resources, cpu: inWholePercent(resources.cpu) };
}
