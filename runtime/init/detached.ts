/**
 * Detached mounts: made, given their attributes, and only then put in their place. The new mount API does that by
 * itself. Where the kernel lacks it (before 5.2; 5.12 for attributes) or a filter around the runtime refuses it, and
 * for the little that only mount(2) can say, a tmpfs of this mount namespace that nothing else can reach is where they
 * are made, and MS_MOVE puts them in place. mount(2) takes paths: a descriptor becomes one as its number relative to
 * the fd directory of a procfs that the container cannot cover, which is made the current directory for the call.
 */

import { E2BIG, ENOSYS } from "../../syscalls/constants/errno.ts";
import { O_CREAT, O_DIRECTORY, O_EXCL, O_PATH, O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { TMPFS_MAGIC } from "../../syscalls/constants/magic.ts";
import * as ST from "../../syscalls/constants/stat.ts";
import { fdName, pathName } from "../../syscalls/descriptor_name.ts";
import { mkdirat } from "../../syscalls/directory.ts";
import { OpError } from "../../syscalls/error.ts";
import * as K from "../../syscalls/mount.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { fstat, fstatfs, isType } from "../../syscalls/stat.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { fchdir } from "../../syscalls/working_directory.ts";
import { safetyViolation } from "../errors.ts";
import { filesystemFlagOf, flagsOf } from "../plan/mounts/options.ts";

/** A page, of which mount(2) reads all but the last byte, and cuts the rest off without a word. */
const MOUNT_DATA_LIMIT = 4096;

/** How mounts are made in this process; set once, before the first. */
interface Mode {
  readonly old: boolean;
  readonly procfs: Fd;
  /** /proc/self/fd of `procfs`, opened when it is first needed. */
  descriptors: Fd | undefined;
  /** Where mounts are made that cannot be detached, and how many there have been. */
  staging: Fd | undefined;
  count: number;
}

let mode: Mode | undefined;

function current(): Mode {
  if (mode === undefined) throw new Error("no mount before chooseMountApi");
  return mode;
}

/** Finds out which API there is; true when mounts need the staging that openStaging makes. */
export function chooseMountApi(procfs: Fd): boolean {
  const old = K.missingMountCalls().length > 0;
  mode = { old, procfs, descriptors: undefined, staging: undefined, count: 0 };
  return old;
}

/**
 * Puts the staging tmpfs on the directory that the root file system will cover. It is unbindable, so that a recursive
 * bind of what lies below does not copy it. The mount of `place` must not be shared, or the host would see it.
 */
export function openStaging(place: Fd, path: HostPath): void {
  atDescriptors(() => K.mount("tmpfs", String(place), "tmpfs", K.MS_NOSUID | K.MS_NODEV, "mode=700"));
  const staging = openat(CWD, path, O_PATH | O_DIRECTORY);
  const [mounted, covered] = [fstat(staging), fstat(place)];
  const another = mounted.devMajor !== covered.devMajor || mounted.devMinor !== covered.devMinor;
  if (fstatfs(staging).magic !== TMPFS_MAGIC || !another) {
    throw safetyViolation(`${path} was replaced while the root file system was being prepared`);
  }
  atDescriptors(() => K.mount("", String(staging), "", K.MS_UNBINDABLE, ""));
  current().staging = staging;
}

/** Gives up what this file holds open, when every mount is made. */
export function closeStaging(): void {
  const { descriptors, staging } = current();
  for (const fd of [descriptors, staging]) if (fd !== undefined) close(fd);
  mode = undefined;
}

/** Runs `act` where the name "7" is what descriptor 7 is open on. */
export function atDescriptors<T>(act: () => T): T {
  const state = current();
  state.descriptors ??= openat(state.procfs, "self/fd", O_PATH | O_DIRECTORY);
  const { descriptors } = state;
  return closing(openat(CWD, ".", O_PATH | O_DIRECTORY), (before) => {
    fchdir(descriptors);
    try {
      return act();
    } finally {
      fchdir(before);
    }
  });
}

/** fsopen, fsconfig, fsmount; mount(2) where they are missing or `mount2` (more MS_* flags) asks for it. */
export function createFilesystem(
  type: string,
  options: readonly K.FsOption[],
  attributes: number,
  mount2?: number,
): Fd {
  if (!current().old && mount2 === undefined) return K.createFilesystem(type, options, attributes);
  let flags = flagsOf(attributes) | (mount2 ?? 0);
  let source = "none";
  const data: string[] = [];
  for (const { key, value } of options) {
    const flag = value === undefined ? filesystemFlagOf(key) : 0;
    if (flag !== 0) flags |= flag;
    else if (key === "source" && value !== undefined) source = value;
    // The comma of an SELinux label is no separator (mount(8), "context=").
    else if (key === "context") data.push(`context="${value}"`);
    else data.push(value === undefined ? key : `${key}=${value}`);
  }
  const text = data.join(",");
  if (encodeUtf8(text).length >= MOUNT_DATA_LIMIT)
    throw OpError.from("mount", type, E2BIG, "the options together are longer than mount(2) takes");
  return stage("directory", (slot) => {
    const result = K.tryMount(source, slot, type, flags, text);
    if (result < 0) throw OpError.from("mount", type, -result);
  });
}

/** open_tree with OPEN_TREE_CLONE, or a bind mount; an empty path is what `dir` is open on. */
export function cloneTree(dir: Fd, path: string, recursive: boolean): Fd {
  if (!current().old) return K.cloneTree(dir, path, recursive);
  const bind = (source: Fd): Fd =>
    stage(isType(fstat(source), ST.S_IFDIR) ? "directory" : "file", (slot) => {
      const flags = K.MS_BIND | (recursive ? K.MS_REC : 0);
      const result = K.tryMount(String(source), slot, "", flags, "");
      if (result < 0) throw OpError.from("bind", pathName(dir, path), -result);
    });
  return path === "" ? bind(dir) : closing(openat(dir, path, O_PATH), bind);
}

/** Makes a place in the staging, mounts there by `mountOn` (which gets a name for it), and opens the mount. */
function stage(kind: "directory" | "file", mountOn: (slot: string) => void): Fd {
  const state = current();
  const { staging } = state;
  if (staging === undefined) throw new Error("no staging for mount(2)");
  const name = String(state.count++);
  if (kind === "directory") mkdirat(staging, name, 0o700);
  else close(openat(staging, name, O_CREAT | O_EXCL | O_WRONLY, 0o600));
  closing(openat(staging, name, O_PATH), (slot) => {
    atDescriptors(() => mountOn(String(slot)));
  });
  return openat(staging, name, O_PATH);
}

/** move_mount, or MS_MOVE. */
export function moveMountOnto(mounted: Fd, target: Fd, object: string): void {
  if (!current().old) {
    K.moveMountOnto(mounted, target, object);
    return;
  }
  const result = atDescriptors(() => K.tryMount(String(mounted), String(target), "", K.MS_MOVE, ""));
  if (result < 0) throw OpError.from("mount", object, -result);
}

/** mount_setattr, or a remount of the bind mount; failure is an answer, ENOSYS where mount(2) cannot say it. */
export function tryMountSetattr(mounted: Fd, recursive: boolean, attr: K.MountAttr): number {
  if (!current().old) return K.tryMountSetattr(mounted, recursive, attr);
  const apply = (flags: number): number =>
    atDescriptors(() => K.tryMount("", String(mounted), "", flags, ""));
  if (attr.userns !== undefined) return -ENOSYS;
  if (attr.propagation !== 0) {
    const result = apply(attr.propagation | (recursive ? K.MS_REC : 0));
    if (result < 0) return result;
  }
  if (attr.set === 0 && attr.clear === 0) return 0;
  if (recursive) return -ENOSYS;
  const attributes = (attributesOfMount(mounted) & ~attr.clear) | attr.set;
  return apply(K.MS_REMOUNT | K.MS_BIND | flagsOf(attributes));
}

/** As tryMountSetattr, throwing. */
export function mountSetattr(mounted: Fd, recursive: boolean, attr: K.MountAttr, object?: string): void {
  const result = tryMountSetattr(mounted, recursive, attr);
  if (result >= 0) return;
  const hint =
    result === -ENOSYS
      ? "recursive and id-mapped mount options need mount_setattr(2), Linux 5.12"
      : undefined;
  throw OpError.from("mount_setattr", object ?? fdName(mounted), -result, hint);
}

const statfsAttributes: readonly (readonly [number, number])[] = [
  [ST.ST_RDONLY, K.MOUNT_ATTR_RDONLY],
  [ST.ST_NOSUID, K.MOUNT_ATTR_NOSUID],
  [ST.ST_NODEV, K.MOUNT_ATTR_NODEV],
  [ST.ST_NOEXEC, K.MOUNT_ATTR_NOEXEC],
  [ST.ST_NODIRATIME, K.MOUNT_ATTR_NODIRATIME],
  [ST.ST_NOSYMFOLLOW, K.MOUNT_ATTR_NOSYMFOLLOW],
];

/** The MOUNT_ATTR_* that a mount has now, as statfs(2) tells them. */
export function attributesOfMount(mounted: Fd): number {
  const { flags } = fstatfs(mounted);
  let attributes = 0;
  for (const [st, attr] of statfsAttributes) if (flags & st) attributes |= attr;
  if (flags & ST.ST_NOATIME) return attributes | K.MOUNT_ATTR_NOATIME;
  return flags & ST.ST_RELATIME ? attributes : attributes | K.MOUNT_ATTR_STRICTATIME;
}
