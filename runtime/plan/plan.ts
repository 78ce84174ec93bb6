/** The plan of a container: config.json with every decision made. Making one touches nothing and needs no privilege. */
import { CLONE_NEWNS, CLONE_NEWUSER } from "../../syscalls/constants/sched.ts";
import type { HostPath, SpecField } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import { field } from "../spec/field.ts";
import type { Hooks, Linux, Spec } from "../spec/types.ts";
import { cleanPath } from "./clean_path.ts";
import { type DeviceStep, planDevices } from "./devices.ts";
import type { HostFacts } from "./host.ts";
import { type IntelRdtPlan, planIntelRdt } from "./intel_rdt.ts";
import { type LsmPlan, labelMounts, planLsm } from "./lsm.ts";
import { type MemoryPolicyPlan, planMemoryPolicy } from "./memory_policy.ts";
import { type MountStep, planMounts, type UsernsPlan } from "./mounts.ts";
import { type NamespacePlan, planNamespaces } from "./namespaces.ts";
import { type NetDeviceStep, planNetDevices } from "./net_devices.ts";
import { planPersonality } from "./personality.ts";
import { type ProcessPlan, planProcess } from "./process.ts";
import { planRootfs, type RootfsPlan } from "./rootfs.ts";
import { planSeccomp, type SeccompPlan } from "./seccomp.ts";
import { planSysctl, type SysctlStep } from "./sysctl.ts";

/** A path in the container that is hidden or made read-only. */
export interface PathStep {
  readonly path: string;
  readonly from: SpecField;
}

/** What acting on a configuration will do. */
export interface ContainerPlan {
  readonly id: string;
  readonly bundle: HostPath;
  readonly namespaces: NamespacePlan;
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
  readonly process: ProcessPlan;
  readonly seccomp: SeccompPlan | undefined;
  readonly hooks: Hooks;
  /** The argument of personality(2). */
  readonly personality: number | undefined;
  readonly memoryPolicy: MemoryPolicyPlan | undefined;
  readonly lsm: LsmPlan;
  readonly netDevices: readonly NetDeviceStep[];
  readonly intelRdt: IntelRdtPlan | undefined;
  readonly noPivot: boolean;
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

const ALL_CAPABILITIES = 0xffffffffffffffffn;

/** Plans a validated configuration. Warnings are for the log. */
export function planContainer(
  spec: Spec,
  host: HostFacts,
  options: PlanOptions,
): { readonly plan: ContainerPlan; readonly warnings: readonly string[] } {
  if (spec.process === undefined)
    throw new RuntimeError("invalid-argument", "process property must not be empty");
  const linux = spec.linux ?? {};
  const namespaces = planNamespaces(linux);
  // The root of a user namespace has every capability there, whatever this runtime lacks itself.
  const available = namespaces.own & CLONE_NEWUSER ? ALL_CAPABILITIES : host.capabilities;
  const process = planProcess(spec.process, available);
  const lsm = planLsm(spec, host.lsm);
  const around = { bundle: options.bundle, userns: usernsOf(linux) };
  const warnings = [...process.warnings];
  const planned = planMounts(spec.mounts ?? [], around, (warning) => warnings.push(warning));
  const mounts = labelMounts(planned, lsm.mountLabel);
  const plan: ContainerPlan = {
    id: options.id,
    bundle: options.bundle,
    namespaces,
    rootfs: planRootfs(spec, options),
    mounts,
    needsMount2: mounts.some((step) => step.kind === "filesystem" && step.mount2 !== undefined),
    devices: planDevices(linux.devices ?? []),
    setUpDev: !mounts.some((mount) => mount.kind === "bind" && cleanPath(mount.destination) === "dev"),
    maskedPaths: paths(linux.maskedPaths, "maskedPaths"),
    readonlyPaths: paths(linux.readonlyPaths, "readonlyPaths"),
    sysctl: planSysctl(linux.sysctl ?? {}),
    hostname: spec.hostname ?? "",
    domainname: spec.domainname ?? "",
    process: process.plan,
    seccomp: planSeccomp(linux.seccomp),
    hooks: spec.hooks ?? {},
    personality: planPersonality(linux.personality),
    memoryPolicy: planMemoryPolicy(linux.memoryPolicy),
    lsm,
    netDevices: planNetDevices(linux.netDevices),
    intelRdt: planIntelRdt(linux.intelRdt, options.id),
    noPivot: options.noPivot,
    keyring: options.noNewKeyring ? "" : `_ses.${options.id}`,
  };
  requireMountsOfItsOwn(plan);
  if (host.euid !== 0 && plan.netDevices.length > 0)
    throw new RuntimeError("unsupported", "network devices are not supported for rootless containers");
  return { plan, warnings };
}

/** The container's user namespace, or undefined when it is the runtime's. */
function usernsOf({ namespaces, uidMappings = [], gidMappings = [] }: Linux): UsernsPlan | undefined {
  const user = namespaces?.find(({ type }) => type === "user");
  if (user === undefined) return undefined;
  return user.path ? { path: user.path as HostPath } : { uidMappings, gidMappings };
}

/** What would be mounted, or made read-only, would be so on the host. runc does it there, and leaves it behind. */
function requireMountsOfItsOwn({ namespaces, mounts, rootfs, process }: ContainerPlan): void {
  if (namespaces.own & CLONE_NEWNS) return;
  const [asked] = [
    mounts.length > 0 && "mounts",
    rootfs.readonly && "root.readonly",
    rootfs.propagation !== 0 && "linux.rootfsPropagation",
    process.terminal && "process.terminal",
  ].filter((name) => name !== false);
  if (asked !== undefined)
    throw new RuntimeError("invalid-argument", `${asked}: not possible without a mount namespace`);
}

function paths(list: readonly string[] | undefined, name: string): PathStep[] {
  return (list ?? []).map((path, i) => ({ path, from: field("linux", name, i) }));
}
