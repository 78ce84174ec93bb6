/** What the parent hands to every process that becomes a user's program: made before the fork. */
import type { Fd, FieldName } from "../../syscalls/types.ts";
import type { CgroupRequest } from "../channel.ts";
import type { CgroupView } from "../plan/cgroup/view.ts";
import type { InitOrder } from "../plan/launch.ts";
import type { ContainerPlan } from "../plan/plan.ts";
import type { SeccompFilter } from "../seccomp/filter.ts";
import type { CgroupFile } from "../self/enter_cgroup.ts";
import type { OpenNamespace } from "../self/join_namespace.ts";

export interface ChildContext {
  /** Where the child and the parent talk (channel.ts). */
  readonly channel: Fd;
  /** The container's filter, compiled; every process in it is subject to it. */
  readonly seccomp: SeccompFilter | undefined;
  /** Where the master of the pty goes. */
  readonly consoleSocket: Fd | undefined;
  /** What become its standard streams; the others are the caller's. */
  readonly streams: readonly Stream[];
  /** Descriptors 3 to 2+N are the user's. */
  readonly preservedFds: number;
}

/** All descriptors that are in it: what the child needs of those that it inherits, and no other. */
export function descriptorsIn({
  channel,
  consoleSocket,
  streams,
}: ChildContext): readonly (Fd | undefined)[] {
  return [channel, consoleSocket, ...streams.map(({ end }) => end)];
}

/** A descriptor that is to be one or two standard streams of the program. */
export interface Stream {
  readonly standards: readonly Fd[];
  readonly end: Fd;
}

/** A move into cgroups: by the process itself through open files, or by the parent, which it asks. */
export type CgroupMove = readonly CgroupFile[] | CgroupRequest;

/** The moves of an init process into its cgroups (plan/cgroup/entry.ts says when each is made). */
export interface CgroupMoves {
  readonly join: CgroupMove;
  readonly leaveMemory: CgroupMove;
  readonly rejoinMemory: CgroupMove;
}

/** What the parent hands to the child: plain values and descriptors, all made before the fork. */
export interface InitContext extends ChildContext {
  readonly plan: ContainerPlan;
  readonly namespaces: readonly OpenNamespace[];
  readonly cgroups: CgroupView;
  /** Opened by the parent: in a user namespace the init process has no right to them. */
  readonly cgroupMoves: CgroupMoves;
  /** What asked for the cgroups. */
  readonly cgroupField: FieldName | undefined;
  /** The parent has hooks to run when the mounts are done. */
  readonly parentHooks: boolean;
  /** What in the order of the steps depends on the configuration. */
  readonly order: InitOrder;
  /** Create: the fifo to wait on, which takes an error after that. Run: undefined, the parent says go. */
  readonly fifo: Fd | undefined;
  /** The state document for hooks, with this pid and status. */
  readonly stateFor: (pid: number, status: "creating" | "created") => string;
}
