/** Whether a container's limits are too small for the runtime's own processes that come before the program of exec. */
import { SMALL_MEMORY } from "../plan/cgroup/entry.ts";
import { type CgroupPaths, unifiedOnly } from "../plan/cgroup/hierarchies.ts";
import { tryReadControl } from "./control_file.ts";

/**
 * On pure cgroup v2: a small memory limit, since what clone3 puts into a cgroup is charged to it at once; or a
 * limit of processes that has no room for the two that exec forks, of which only one stays.
 */
export function hasSmallLimits(paths: CgroupPaths): boolean {
  const unified = unifiedOnly(paths);
  if (unified === undefined) return false;
  const read = (file: string): bigint | undefined => {
    const text = tryReadControl(unified, file);
    return text === undefined || text === "max" ? undefined : BigInt(text);
  };
  const memory = read("memory.max");
  const pids = read("pids.max");
  return (
    (memory !== undefined && memory < SMALL_MEMORY) ||
    (pids !== undefined && pids - (read("pids.current") ?? 0n) < 2n)
  );
}
