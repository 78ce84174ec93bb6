/** STAND-IN: replaced by the real file when the branches are merged. */
import type { RuntimeContext } from "../context.ts";

export interface DeleteRequest {
  readonly id: string;
  readonly force: boolean;
}

export function deleteContainer(_context: RuntimeContext, request: DeleteRequest): void {
  if (!request.force) throw new Error("container does not exist");
}
