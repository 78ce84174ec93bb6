/** The plan of a further process in a container that exists (exec). */
import type { HostPath } from "../../syscalls/types.ts";
import type { Process, RunnableSpec } from "../config/types.ts";
import { type ExecEntry, execEntry } from "./cgroup/entry.ts";
import type { CgroupPaths } from "./cgroup/hierarchies.ts";
import type { ProgramFacts } from "./host_facts.ts";
import { type ProgramPlan, planProgram } from "./program.ts";

/** What is decided before the process exists. */
export interface ExecPlan extends ProgramPlan {
  readonly entry: ExecEntry;
  /** The file to join by where the container's own unified cgroup takes no processes. */
  readonly initCgroupFile: HostPath | undefined;
  /**
   * Where somebody in the container may look into every process that he sees (CAP_SYS_PTRACE), the second process must
   * not have the right to load a filter: the first loads it, for both. The filter then has to allow what they still do.
   * One that notifies cannot, as its agent is to be told of the second.
   */
  readonly loadsBeforeFork: boolean;
}

/** What is known of the container, besides its configuration. */
export interface ExecFacts extends ProgramFacts {
  /** As state.json has them. */
  readonly cgroupPaths: CgroupPaths;
  /** --cgroup: sub-cgroups of the container's. */
  readonly subCgroups: readonly string[];
  /** Its cgroup has no room for two processes of the runtime (cgroup/small_limits.ts). */
  readonly smallLimits: boolean;
  /** The unified cgroup of its init process, where it matters and is one below the container's. */
  readonly cgroupOfInit: HostPath | undefined;
}

/** Plans `process` for the container of this configuration. Warnings are for the log. */
export function planExec(
  config: RunnableSpec,
  process: Process,
  facts: ExecFacts,
): { readonly plan: ExecPlan; readonly warnings: readonly string[] } {
  const { plan: program, warnings } = planProgram({ ...config, process }, facts);
  const { cgroupPaths, subCgroups, smallLimits, cgroupOfInit } = facts;
  const plan = {
    ...program,
    entry: execEntry(cgroupPaths, subCgroups, smallLimits),
    initCgroupFile: cgroupOfInit && (`${cgroupOfInit}/cgroup.procs` as HostPath),
    loadsBeforeFork:
      program.filterNeedsSysAdmin &&
      program.seccomp?.listener === undefined &&
      (hasPtrace(config.process) || hasPtrace(process)),
  };
  return { plan, warnings };
}

/** Whether somebody with these capabilities may look into every process of the container. */
function hasPtrace({ capabilities }: Process): boolean {
  return capabilities?.bounding?.includes("CAP_SYS_PTRACE") ?? false;
}
