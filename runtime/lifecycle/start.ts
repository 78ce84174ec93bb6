/** STAND-IN: replaced by the real file when the branches are merged. */
import type { RuntimeContext } from "../context.ts";

export function startContainer(_context: RuntimeContext, _id: string): void {
  throw new Error("container does not exist");
}
