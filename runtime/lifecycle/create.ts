/** STAND-IN: replaced by the real file when the branches are merged. */
import type { HostPath } from "../../syscalls/types.ts";
import type { RuntimeContext } from "../context.ts";

export interface CreateRequest {
  readonly id: string;
  readonly bundle: HostPath;
  readonly consoleSocket?: HostPath;
  readonly pidfdSocket?: HostPath;
  readonly pidFile?: HostPath;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  readonly preserveFds: number;
}

export function createContainer(_context: RuntimeContext, request: CreateRequest): void {
  throw new Error(`create of ${request.id} is not here yet`);
}
