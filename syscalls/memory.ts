/** set_mempolicy(2). */
import { call } from "./syscall.ts";

/** set_mempolicy(2): `mode` with its flags, and a bit for each node. No nodes are a null mask. */
export function setMempolicy(mode: number, nodeMask: BigUint64Array, object: string): void {
  const none = nodeMask.length === 0;
  // The kernel takes one off before it counts the bits (mm/mempolicy.c, get_nodes).
  const maxnode = none ? 0 : nodeMask.length * 64 + 1;
  call("set_mempolicy", [mode, none ? null : nodeMask, maxnode], object);
}
