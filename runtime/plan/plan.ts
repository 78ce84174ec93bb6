/** The plan of a container: config.json with every decision made. Making one touches nothing and needs no privilege. */
import type { HostPath, SpecField } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import { field } from "../spec/field.ts";
import type { Hooks, Spec } from "../spec/types.ts";
import { type DeviceStep, planDevices } from "./devices.ts";
import type { HostFacts } from "./host.ts";
import { type MountStep, planMounts } from "./mounts.ts";
import { type NamespacePlan, planNamespaces } from "./namespaces.ts";
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

/** Plans a validated configuration. Warnings are for the log. */
export function planContainer(
  spec: Spec,
  host: HostFacts,
  options: PlanOptions,
): { readonly plan: ContainerPlan; readonly warnings: readonly string[] } {
  if (spec.process === undefined)
    throw new RuntimeError("invalid-argument", "process property must not be empty");
  const linux = spec.linux ?? {};
  const process = planProcess(spec.process, host.capabilities);
  const mounts = planMounts(spec.mounts ?? [], options.bundle);
  const plan: ContainerPlan = {
    id: options.id,
    bundle: options.bundle,
    namespaces: planNamespaces(linux.namespaces ?? []),
    rootfs: planRootfs(spec, options.bundle),
    mounts,
    devices: planDevices(linux.devices ?? []),
    setUpDev: !mounts.some(
      (mount) => mount.kind === "bind" && mount.destination.replace(/\/+$/, "") === "/dev",
    ),
    maskedPaths: paths(linux.maskedPaths, "maskedPaths"),
    readonlyPaths: paths(linux.readonlyPaths, "readonlyPaths"),
    sysctl: planSysctl(linux.sysctl ?? {}),
    hostname: spec.hostname ?? "",
    domainname: spec.domainname ?? "",
    process: process.plan,
    seccomp: planSeccomp(linux.seccomp),
    hooks: spec.hooks ?? {},
    noPivot: options.noPivot,
    keyring: options.noNewKeyring ? "" : `_ses.${options.id}`,
  };
  return { plan, warnings: process.warnings };
}

function paths(list: readonly string[] | undefined, name: string): PathStep[] {
  return (list ?? []).map((path, i) => ({ path, from: field("linux", name, i) }));
}
