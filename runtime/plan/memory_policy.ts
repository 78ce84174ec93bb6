/** The NUMA memory policy (config-linux.md "Memory policy", set_mempolicy(2)). */
import { bitsOf, memoryPolicyFlags, memoryPolicyModes } from "../config/names.ts";
import { type Listed, parseNumberList } from "../config/number_list.ts";
import type { LinuxMemoryPolicy } from "../config/types.ts";

/** What set_mempolicy gets. */
export interface MemoryPolicyPlan {
  /** The mode with its flags. */
  readonly mode: number;
  /** In order, each once. */
  readonly nodes: readonly number[];
  /** The mode's name and the nodes as they were given, for an error. */
  readonly text: string;
}

/** The kernel refuses a mask of more than a page of bits; no machine has as many nodes. */
const NODES: Listed = { field: "linux.memoryPolicy.nodes", one: "node", many: "nodes", below: 4096 * 8 };

/** Plans `linux.memoryPolicy`. */
export function planMemoryPolicy(policy: LinuxMemoryPolicy | undefined): MemoryPolicyPlan | undefined {
  if (policy === undefined) return undefined;
  const { mode, nodes = "" } = policy;
  return {
    mode: memoryPolicyModes[mode] | bitsOf(memoryPolicyFlags, policy.flags ?? []),
    nodes: parseNumberList(nodes, NODES),
    text: nodes === "" ? mode : `${mode} ${nodes}`,
  };
}
