/** The facts of the host, gathered once, before anything is decided. */
import { capget } from "../../syscalls/capability.ts";
import { getegid, geteuid } from "../../syscalls/identity.ts";
import type { Spec } from "../config/types.ts";
import type { HostFacts, ProgramFacts } from "../plan/host_facts.ts";
import { asksForLsm } from "../plan/lsm.ts";
import { detectCgroups } from "./cgroup_layout.ts";
import { isRootless, readCgroupRights } from "./cgroup_rights.ts";
import { readLsmFacts } from "./lsm.ts";
import { type Environment, readSystemdFacts } from "./systemd.ts";
import { inUserNamespace } from "./user_namespace.ts";

/** How a command was called, as far as it says what of the host is asked for. */
export interface FactsWanted {
  readonly systemdCgroup: boolean;
  readonly rootless: boolean | "auto";
  readonly environment: () => Environment;
}

/** What the plan of a program depends on; nothing is looked up that its configuration does not ask for. */
export function readProgramFacts(config: Spec): ProgramFacts {
  const lsm = asksForLsm(config) ? readLsmFacts() : { apparmor: false, selinux: false };
  return { euid: geteuid(), egid: getegid(), capabilities: capget().permitted, lsm };
}

/** What the plan of a new container depends on. */
export function readHostFacts(config: Spec, wanted: FactsWanted): HostFacts {
  const { systemdCgroup, rootless, environment } = wanted;
  const cgroups = detectCgroups();
  const systemd = systemdCgroup ? readSystemdFacts(rootless, environment(), cgroups) : undefined;
  const lenient = systemd === undefined && isRootless(rootless, systemd);
  return {
    ...readProgramFacts(config),
    inUserNamespace: inUserNamespace(),
    cgroups,
    cgroupRights: lenient ? readCgroupRights(cgroups) : undefined,
    systemd,
  };
}
