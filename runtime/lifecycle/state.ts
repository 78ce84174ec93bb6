/** STAND-IN: replaced by the real file when the branches are merged. */
import type { RuntimeContext } from "../context.ts";

export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner: string;
}

export function containerState(_context: RuntimeContext, _id: string): State {
  throw new Error("container does not exist");
}
