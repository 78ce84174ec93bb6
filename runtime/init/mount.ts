/** Performing the mounts of a plan: each is made detached, given its attributes, and only then put in place. */
import { asking } from "../../syscalls/asking.ts";
import { EINVAL, EPERM } from "../../syscalls/constants/errno.ts";
import { O_PATH } from "../../syscalls/constants/fcntl.ts";
import { PROC_SUPER_MAGIC } from "../../syscalls/constants/magic.ts";
import { MOUNT_ATTR_RDONLY } from "../../syscalls/constants/mount.ts";
import { S_IFDIR } from "../../syscalls/constants/stat.ts";
import { dupAbove } from "../../syscalls/descriptor.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import type { FsOption } from "../../syscalls/mount.ts";
import { MS_REMOUNT, MS_SLAVE, tryMount } from "../../syscalls/mount.ts";
import { CWD, close } from "../../syscalls/open.ts";
import { fchmodat } from "../../syscalls/permissions.ts";
import { closing } from "../../syscalls/scope.ts";
import { fstat, fstatfs, isType } from "../../syscalls/stat.ts";
import type { Fd, SpecField } from "../../syscalls/types.ts";
import { prefixed, RuntimeError, safetyViolation } from "../errors.ts";
import { labelRoot } from "../lsm/labels.ts";
import { existsInRoot, type Links, openInRoot } from "../path/in_root.ts";
import type { CgroupView } from "../plan/cgroup/view.ts";
import type { BindStep, FilesystemStep, MountStep, RemountStep } from "../plan/mounts/mounts.ts";
import { type BindAttributes, lockedBindAttributes } from "../plan/mounts/options.ts";
import { mountCgroups } from "./cgroup_mount.ts";
import { copyUp } from "./copy_up.ts";
import { type MountApi, mountSetattr } from "./mount_api.ts";
import { attachMount, mountPoint, setInPlace } from "./mount_point.ts";
import { attributesOfMount } from "./old_mount_api.ts";
import { boundInstead, makeCgroupsReadonly, whyNoPseudo } from "./sysfs.ts";

/** What mounts need that was made or read by the parent. */
export interface MountContext {
  readonly cgroups: CgroupView;
  /** Has the parent open the source of the mount with this index; undefined where it cannot. */
  readonly askForSource: (mount: number) => Fd | undefined;
  /** The parent has more right to the host's directories than we. */
  readonly parentReaches: boolean;
  /** The container is in another user namespace than the first, and has a pid namespace of its own or not. */
  readonly inUserNamespace: boolean;
  readonly ownPids: boolean;
  /** MS_*: what each mount gets first. A copy of the host's mount namespace has got that as a whole. */
  readonly propagation: readonly number[];
}

/** The root file system when everything in it is mounted. */
export interface Mounted {
  /** The last mount on "/", or what the root was before. */
  readonly root: Fd;
  /** MS_*: the propagation of that mount, which pivot_root(2) would refuse if it were set before. */
  readonly rootPropagation: readonly number[];
  readonly readOnlyLater: readonly ReadOnlyLater[];
}

/** To be made read-only in the end, and closed. */
export interface ReadOnlyLater {
  readonly mounted: Fd;
  readonly from: SpecField;
}

/** File systems whose place must be a real directory: a link there has been a way out more than once. */
const pseudo = new Set(["proc", "sysfs", "mqueue", "cgroup", "cgroup2"]);

/**
 * Makes every mount of the plan in its order, beneath `base`, which it takes over. What is mounted on "/" is the root
 * of all that comes after.
 */
export function mountAll(
  api: MountApi,
  base: Fd,
  steps: readonly MountStep[],
  context: MountContext,
): Mounted {
  let state: Mounted = { root: base, rootPropagation: [], readOnlyLater: [] };
  for (const [index, step] of steps.entries()) {
    try {
      state = asking(step.from, () => mountNext(api, state, step, index, context));
    } catch (error) {
      throw prefixed(
        `error mounting ${JSON.stringify(nameOf(step))} to rootfs at ${JSON.stringify(step.destination)}`,
        error,
      );
    }
  }
  return state;
}

function mountNext(
  api: MountApi,
  before: Mounted,
  step: MountStep,
  index: number,
  context: MountContext,
): Mounted {
  const { root, rootPropagation } = before;
  const mounted = mountOne(api, root, step, index, context);
  const kept = mounted === undefined ? rootPropagation : [];
  const propagation = step.isRoot ? [...kept, ...step.propagation] : rootPropagation;
  if (mounted === undefined) return { ...before, rootPropagation: propagation };
  const later = step.kind === "filesystem" && step.readOnlyLater;
  const readOnlyLater = later
    ? [...before.readOnlyLater, { mounted: dupAbove(mounted, 3), from: step.from }]
    : before.readOnlyLater;
  if (!step.isRoot) {
    close(mounted);
    return { root, rootPropagation: propagation, readOnlyLater };
  }
  // A shared mount can be no new root, nor anything that lies on one.
  mountSetattr(api, mounted, false, { set: 0, clear: 0, propagation: MS_SLAVE }, step.destination);
  close(root);
  return { root: mounted, rootPropagation: propagation, readOnlyLater };
}

/** What is mounted, for a message: its source, or the kind of file system. */
function nameOf(step: MountStep): string {
  if (step.kind === "cgroup") return step.kind;
  return step.kind === "bind" ? step.source : step.type;
}

/** Makes one; returns it where it is one mount by itself. */
function mountOne(
  api: MountApi,
  root: Fd,
  planned: MountStep,
  index: number,
  context: MountContext,
): Fd | undefined {
  const propagation = planned.isRoot ? [] : [...context.propagation, ...planned.propagation];
  const step: MountStep = { ...planned, propagation };
  if (step.kind === "bind") return bind(api, root, step, openSource(api, step, index, context), context);
  if (step.kind === "filesystem") return newFilesystem(api, root, step, context);
  if (step.kind === "cgroup") mountCgroups(api, root, step, context.cgroups);
  else remount(api, root, step);
  return undefined;
}

const LOCKED = "what is mounted below it cannot be left out in a user namespace: use rbind";

/**
 * Only the parent can map ids. Root of a user namespace may not search every directory of the host, though it was told
 * to bind what lies there.
 */
function openSource(
  api: MountApi,
  step: BindStep,
  index: number,
  { askForSource, parentReaches, inUserNamespace }: MountContext,
): Fd {
  if (step.idmap !== undefined) {
    const mapped = askForSource(index);
    if (mapped === undefined) throw OpError.from("id-map", step.source, EPERM);
    return mapped;
  }
  try {
    return api.cloneTree(CWD, step.source, step.recursive);
  } catch (error) {
    // EINVAL: without its mounts a directory cannot be had in a user namespace to which they are locked.
    const locked = inUserNamespace && !step.recursive && isErrno(error, "EINVAL");
    const source = parentReaches && (locked || isErrno(error, "EACCES")) ? askForSource(index) : undefined;
    if (source === undefined) throw locked ? error.because(LOCKED) : error;
    return source;
  }
}

function bind(api: MountApi, root: Fd, step: BindStep, source: Fd, { inUserNamespace }: MountContext): Fd {
  const isDirectory = isType(fstat(source), S_IFDIR);
  const ofProc = fstatfs(source).magic === PROC_SUPER_MAGIC;
  const target = mountPoint(
    root,
    step.destination,
    isDirectory ? "directory" : "file",
    ofProc ? "proc" : "bind",
  );
  if (step.attributes !== undefined) setBindAttributes(api, source, step.attributes, step.source);
  attachMount(api, source, target, step);
  const readOnly = ((step.attributes?.set ?? 0) & MOUNT_ATTR_RDONLY) !== 0;
  if (inUserNamespace && step.recursive && readOnly) makeCgroupsReadonly(api, source);
  return source;
}

/** As asked, or as far as the locked flags of the source let it be. */
function setBindAttributes(api: MountApi, mounted: Fd, asked: BindAttributes, source: string): void {
  const result = api.tryMountSetattr(mounted, false, { ...asked, propagation: 0 });
  if (result >= 0) return;
  if (result !== -EPERM) throw OpError.from("mount_setattr", source, -result);
  const possible = lockedBindAttributes(asked, attributesOfMount(mounted));
  if (possible === undefined)
    throw OpError.from(
      "mount_setattr",
      source,
      EPERM,
      "its mount has locked flags that the options would change",
    );
  mountSetattr(api, mounted, false, { ...possible, propagation: 0 }, source);
}

/**
 * mount(2) MS_REMOUNT. No link is followed to what is remounted: without MS_BIND it changes the file system itself,
 * which a link to "/" in the image would make one of the host.
 */
function remount(api: MountApi, root: Fd, step: RemountStep): void {
  closing(openInRoot(root, step.destination, O_PATH, "refuse"), (target) => {
    const result = api.staging.atDescriptors(() =>
      tryMount("none", String(target), step.type, step.flags | MS_REMOUNT, step.data),
    );
    const hint = result === -EINVAL ? "is there a mount?" : undefined;
    if (result < 0) throw OpError.from("remount", step.destination, -result, hint);
    setInPlace(api, target, step);
  });
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

function newFilesystem(api: MountApi, root: Fd, step: FilesystemStep, context: MountContext): Fd {
  const links: Links = pseudo.has(step.type) ? "refuse" : "follow-in-root";
  const covers = step.type === "tmpfs" && existsInRoot(root, step.destination, links);
  const target = placeOf(root, step, links);
  // What is made for the mount is not covered: there the mode is that of the kernel, 1777, or of the options.
  const inherited = covers && step.modeOfCovered ? [modeOption(target)] : [];
  let mounted: Fd;
  let isBound = false;
  try {
    mounted = api.createFilesystem(step.type, [...inherited, ...step.options], step.attributes, step.mount2);
  } catch (error) {
    const refused = context.inUserNamespace && isErrno(error, "EPERM");
    const instead = refused ? boundInstead(api, step, context.ownPids) : undefined;
    if (instead === undefined) {
      close(target);
      throw error instanceof OpError ? notMounted(error, step, refused) : error;
    }
    mounted = instead;
    isBound = true;
  }
  if (step.rootLabel !== undefined) labelRoot(mounted, step.rootLabel);
  if (covers && step.copyUp) {
    const { mode } = fstat(mounted);
    copyUp(target, mounted, step.destination);
    fchmodat(mounted, ".", mode & 0o7777);
  }
  attachMount(api, mounted, target, step);
  if (isBound) makeCgroupsReadonly(api, mounted);
  return mounted;
}

function notMounted(error: OpError, { type, destination }: FilesystemStep, refused: boolean): OpError {
  const hint = refused ? whyNoPseudo(type) : undefined;
  const named = error.during(`mount ${type} on`, destination);
  return hint === undefined ? named : named.because(hint);
}

/** As an option rather than by chmod, so that the mount's options tell it, as with runc. */
function modeOption(target: Fd): FsOption {
  return { key: "mode", value: (fstat(target).mode & 0o7777).toString(8) };
}
