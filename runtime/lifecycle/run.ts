/** STAND-IN: replaced by the real file when the branches are merged. */
import type { RuntimeContext } from "../context.ts";
import type { CreateRequest } from "./create.ts";

export interface RunRequest extends CreateRequest {
  readonly detach: boolean;
  readonly keep: boolean;
  readonly noSubreaper: boolean;
}

export function runContainer(_context: RuntimeContext, request: RunRequest): number {
  throw new Error(`run of ${request.id} is not here yet`);
}
