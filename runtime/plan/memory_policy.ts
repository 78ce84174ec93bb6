/** The NUMA memory policy (config-linux.md "Memory policy", set_mempolicy(2)). */
import * as P from "../../syscalls/constants/mempolicy.ts";
import { type Listed, parseNumberList } from "../config/number_list.ts";
import type { LinuxMemoryPolicy, MemoryPolicyFlag, MemoryPolicyMode } from "../config/types.ts";

/** What set_mempolicy gets. */
export interface MemoryPolicyPlan {
  /** The mode with its flags. */
  readonly mode: number;
  /** In order, each once. */
  readonly nodes: readonly number[];
  /** The mode's name and the nodes as they were given, for an error. */
  readonly text: string;
}

const modes: Readonly<Record<MemoryPolicyMode, number>> = {
  MPOL_DEFAULT: P.MPOL_DEFAULT,
  MPOL_PREFERRED: P.MPOL_PREFERRED,
  MPOL_BIND: P.MPOL_BIND,
  MPOL_INTERLEAVE: P.MPOL_INTERLEAVE,
  MPOL_LOCAL: P.MPOL_LOCAL,
  MPOL_PREFERRED_MANY: P.MPOL_PREFERRED_MANY,
  MPOL_WEIGHTED_INTERLEAVE: P.MPOL_WEIGHTED_INTERLEAVE,
};

const flags: Readonly<Record<MemoryPolicyFlag, number>> = {
  MPOL_F_NUMA_BALANCING: P.MPOL_F_NUMA_BALANCING,
  MPOL_F_RELATIVE_NODES: P.MPOL_F_RELATIVE_NODES,
  MPOL_F_STATIC_NODES: P.MPOL_F_STATIC_NODES,
};

/** The kernel refuses a mask of more than a page of bits; no machine has as many nodes. */
const NODES: Listed = { field: "linux.memoryPolicy.nodes", one: "node", many: "nodes", below: 4096 * 8 };

/** Plans `linux.memoryPolicy`. */
export function planMemoryPolicy(policy: LinuxMemoryPolicy | undefined): MemoryPolicyPlan | undefined {
  if (policy === undefined) return undefined;
  const { mode, nodes = "" } = policy;
  return {
    mode: (policy.flags ?? []).reduce((all, flag) => all | flags[flag], modes[mode]),
    nodes: parseNumberList(nodes, NODES),
    text: nodes === "" ? mode : `${mode} ${nodes}`,
  };
}
