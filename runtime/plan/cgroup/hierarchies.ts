/** Where a cgroup is and who makes it, and how the host mounts its hierarchies. */
import type { HostPath } from "../../../syscalls/types.ts";

/** state.json remembers this: controller → absolute path on the host; "" is the unified hierarchy. */
export type CgroupPaths = Readonly<Record<string, HostPath>>;

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

/** Which version's files a host has: those of v2 only where it has nothing else. */
export function cgroupVersion({ kind }: CgroupLayout): 1 | 2 {
  return kind === "v2" ? 2 : 1;
}

/** The one directory of a container whose host has v2 and nothing else; a hybrid has v1 controllers beside "". */
export function unifiedOnly(paths: CgroupPaths): HostPath | undefined {
  return Object.keys(paths).length === 1 ? paths[""] : undefined;
}

/** The same question for a container's paths. */
export function versionOf(paths: CgroupPaths): 1 | 2 {
  return unifiedOnly(paths) === undefined ? 1 : 2;
}
