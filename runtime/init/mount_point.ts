/** Where a mount goes: the place in the root file system, by descriptor, and putting a detached mount there. */
import { PROC_SUPER_MAGIC } from "../../syscalls/constants/magic.ts";
import { MS_REC } from "../../syscalls/mount.ts";
import { checked, closing } from "../../syscalls/scope.ts";
import { fstat, fstatfs } from "../../syscalls/stat.ts";
import type { Fd } from "../../syscalls/types.ts";
import { safetyViolation } from "../errors.ts";
import { cleanPath } from "../path/clean_path.ts";
import { type Links, openOrCreateInRoot } from "../path/in_root.ts";
import type { MountStep } from "../plan/mounts/mounts.ts";
import { type MountApi, mountSetattr } from "./mount_api.ts";

/** Inside a container's /proc only these may be mounted over; lxcfs does (the list is runc's). */
const coverableInProc = new Set([
  "proc/cpuinfo",
  "proc/diskstats",
  "proc/meminfo",
  "proc/stat",
  "proc/swaps",
  "proc/uptime",
  "proc/loadavg",
  "proc/slabinfo",
  "proc/sys/kernel/ns_last_pid",
  "proc/sys/crypto/fips_enabled",
]);

/** Opens the place to mount on, made if it is missing, and refuses what nobody may mount over. */
export function mountPoint(
  root: Fd,
  destination: string,
  kind: "directory" | "file",
  type: string,
  links: Links = "follow-in-root",
): Fd {
  const clean = cleanPath(destination);
  const insideProc = clean.startsWith("proc/");
  if (clean === "proc" && type !== "proc") {
    throw safetyViolation(`mounting ${type} on ${destination} is refused: only a procfs may be there`);
  }
  if (insideProc && !coverableInProc.has(clean)) {
    throw safetyViolation(
      `${JSON.stringify(destination)} cannot be mounted because it is inside /proc, of which only a few files may be covered`,
    );
  }
  const followed = insideProc || clean === "proc" ? "refuse" : links;
  return checked(openOrCreateInRoot(root, destination, kind, followed), (target) => {
    // The mounts that follow would be made below it, out of sight.
    if (clean !== "" && followed !== "refuse" && isSameMountPoint(target, root))
      throw safetyViolation(`${JSON.stringify(destination)} leads to the root of the container by a link`);
    // By another way than its name, such as a link in the image, the place may still be inside a procfs.
    if (!insideProc && clean !== "proc" && fstatfs(target).magic === PROC_SUPER_MAGIC)
      throw safetyViolation(
        `${JSON.stringify(destination)} cannot be mounted because it is inside /proc, by a link`,
      );
  });
}

/** Whether both are the same directory of the same mount. */
export function isSameMountPoint(a: Fd, b: Fd): boolean {
  const [one, other] = [fstat(a), fstat(b)];
  return (
    one.mountId === other.mountId &&
    one.ino === other.ino &&
    one.devMajor === other.devMajor &&
    one.devMinor === other.devMinor
  );
}

/** Puts a detached mount on its target, then sets what can only be set for a tree or in place. */
export function attachMount(
  api: MountApi,
  detached: Fd,
  target: Fd,
  step: Pick<MountStep, "destination" | "propagation" | "recursiveSet" | "recursiveClear">,
): void {
  closing(target, () => {
    api.moveMountOnto(detached, target, step.destination);
  });
  setInPlace(api, detached, step);
}

/** What a plan asks of a mount that is in its place already. */
export function setInPlace(
  api: MountApi,
  detached: Fd,
  step: Pick<MountStep, "destination" | "propagation" | "recursiveSet" | "recursiveClear">,
): void {
  if (step.recursiveSet !== 0 || step.recursiveClear !== 0) {
    const attr = { set: step.recursiveSet, clear: step.recursiveClear, propagation: 0 };
    mountSetattr(api, detached, true, attr, step.destination);
  }
  for (const change of step.propagation) {
    const attr = { set: 0, clear: 0, propagation: change & ~MS_REC };
    mountSetattr(api, detached, (change & MS_REC) !== 0, attr, step.destination);
  }
}
