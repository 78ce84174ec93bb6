/** What becomes of a program in a container: the half of a plan that is the same for its first and for those of exec. */
import { CLONE_NEWUSER } from "../../syscalls/constants/sched.ts";
import type { Spec } from "../config/types.ts";
import { RuntimeError } from "../errors.ts";
import { ALL_CAPABILITIES } from "./capabilities.ts";
import type { ProgramFacts } from "./host_facts.ts";
import { type LsmPlan, planLsm } from "./lsm.ts";
import { type MemoryPolicyPlan, planMemoryPolicy } from "./memory_policy.ts";
import { type NamespacePlan, planNamespaces } from "./namespaces.ts";
import { planPersonality } from "./personality.ts";
import { type ProcessPlan, planProcess } from "./process.ts";
import { refuseGroups } from "./rootless.ts";
import { planSeccomp, type SeccompPlan } from "./seccomp/filter.ts";

/** Who the program is, what it may do, and which namespaces it is in. */
export interface ProgramPlan {
  readonly namespaces: NamespacePlan;
  readonly process: ProcessPlan;
  readonly lsm: LsmPlan;
  readonly seccomp: SeccompPlan | undefined;
  /** seccomp(2): without no_new_privs, loading a filter takes CAP_SYS_ADMIN. */
  readonly filterNeedsSysAdmin: boolean;
  /** The argument of personality(2). */
  readonly personality: number | undefined;
  readonly memoryPolicy: MemoryPolicyPlan | undefined;
}

/** Plans `process` of a configuration, and what it shares with every other process of the container. */
export function planProgram(
  config: Spec,
  facts: ProgramFacts,
): { readonly plan: ProgramPlan; readonly warnings: readonly string[] } {
  if (config.process === undefined)
    throw new RuntimeError("invalid-argument", "process property must not be empty");
  const { linux = {} } = config;
  refuseGroups(config.process.user?.additionalGids, linux, facts);
  const namespaces = planNamespaces(linux);
  // The root of a user namespace has every capability there, whatever this runtime lacks itself.
  const available = namespaces.own & CLONE_NEWUSER ? ALL_CAPABILITIES : facts.capabilities;
  const { plan: process, warnings } = planProcess(config.process, available, config.annotations);
  const seccomp = planSeccomp(linux.seccomp);
  const plan = {
    namespaces,
    process,
    lsm: planLsm(config, facts.lsm),
    seccomp,
    filterNeedsSysAdmin: seccomp !== undefined && !process.noNewPrivileges,
    personality: planPersonality(linux.personality),
    memoryPolicy: planMemoryPolicy(linux.memoryPolicy),
  };
  return { plan, warnings };
}
