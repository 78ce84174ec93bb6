/** Kernel parameters (config-linux.md "Sysctl"): names to files below /proc/sys. */
import type { SpecField } from "../../syscalls/types.ts";
import { field } from "../spec/field.ts";

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
    file: sysctlFile(name),
    value,
    from: field("linux", "sysctl", name),
  }));
}

/** sysctl(8): the first separator decides which of "." and "/" separates; the other then stands for itself. */
export function sysctlFile(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  if (separator !== ".") return name;
  return name.replace(/[./]/g, (c) => (c === "." ? "/" : "."));
}
