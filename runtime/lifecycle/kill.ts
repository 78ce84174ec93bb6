/** STAND-IN: replaced by the real file when the branches are merged. */
import type { RuntimeContext } from "../context.ts";

export interface KillRequest {
  readonly id: string;
  readonly signal: number;
  readonly all: boolean;
}

export function killContainer(_context: RuntimeContext, _request: KillRequest): void {
  throw new Error("container does not exist");
}
