/** What a cgroup is to the rest of the runtime: one interface, whoever serves it. */
import type { Pid } from "../../syscalls/types.ts";
import type { CgroupDriver, CgroupPaths, SystemdUnit } from "../plan/cgroup/hierarchies.ts";
import type { CgroupPlan } from "../plan/cgroup/write.ts";

/** One container's cgroup in every hierarchy of the host. No method leaves a descriptor open. */
export interface CgroupManager {
  readonly driver: CgroupDriver;
  /** Around the cgroup, when systemd is the driver. */
  readonly unit?: SystemdUnit;
  readonly paths: CgroupPaths;
  /**
   * Makes the directory in every hierarchy, fit for a process to enter; on failure removes what it made. One that
   * exists is taken over. Of the plan it does what has to be done before the first process is in. A driver that is
   * systemd needs the processes that the unit is for, and has them in it when this returns.
   */
  create(plan: CgroupPlan, pids?: readonly Pid[]): void;
  /** Sets the limits of a container that is being made. */
  apply(plan: CgroupPlan): void;
  /** Writes new limits for one that exists, after telling whoever else keeps them (systemd). */
  update(plan: CgroupPlan): void;
  /** Throws CgroupInUse when there are processes in it or it is frozen. */
  requireUsable(): void;
  /** Moves a process into every hierarchy. The first write waits for RCU; see plan/cgroup/entry.ts for the way without. */
  join(pid: Pid): void;
  /** The processes of the whole subtree. */
  processes(): readonly Pid[];
  freezerState(): FreezerState;
  freeze(): void;
  thaw(): void;
  /** Thaws the whole subtree, also what the container has frozen itself: what is to die must run for that on v1. */
  thawAll(): void;
  /** Sends a signal to every process of the subtree, new ones included. A frozen cgroup is thawed by it. */
  killAll(signal: number): void;
  /** Removes the subtree, waiting up to 10 s for dying processes; what is gone already is fine. */
  remove(): void;
  exists(): boolean;
}

export type FreezerState = "thawed" | "frozen";

/** A cgroup that another container, or a paused one, already uses; the words are runc's. */
export class CgroupInUse extends Error {
  override readonly name = "CgroupInUse";
}
