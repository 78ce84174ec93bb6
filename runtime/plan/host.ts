/** What a plan needs to know of the host, as a value: read once, passed in. */

/** Which security modules are in force. */
export interface LsmFacts {
  readonly apparmor: boolean;
  readonly selinux: boolean;
}

/** Facts about the host and this process. */
export interface HostFacts {
  readonly euid: number;
  /** The bounding set of this process: no container can have more. */
  readonly capabilities: bigint;
  /** Neither, where no configuration asks. */
  readonly lsm: LsmFacts;
}
