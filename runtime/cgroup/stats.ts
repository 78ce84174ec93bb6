/** The statistics of a container's cgroup, whichever version of cgroups the host has. */

import type { CgroupPaths } from "../plan/cgroup/hierarchies.ts";
import { unifiedOnly } from "../plan/cgroup/hierarchies.ts";
import type { CgroupStats } from "./stats_types.ts";
import { readStatsV1 } from "./stats_v1.ts";
import { readStatsV2 } from "./stats_v2.ts";

/** Reads them all; a controller that is not there counts as nothing used. */
export function readStats(paths: CgroupPaths): CgroupStats {
  const unified = unifiedOnly(paths);
  return unified === undefined ? readStatsV1(paths) : readStatsV2(unified);
}
