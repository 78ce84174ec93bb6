/** What a cgroup is to the rest of the runtime: one interface, and the facts about the host that choose who serves it. */
import type { HostPath, Pid } from "../../syscalls/types.ts";
import type { CgroupPlan } from "../plan/cgroup_write.ts";

/** state.json remembers this: controller → absolute path on the host; "" is the unified hierarchy. */
export type CgroupPaths = Readonly<Record<string, HostPath>>;

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
  /** Moves a process into every hierarchy. The first write waits for RCU; see entry.ts for the way without. */
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

/** Who makes the cgroup and is told its limits: this runtime, or systemd on its behalf (--systemd-cgroup). */
export type CgroupDriver = "cgroupfs" | "systemd";

/** Which systemd: the system's, or a user's own, then with the address of the session's message bus. */
export interface SystemdPlace {
  readonly bus: "system" | "user";
  readonly address?: string;
}

/** The unit of systemd around a container's cgroup. */
export interface SystemdUnit extends SystemdPlace {
  readonly name: string;
}

/** Where a container's cgroup is, as state.json has it. */
export interface RecordedCgroup {
  readonly cgroupPaths: CgroupPaths;
  readonly systemd?: SystemdUnit;
}

export type FreezerState = "thawed" | "frozen";

/** A mounted hierarchy. */
export interface CgroupHierarchy {
  /** Names as state.json has them: ["cpu", "cpuacct"], ["name=systemd"], [""] for the unified one. */
  readonly controllers: readonly string[];
  readonly mountPoint: HostPath;
  /** This process's own cgroup, from the mount point: "/" or "/user.slice". */
  readonly own: string;
}

/** How the host mounts its cgroups. */
export interface CgroupLayout {
  readonly kind: "v1" | "hybrid" | "v2" | "none";
  readonly hierarchies: readonly CgroupHierarchy[];
}

/** A cgroup that another container, or a paused one, already uses; the words are runc's. */
export class CgroupInUse extends Error {
  override readonly name = "CgroupInUse";
}

/** One hierarchy as the container is to see it. */
export interface ShownHierarchy {
  /** The directory's name: "memory", "cpu,cpuacct", "systemd". */
  readonly name: string;
  /** The directory to bind: the container's own cgroup, on v2 without a cgroup namespace the mount point. */
  readonly path: HostPath;
  /** On v1 what mounts the same hierarchy again: "memory", "cpu,cpuacct", "name=systemd". */
  readonly option: string;
}

/** What there is to show. */
export interface CgroupView {
  readonly mode: "v1" | "v2" | "none";
  /** With a cgroup namespace the file system itself is mounted, without one the path is bound. */
  readonly ownNamespace: boolean;
  readonly hierarchies: readonly ShownHierarchy[];
}
