/** Linux security modules: the AppArmor profile and the SELinux labels of a configuration. */

import type { Spec } from "../config/types.ts";
import { RuntimeError } from "../errors.ts";
import type { LsmFacts } from "./host_facts.ts";
import type { FilesystemStep, MountStep } from "./mounts/mounts.ts";

/** What is written to the attributes of the process; "" leaves one alone. */
export interface LsmPlan {
  /** process.apparmorProfile: the profile of the next execve. */
  readonly apparmorProfile: string;
  /** process.selinuxLabel: the label of the next execve, and of the session keyring. */
  readonly processLabel: string;
  /** linux.mountLabel. */
  readonly mountLabel: string;
}

/** Whether a configuration asks for any of it, and the host has to be looked at. */
export function asksForLsm(spec: Spec): boolean {
  return [spec.process?.apparmorProfile, spec.process?.selinuxLabel, spec.linux?.mountLabel].some(
    (text) => text !== undefined && text !== "",
  );
}

/** Plans the labels; what the host cannot enforce is refused, as a container without it would be less confined. */
export function planLsm(spec: Spec, lsm: LsmFacts): LsmPlan {
  const { apparmorProfile = "", selinuxLabel = "" } = spec.process ?? {};
  const mountLabel = spec.linux?.mountLabel ?? "";
  const selinux = "is specified in config, but selinux is disabled or not supported";
  if (apparmorProfile !== "" && !lsm.apparmor)
    throw refusal(
      "unable to apply apparmor profile: apparmor: config provided but apparmor not supported",
      "process.apparmorProfile",
    );
  if (selinuxLabel !== "" && !lsm.selinux) throw refusal(`selinux label ${selinux}`, "process.selinuxLabel");
  if (mountLabel !== "" && !lsm.selinux) throw refusal(`mount label ${selinux}`, "linux.mountLabel");
  return { apparmorProfile, processLabel: selinuxLabel, mountLabel };
}

function refusal(text: string, field: string): RuntimeError {
  return new RuntimeError("unsupported", `${text}, asked for by ${field}`);
}

/** File systems that a context mount option is not given to: they label their own files, by the policy. */
const unlabelled = new Set(["proc", "sysfs", "mqueue"]);

/**
 * The mounts with `linux.mountLabel`: new file systems get it as their context, a message queue on its root
 * directory only, as it does not take the option. A bind mount shows files that have labels of their own.
 */
export function labelMounts(steps: readonly MountStep[], label: string): readonly MountStep[] {
  if (label === "") return steps;
  return steps.map((step) => {
    if (step.kind === "cgroup") return { ...step, context: label };
    return step.kind === "filesystem" ? labelled(step, label) : step;
  });
}

function labelled(step: FilesystemStep, label: string): FilesystemStep {
  if (step.type === "mqueue") return { ...step, rootLabel: label };
  if (unlabelled.has(step.type)) return step;
  return { ...step, options: [...step.options, { key: "context", value: label }] };
}
