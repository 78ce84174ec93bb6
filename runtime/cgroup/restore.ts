/** Looks at the files that a plan writes, for a plan that brings them back. */
import { filesChangedBy, restoringWrite } from "../plan/cgroup_restore.ts";
import type { CgroupPlan } from "../plan/cgroup_write.ts";
import { tryReadControl } from "./control_file.ts";
import { unifiedOnly } from "./open.ts";
import type { CgroupPaths } from "./types.ts";

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
