/** Performing the mounts of a plan: each is made detached, given its attributes, and only then put in place. */
import { EINVAL, EPERM } from "../../syscalls/constants/errno.ts";
import { PROC_SUPER_MAGIC } from "../../syscalls/constants/magic.ts";
import { S_IFDIR } from "../../syscalls/constants/stat.ts";
import { OpError } from "../../syscalls/error.ts";
import { CWD, close, fchmodat, fstat, fstatfs, isType, O_PATH } from "../../syscalls/file.ts";
import { MOUNT_ATTR__ATIME, MS_REC, MS_REMOUNT, tryMount } from "../../syscalls/mount.ts";
import { setTraceField } from "../../syscalls/trace.ts";
import type { Fd } from "../../syscalls/types.ts";
import type { CgroupView } from "../cgroup/types.ts";
import { safetyViolation } from "../errors.ts";
import { type Links, openInRoot, openOrCreateInRoot } from "../path/in_root.ts";
import { cleanPath } from "../plan/clean_path.ts";
import type { BindStep, FilesystemStep, MountStep, RemountStep } from "../plan/mounts.ts";
import { mountCgroups } from "./cgroup_mount.ts";
import { copyUp } from "./copy_up.ts";
import {
  atDescriptors,
  cloneTree,
  createFilesystem,
  mountSetattr,
  moveMountOnto,
  tryMountSetattr,
} from "./detached.ts";
import { labelRoot } from "./lsm.ts";

/** What mounts need that was made or read by the parent. */
export interface MountContext {
  readonly cgroups: CgroupView;
  /** The sources of id-mapped bind mounts, detached. */
  readonly mapped: ReadonlyMap<BindStep, Fd>;
}

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

/** File systems whose place must be a real directory: a link there has been a way out more than once. */
const pseudo = new Set(["proc", "sysfs", "mqueue", "cgroup", "cgroup2"]);

/** Makes every mount of the plan in its order, beneath `root`; returns those to be made read-only in the end. */
export function mountAll(root: Fd, steps: readonly MountStep[], context: MountContext): Fd[] {
  const readOnlyLater: Fd[] = [];
  for (const step of steps) {
    setTraceField(step.from);
    try {
      if (step.kind === "bind") bind(root, step, context);
      else if (step.kind === "cgroup") mountCgroups(root, step, context.cgroups);
      else if (step.kind === "remount") remount(root, step);
      else {
        const mounted = newFilesystem(root, step);
        if (step.readOnlyLater) readOnlyLater.push(mounted);
        else close(mounted);
      }
    } catch (error) {
      throw error instanceof OpError ? error.askedBy(step.from) : error;
    }
  }
  setTraceField("");
  return readOnlyLater;
}

function bind(root: Fd, step: BindStep, { mapped }: MountContext): void {
  const source = mapped.get(step) ?? cloneTree(CWD, step.source, step.recursive);
  try {
    const isDirectory = isType(fstat(source), S_IFDIR);
    const ofProc = fstatfs(source).magic === PROC_SUPER_MAGIC;
    const target = mountPoint(
      root,
      step.destination,
      isDirectory ? "directory" : "file",
      ofProc ? "proc" : "bind",
    );
    if (step.attributes !== undefined) setBindAttributes(source, step);
    attach(source, target, step);
  } finally {
    close(source);
  }
}

/** Where the runtime lacks the right to clear flags of the source that nobody asked to clear, they stay. */
function setBindAttributes(source: Fd, { attributes, source: object }: BindStep): void {
  if (attributes === undefined) return;
  const { set, clear, mustClear } = attributes;
  const result = tryMountSetattr(source, false, { set, clear, propagation: 0 });
  if (result >= 0) return;
  if (result !== -EPERM) throw OpError.from("mount_setattr", object, -result);
  mountSetattr(
    source,
    false,
    { set, clear: mustClear | (clear & MOUNT_ATTR__ATIME), propagation: 0 },
    object,
  );
}

/**
 * mount(2) MS_REMOUNT. No link is followed to what is remounted: without MS_BIND it changes the file system itself,
 * which a link to "/" in the image would make one of the host.
 */
function remount(root: Fd, step: RemountStep): void {
  const target = openInRoot(root, step.destination, O_PATH, "refuse");
  try {
    const result = atDescriptors(() =>
      tryMount("none", String(target), step.type, step.flags | MS_REMOUNT, step.data),
    );
    const hint = result === -EINVAL ? "is there a mount?" : undefined;
    if (result < 0) throw OpError.from("remount", step.destination, -result, hint);
    setInPlace(target, step);
  } finally {
    close(target);
  }
}

function newFilesystem(root: Fd, step: FilesystemStep): Fd {
  const links: Links = pseudo.has(step.type) ? "refuse" : "follow-in-root";
  const target = mountPoint(root, step.destination, "directory", step.type, links);
  let mounted: Fd;
  try {
    mounted = createFilesystem(step.type, step.options, step.attributes, step.mount2);
  } catch (error) {
    close(target);
    throw error instanceof OpError ? error.during(`mount ${step.type} on`, step.destination) : error;
  }
  if (step.rootLabel !== undefined) labelRoot(mounted, step.rootLabel);
  if (step.modeOfCovered) fchmodat(mounted, ".", fstat(target).mode & 0o7777);
  if (step.copyUp) copyUp(target, mounted, step.destination);
  attach(mounted, target, step);
  return mounted;
}

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
      `mounting on ${destination} is refused: inside /proc only a short list of files may be covered`,
    );
  }
  const target = openOrCreateInRoot(
    root,
    destination,
    kind,
    insideProc || clean === "proc" ? "refuse" : links,
  );
  // By another way than its name, such as a link in the image, the place may still be inside a procfs.
  if (!insideProc && clean !== "proc" && fstatfs(target).magic === PROC_SUPER_MAGIC) {
    close(target);
    throw safetyViolation(`mounting on ${destination} is refused: it leads into /proc`);
  }
  return target;
}

/** Puts a detached mount on its target, then sets what can only be set for a tree or in place. */
export function attach(
  detached: Fd,
  target: Fd,
  step: Pick<MountStep, "destination" | "propagation" | "recursiveSet" | "recursiveClear">,
): void {
  try {
    moveMountOnto(detached, target, step.destination);
  } finally {
    close(target);
  }
  setInPlace(detached, step);
}

function setInPlace(
  detached: Fd,
  step: Pick<MountStep, "destination" | "propagation" | "recursiveSet" | "recursiveClear">,
): void {
  if (step.recursiveSet !== 0 || step.recursiveClear !== 0) {
    const attr = { set: step.recursiveSet, clear: step.recursiveClear, propagation: 0 };
    mountSetattr(detached, true, attr, step.destination);
  }
  for (const change of step.propagation) {
    const attr = { set: 0, clear: 0, propagation: change & ~MS_REC };
    mountSetattr(detached, (change & MS_REC) !== 0, attr, step.destination);
  }
}
