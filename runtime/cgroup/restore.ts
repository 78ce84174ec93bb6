/** Looks at the files that a plan writes, for a plan that brings them back. */

import type { CgroupPaths } from "../plan/cgroup/hierarchies.ts";
import { unifiedOnly } from "../plan/cgroup/hierarchies.ts";
import { filesChangedBy, restoringWrite } from "../plan/cgroup/restore.ts";
import type { CgroupPlan, CgroupWrite } from "../plan/cgroup/write.ts";
import { tryReadControl } from "./control_file.ts";

/**
 * Of the writes that lead back those that have something to undo. What the kernel refused is as it was, and would be
 * refused again. `now` is the way back as planned from what the files say now.
 */
export function stillDifferent(
  before: readonly CgroupWrite[],
  now: readonly CgroupWrite[],
): readonly CgroupWrite[] {
  const key = ({ controller, file, value }: CgroupWrite) => JSON.stringify([controller, file, value]);
  const there = new Set(now.map(key));
  return before.filter((write) => !there.has(key(write)));
}

/** The way back, last write first: each step then leads to a state that the kernel has accepted before. */
export function planBack(plan: CgroupPlan, paths: CgroupPaths): CgroupPlan {
  const unified = unifiedOnly(paths);
  const writes = plan.writes.flatMap((write) => {
    const directory = unified ?? paths[write.controller];
    if (directory === undefined) return [];
    return filesChangedBy(write).flatMap((file) => {
      // A cpuset with processes in it cannot be made empty again (ENOSPC): it keeps what that came to.
      const own = tryReadControl(directory, file);
      const text = own === "" ? (tryReadControl(directory, `${file}.effective`) ?? own) : own;
      return text === undefined ? [] : [restoringWrite(write, file, text)];
    });
  });
  return { writes: writes.reverse(), notEnforced: [] };
}
