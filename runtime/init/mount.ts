/** Performing the mounts of a plan: each is made detached, given its attributes, and only then put in place. */
import { EINVAL, EPERM } from "../../syscalls/constants/errno.ts";
import { PROC_SUPER_MAGIC } from "../../syscalls/constants/magic.ts";
import { S_IFDIR } from "../../syscalls/constants/stat.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { CWD, close, fchmodat, fstat, fstatfs, isType, O_PATH } from "../../syscalls/file.ts";
import { MS_REMOUNT, tryMount } from "../../syscalls/mount.ts";
import { setTraceField } from "../../syscalls/trace.ts";
import type { Fd } from "../../syscalls/types.ts";
import type { CgroupView } from "../cgroup/types.ts";
import { RuntimeError, safetyViolation } from "../errors.ts";
import { existsInRoot, type Links, openInRoot } from "../path/in_root.ts";
import { type BindAttributes, lockedBindAttributes } from "../plan/mount_options.ts";
import type { BindStep, FilesystemStep, MountStep, RemountStep } from "../plan/mounts.ts";
import { mountCgroups } from "./cgroup_mount.ts";
import { copyUp } from "./copy_up.ts";
import {
  atDescriptors,
  attributesOfMount,
  cloneTree,
  createFilesystem,
  mountSetattr,
  tryMountSetattr,
} from "./detached.ts";
import { labelRoot } from "./lsm.ts";
import { attach, mountPoint, setInPlace } from "./mount_point.ts";

/** What mounts need that was made or read by the parent. */
export interface MountContext {
  readonly cgroups: CgroupView;
  /** The sources of id-mapped bind mounts, detached. */
  readonly mapped: ReadonlyMap<BindStep, Fd>;
  /** Has the parent open the source of the mount with this index; undefined where it has no more right than we. */
  readonly askForSource: ((mount: number) => Fd | undefined) | undefined;
}

/** File systems whose place must be a real directory: a link there has been a way out more than once. */
const pseudo = new Set(["proc", "sysfs", "mqueue", "cgroup", "cgroup2"]);

/** Makes every mount of the plan in its order, beneath `root`; returns those to be made read-only in the end. */
export function mountAll(root: Fd, steps: readonly MountStep[], context: MountContext): Fd[] {
  const readOnlyLater: Fd[] = [];
  for (const [index, step] of steps.entries()) {
    setTraceField(step.from);
    try {
      if (step.kind === "bind") bind(root, step, openSource(step, index, context));
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

/** Root of a user namespace may not search every directory of the host, though it was told to bind what lies there. */
function openSource(step: BindStep, index: number, { mapped, askForSource }: MountContext): Fd {
  const made = mapped.get(step);
  if (made !== undefined) return made;
  try {
    return cloneTree(CWD, step.source, step.recursive);
  } catch (error) {
    const source = isErrno(error, "EACCES") ? askForSource?.(index) : undefined;
    if (source === undefined) throw error;
    return source;
  }
}

function bind(root: Fd, step: BindStep, source: Fd): void {
  try {
    const isDirectory = isType(fstat(source), S_IFDIR);
    const ofProc = fstatfs(source).magic === PROC_SUPER_MAGIC;
    const target = mountPoint(
      root,
      step.destination,
      isDirectory ? "directory" : "file",
      ofProc ? "proc" : "bind",
    );
    if (step.attributes !== undefined) setBindAttributes(source, step.attributes, step.source);
    attach(source, target, step);
  } finally {
    close(source);
  }
}

/** As asked, or as far as the locked flags of the source let it be. */
function setBindAttributes(mounted: Fd, asked: BindAttributes, source: string): void {
  const result = tryMountSetattr(mounted, false, { ...asked, propagation: 0 });
  if (result >= 0) return;
  if (result !== -EPERM) throw OpError.from("mount_setattr", source, -result);
  const possible = lockedBindAttributes(asked, attributesOfMount(mounted));
  if (possible === undefined)
    throw OpError.from("mount_setattr", source, EPERM, "its mount has locked flags that the options would change");
  mountSetattr(mounted, false, { ...possible, propagation: 0 }, source);
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

/** The words are runc's, as people search for them. */
function placeOf(root: Fd, { type, destination }: FilesystemStep, links: Links): Fd {
  try {
    return mountPoint(root, destination, "directory", type, links);
  } catch (error) {
    if (links !== "refuse" || !(error instanceof RuntimeError)) throw error;
    throw safetyViolation(`filesystem "${type}" must be mounted on ordinary directory: ${error.message}`);
  }
}

function newFilesystem(root: Fd, step: FilesystemStep): Fd {
  const links: Links = pseudo.has(step.type) ? "refuse" : "follow-in-root";
  const covers = step.type === "tmpfs" && existsInRoot(root, step.destination, links);
  const target = placeOf(root, step, links);
  let mounted: Fd;
  try {
    mounted = createFilesystem(step.type, step.options, step.attributes, step.mount2);
  } catch (error) {
    close(target);
    throw error instanceof OpError ? error.during(`mount ${step.type} on`, step.destination) : error;
  }
  if (step.rootLabel !== undefined) labelRoot(mounted, step.rootLabel);
  if (covers) {
    // What is made for the mount is not covered: there the mode is that of the kernel, 1777, or of the options.
    const { mode } = fstat(step.modeOfCovered ? target : mounted);
    if (step.copyUp) copyUp(target, mounted, step.destination);
    fchmodat(mounted, ".", mode & 0o7777);
  }
  attach(mounted, target, step);
  return mounted;
}
