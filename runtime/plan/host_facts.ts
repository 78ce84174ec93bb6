/** What a plan needs to know of the host, as a value: read once (host/facts.ts), passed in. */
import type { HostPath } from "../../syscalls/types.ts";
import type { CgroupLayout, SystemdPlace } from "./cgroup/hierarchies.ts";

/** Which security modules are in force. */
export interface LsmFacts {
  readonly apparmor: boolean;
  readonly selinux: boolean;
}

/** What a program in a container depends on. */
export interface ProgramFacts {
  readonly euid: number;
  readonly egid: number;
  /** The permitted set of this process: no container can have more. */
  readonly capabilities: bigint;
  /** Neither, where no configuration asks. */
  readonly lsm: LsmFacts;
}

/** The systemd that is to make a unit, and the cgroup that its units lie below: "" for the system's own. */
export interface SystemdFacts extends SystemdPlace {
  readonly controlGroup: string;
}

/** What a new container depends on. */
export interface HostFacts extends ProgramFacts {
  /** This process is in another user namespace than the first. */
  readonly inUserNamespace: boolean;
  readonly cgroups: CgroupLayout;
  /**
   * The mount points of the hierarchies in which it may make a cgroup; undefined where the lack of one is not passed
   * over (--rootless).
   */
  readonly cgroupRights: ReadonlySet<HostPath> | undefined;
  /** Undefined unless it is to be the driver. */
  readonly systemd: SystemdFacts | undefined;
}
