/** The user's process (config.md "Process"): who it is, what it may do, what it is given. */
import type { ContainerPath } from "../../syscalls/types.ts";
import type { Process } from "../config/types.ts";
import { type CapabilityPlan, planCapabilities } from "./capabilities.ts";
import { planRlimits, type RlimitStep } from "./rlimits.ts";
import {
  type AffinityPlan,
  type IoPriorityPlan,
  planAffinity,
  planIoPriority,
  planScheduler,
  type SchedulerPlan,
} from "./scheduling.ts";

const KEEP_GROUPS = "run.oci.keep_original_groups";

/** Everything that the container process is at its execve. */
export interface ProcessPlan {
  readonly args: readonly string[];
  /** Without duplicates; HOME is added in the container when it is missing. */
  readonly env: readonly string[];
  readonly cwd: ContainerPath;
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** As crun: the annotation run.oci.keep_original_groups leaves the caller's groups, whatever the configuration's are. */
  readonly keepGroups: boolean;
  /** undefined leaves the umask that the init process has. */
  readonly umask: number | undefined;
  readonly capabilities: CapabilityPlan;
  readonly rlimits: readonly RlimitStep[];
  readonly noNewPrivileges: boolean;
  /** undefined must not be written (config.md). */
  readonly oomScoreAdj: number | undefined;
  readonly scheduler: SchedulerPlan | undefined;
  readonly ioPriority: IoPriorityPlan | undefined;
  /** For exec only. */
  readonly affinity: AffinityPlan;
  readonly terminal: boolean;
  readonly consoleSize: { readonly rows: number; readonly columns: number } | undefined;
}

/** Plans `process`; `available` is the mask of capabilities that the runtime has itself. */
export function planProcess(
  process: Process,
  available: bigint,
  annotations: Readonly<Record<string, string>> = {},
): { readonly plan: ProcessPlan; readonly warnings: readonly string[] } {
  const capabilities = planCapabilities(process.capabilities, available);
  const { height = 0, width = 0 } = process.consoleSize ?? {};
  const plan: ProcessPlan = {
    args: process.args,
    env: lastOfEach(process.env ?? []),
    cwd: process.cwd as ContainerPath,
    uid: process.user?.uid ?? 0,
    gid: process.user?.gid ?? 0,
    additionalGids: process.user?.additionalGids ?? [],
    keepGroups: (annotations[KEEP_GROUPS] ?? "0") !== "0",
    umask: process.user?.umask,
    capabilities: capabilities.plan,
    rlimits: planRlimits(process.rlimits ?? []),
    noNewPrivileges: process.noNewPrivileges ?? false,
    oomScoreAdj: process.oomScoreAdj,
    scheduler: planScheduler(process.scheduler),
    ioPriority: planIoPriority(process.ioPriority),
    affinity: planAffinity(process.execCPUAffinity),
    terminal: process.terminal ?? false,
    consoleSize: height > 0 && width > 0 ? { rows: height, columns: width } : undefined,
  };
  return { plan, warnings: capabilities.warnings };
}

/** Of variables given more than once the last counts, in the place of the last. */
function lastOfEach(env: readonly string[]): string[] {
  const last = new Map<string, string>();
  for (const entry of env) {
    const equals = entry.indexOf("=");
    const name = equals < 0 ? entry : entry.slice(0, equals);
    last.delete(name);
    last.set(name, entry);
  }
  return [...last.values()];
}
