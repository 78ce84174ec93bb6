/** The NUMA memory policy (config-linux.md "Memory policy", set_mempolicy(2)). */
import * as P from "../../syscalls/constants/mempolicy.ts";
import { RuntimeError } from "../errors.ts";
import type { LinuxMemoryPolicy, MemoryPolicyFlag, MemoryPolicyMode } from "../spec/types.ts";

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
const MOST_NODES = 4096 * 8;

/** Plans `linux.memoryPolicy`. */
export function planMemoryPolicy(policy: LinuxMemoryPolicy | undefined): MemoryPolicyPlan | undefined {
  if (policy === undefined) return undefined;
  const { mode, nodes = "" } = policy;
  return {
    mode: (policy.flags ?? []).reduce((all, flag) => all | flags[flag], modes[mode]),
    nodes: parseNodeList(nodes),
    text: nodes === "" ? mode : `${mode} ${nodes}`,
  };
}

/** "0-3,7" → 0, 1, 2, 3, 7. */
export function parseNodeList(text: string): number[] {
  const nodes = new Set<number>();
  for (const part of text.split(",").map((piece) => piece.trim())) {
    if (part === "") continue;
    const range = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(part);
    const first = Number(range?.[1]);
    const last = Number(range?.[2] ?? range?.[1]);
    if (range === null || first > last || last >= MOST_NODES) {
      throw new RuntimeError(
        "invalid-argument",
        `linux.memoryPolicy.nodes: ${JSON.stringify(part)} is no node and no range of nodes below ${MOST_NODES}`,
      );
    }
    for (let node = first; node <= last; node++) nodes.add(node);
  }
  return [...nodes].sort((a, b) => a - b);
}

/** A bit for each node, in as many words as the highest needs. */
export function nodeMask(nodes: readonly number[]): BigUint64Array {
  const highest = nodes.at(-1);
  const mask = new BigUint64Array(highest === undefined ? 0 : Math.floor(highest / 64) + 1);
  for (const node of nodes) {
    const word = Math.floor(node / 64);
    mask[word] = (mask[word] ?? 0n) | (1n << BigInt(node % 64));
  }
  return mask;
}
