/** Kernel parameters (config-linux.md "Sysctl"): names to files below /proc/sys. */
import type { SpecField } from "../../syscalls/types.ts";
import { field } from "../config/field.ts";
import { sysctlPath } from "../config/sysctl.ts";

/** One value to write. */
export interface SysctlStep {
  /** Relative to /proc/sys. */
  readonly file: string;
  readonly value: string;
  readonly from: SpecField;
}

/** Plans `linux.sysctl`, whose names validation has checked against the container's own namespaces. */
export function planSysctl(sysctl: { readonly [name: string]: string }): SysctlStep[] {
  return Object.entries(sysctl).map(([name, value]) => ({
    file: sysctlPath(name)?.join("/") ?? "",
    value,
    from: field("linux", "sysctl", name),
  }));
}
