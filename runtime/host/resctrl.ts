/** Where this host has mounted its resctrl file system (Documentation/arch/x86/resctrl.rst). */
import type { HostPath } from "../../syscalls/types.ts";
import { type MountInfo, readMounts } from "../proc/mountinfo.ts";

/** The first such mount; undefined where there is none. */
export function findResctrl(mounts: readonly MountInfo[] = readMounts(isResctrl)): HostPath | undefined {
  return mounts.find(({ type }) => isResctrl(type))?.mountPoint;
}

const isResctrl = (type: string): boolean => type === "resctrl";
