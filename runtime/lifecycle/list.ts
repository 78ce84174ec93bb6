/** STAND-IN: replaced by the real file when the branches are merged. */
import type { RuntimeContext } from "../context.ts";
import type { State } from "./state.ts";

export function listContainers(_context: RuntimeContext): readonly (State & { owner: string })[] {
  return [];
}
