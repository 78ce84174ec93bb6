/** The plan of a container: config.json with every decision made. Making one touches nothing and needs no privilege. */
import { CLONE_NEWNS, CLONE_NEWUSER } from "../../syscalls/constants/sched.ts";
import type { HostPath, SpecField } from "../../syscalls/types.ts";
import { field } from "../config/field.ts";
import type { Hooks, Linux, LinuxDevice, Spec } from "../config/types.ts";
import { RuntimeError } from "../errors.ts";
import { cleanPath, withoutRootfs } from "../path/clean_path.ts";
import type { HostFacts, ProgramFacts } from "./host_facts.ts";
import { type IntelRdtPlan, planIntelRdt } from "./intel_rdt.ts";
import { labelMounts } from "./lsm.ts";
import { type DeviceStep, planDevices } from "./mounts/device_nodes.ts";
import { type MountStep, planMounts, type UsernsPlan } from "./mounts/mounts.ts";
import { planRootfs, type RootfsPlan } from "./mounts/rootfs.ts";
import { type NetDeviceStep, planNetDevices } from "./net_devices.ts";
import type { ProcessPlan } from "./process.ts";
import { type ProgramPlan, planProgram } from "./program.ts";
import { refuseRootless } from "./rootless.ts";
import { planSysctl, type SysctlStep } from "./sysctl.ts";

/** A path in the container that is hidden or made read-only. */
export interface PathStep {
  readonly path: string;
  readonly from: SpecField;
}

/** What acting on a configuration will do. */
export interface ContainerPlan extends ProgramPlan {
  readonly rootfs: RootfsPlan;
  readonly mounts: readonly MountStep[];
  /** Some file system can only be made by mount(2). */
  readonly needsMount2: boolean;
  readonly devices: readonly DeviceStep[];
  /** False when /dev is a bind mount: then it is left as it is. */
  readonly setUpDev: boolean;
  readonly maskedPaths: readonly PathStep[];
  readonly readonlyPaths: readonly PathStep[];
  readonly sysctl: readonly SysctlStep[];
  readonly hostname: string;
  readonly domainname: string;
  readonly hooks: Hooks;
  readonly netDevices: readonly NetDeviceStep[];
  readonly intelRdt: IntelRdtPlan | undefined;
  /** The container is in another user namespace than the first one. */
  readonly inUserNamespace: boolean;
  /** It is in one of its own, into which the runtime looks with rights that it lacks. */
  readonly parentReaches: boolean;
  readonly noPivot: boolean;
  /** There is no mount namespace of its own, and something to be mounted or changed all the same: on the host. */
  readonly mountsOnHost: boolean;
  /** The name of the session keyring to make, or "" to keep the caller's. */
  readonly keyring: string;
}

/** What the command line adds to the configuration. */
export interface PlanOptions {
  readonly id: string;
  readonly bundle: HostPath;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
}

/** Plans a validated configuration. Warnings are for the log. */
export function planContainer(
  spec: Spec,
  host: ProgramFacts & Pick<HostFacts, "inUserNamespace">,
  options: PlanOptions,
): { readonly plan: ContainerPlan; readonly warnings: readonly string[] } {
  const linux = spec.linux ?? {};
  refuseRootless(spec, host);
  const { plan: program, warnings: ofProgram } = planProgram(spec, host);
  const { namespaces, lsm } = program;
  const rootfs = planRootfs(spec, options);
  const around = { bundle: options.bundle, rootfs: rootfs.path, userns: usernsOf(linux) };
  const warnings = [...ofProgram];
  const warn = (warning: string): void => void warnings.push(warning);
  const planned = planMounts(spec.mounts ?? [], around, warn);
  const mounts = labelMounts(planned, lsm.mountLabel);
  const ownMounts = (namespaces.own & CLONE_NEWNS) !== 0;
  const forMounts = needsMounts(spec, program.process);
  const ownUsers = (namespaces.own & CLONE_NEWUSER) !== 0;
  if (!ownMounts && ownUsers && forMounts !== undefined) {
    const why = "not possible in a user namespace without a mount namespace";
    throw new RuntimeError("invalid-argument", `${forMounts}: ${why}`);
  }
  const plan: ContainerPlan = {
    ...program,
    rootfs,
    mounts,
    needsMount2: mounts.some((step) => step.kind === "filesystem" && step.mount2 !== undefined),
    devices: planDevices(
      devicesInside(linux, rootfs, warn),
      mounts.map(({ destination }) => destination),
    ),
    // In a user namespace devices are bind mounts.
    setUpDev:
      (ownMounts || !ownUsers) &&
      !mounts.some((mount) => mount.kind === "bind" && cleanPath(mount.destination) === "dev"),
    maskedPaths: paths(linux.maskedPaths, "maskedPaths"),
    readonlyPaths: paths(linux.readonlyPaths, "readonlyPaths"),
    sysctl: planSysctl(linux.sysctl ?? {}),
    hostname: spec.hostname ?? "",
    domainname: spec.domainname ?? "",
    hooks: spec.hooks ?? {},
    netDevices: planNetDevices(linux.netDevices),
    intelRdt: planIntelRdt(linux.intelRdt, options.id),
    inUserNamespace: host.inUserNamespace || ownUsers,
    parentReaches: ownUsers && host.euid === 0,
    noPivot: options.noPivot,
    mountsOnHost: !ownMounts && forMounts !== undefined,
    keyring: options.noNewKeyring ? "" : `_ses.${options.id}`,
  };
  if (host.euid !== 0 && plan.netDevices.length > 0)
    throw new RuntimeError("unsupported", "network devices are not supported for rootless containers");
  return { plan, warnings };
}

function devicesInside(
  { devices = [] }: Linux,
  { path: rootfs }: RootfsPlan,
  warn: (message: string) => void,
): LinuxDevice[] {
  return devices.map((device, i) => {
    const where = `${field("linux", "devices", i)}.path`;
    return { ...device, path: withoutRootfs(device.path, rootfs, where, warn) };
  });
}

/** The container's user namespace, or undefined when it is the runtime's. */
export function usernsOf({ namespaces, uidMappings = [], gidMappings = [] }: Linux): UsernsPlan | undefined {
  const user = namespaces?.find(({ type }) => type === "user");
  if (user === undefined) return undefined;
  return user.path ? { path: user.path as HostPath } : { uidMappings, gidMappings };
}

/** The field that asks for a change of mounts, if there is one. */
function needsMounts({ mounts = [], root, linux = {} }: Spec, { terminal }: ProcessPlan): string | undefined {
  if (mounts.length > 0) return "mounts";
  if (root.readonly) return "root.readonly";
  if (linux.rootfsPropagation) return "linux.rootfsPropagation";
  return terminal ? "process.terminal" : undefined;
}

/** Each path once: a second mask would be mounted on the first. */
function paths(list: readonly string[] | undefined, name: string): PathStep[] {
  const steps = (list ?? []).map((path, i) => ({ path, from: field("linux", name, i) }));
  const seen = new Set<string>();
  return steps.filter(({ path }) => {
    const clean = cleanPath(path);
    return !seen.has(clean) && seen.add(clean);
  });
}
