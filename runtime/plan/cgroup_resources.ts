/**
 * linux.resources as writes to control files. Nothing is touched here: the same configuration and facts give
 * the same writes, in the order in which the kernel accepts them.
 */
import type { LinuxResources } from "../spec/types.ts";
import { planResourcesV1 } from "./cgroup_resources_v1.ts";
import { planResourcesV2 } from "./cgroup_resources_v2.ts";
import { type CgroupFacts, type CgroupPlan, CgroupPlanner } from "./cgroup_write.ts";

export type { CgroupFacts, CgroupPlan, CgroupWrite } from "./cgroup_write.ts";

/** Plans the limits; throws an OpError for a value that is contradictory in itself. */
export function planCgroupResources(resources: LinuxResources | undefined, facts: CgroupFacts): CgroupPlan {
  const planner = new CgroupPlanner();
  if (facts.version === 1) planResourcesV1(planner, resources ?? {}, facts);
  else planResourcesV2(planner, resources ?? {}, facts);
  const { writes, notEnforced, devices } = planner;
  return { writes, notEnforced, devices };
}
