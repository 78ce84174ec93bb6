/** What a plan needs to know of the host, as a value: read once (host/facts.ts), passed in. */
import type { CgroupLayout, SystemdPlace } from "./cgroup/hierarchies.ts";

/** Which security modules are in force. */
export interface LsmFacts {
  readonly apparmor: boolean;
  readonly selinux: boolean;
}

/** What a program in a container depends on. */
export interface ProgramFacts {
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
  readonly euid: number;
  /** This process is in another user namespace than the first. */
  readonly inUserNamespace: boolean;
  readonly cgroups: CgroupLayout;
  /** Undefined unless it is to be the driver. */
  readonly systemd: SystemdFacts | undefined;
}
