/** What create and run have while a container is being made. */
import type { Fd, FieldName } from "../../syscalls/types.ts";
import type { CgroupManager } from "../cgroup/manager.ts";
import type { RunnableSpec } from "../config/types.ts";
import type { RuntimeContext } from "../context.ts";
import type { SeccompFilter } from "../seccomp/filter.ts";
import type { SavedState, StateDir } from "../state/store.ts";
import type { LaunchMode } from "./launch.ts";
import type { CreateRequest, Prepared } from "./prepare.ts";
import type { Undo } from "./undo.ts";
export interface Making extends Omit<Prepared, "cgroup"> {
  readonly cgroup: CgroupManager;
  readonly context: RuntimeContext;
  readonly request: CreateRequest;
  readonly mode: LaunchMode;
  readonly seccomp: SeccompFilter | undefined;
  readonly pidfdSocket: Fd | undefined;
  readonly dir: StateDir;
  /** The first record, of a container that has no process yet. */
  readonly recorded: SavedState;
  readonly spec: RunnableSpec;
  readonly undo: Undo;
}

/** What asked for the cgroup's place; none when it is of the runtime's choice. */
export function cgroupField({ spec }: Making): FieldName | undefined {
  return spec.linux?.cgroupsPath ? "linux.cgroupsPath" : undefined;
}
