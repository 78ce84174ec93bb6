/** Mount options: what a list of them comes to, and what mount(2) and mount_setattr(2) are given for it. */
import * as M from "../../../syscalls/constants/mount.ts";
import { flagOptions, type OwnOptions, ownOptions, recursiveOptions } from "../../config/mount_options.ts";
import { numberOf, propagations } from "../../config/names.ts";

/** What a list of options comes to. */
export interface MountOptions extends OwnOptions {
  /** MS_* flags that were asked for and not taken back. */
  readonly flags: number;
  /** MS_* flags that were cleared by name ("rw", "suid", …) and not set again after. */
  readonly cleared: number;
  /** MOUNT_ATTR_* for the whole tree, set and cleared (the r… options, mount_setattr(2)). */
  readonly recursiveSet: number;
  readonly recursiveClear: number;
  /** Propagation changes in the order given: MS_SHARED and so on, with or without MS_REC. */
  readonly propagation: readonly number[];
  /** Options for the file system itself, in order. */
  readonly data: readonly string[];
}

/** Reads a list of options, later ones winning as in mount(8); unknown names are data for the file system. */
export function parseMountOptions(options: readonly string[]): MountOptions {
  let flags = 0;
  let cleared = 0;
  let recursiveSet = 0;
  let recursiveClear = 0;
  const propagation: number[] = [];
  const data: string[] = [];
  let own: OwnOptions = { idmap: "no", copyUp: false };
  for (const option of options) {
    const flag = lookup(flagOptions, option);
    const recursive = lookup(recursiveOptions, option);
    const change = numberOf(propagations, option);
    if (flag !== undefined) {
      const { set = 0, clear = 0 } = flag;
      flags = (flags | set) & ~clear;
      cleared = (cleared | clear) & ~set;
    } else if (change !== undefined) {
      propagation.push(change);
    } else if (recursive !== undefined) {
      const { set = 0, clear = 0 } = recursive;
      recursiveSet = (recursiveSet & ~clear) | set;
      recursiveClear = (recursiveClear & ~set) | clear;
    } else if (Object.hasOwn(ownOptions, option)) {
      own = { ...own, ...ownOptions[option] };
    } else if (option !== "") {
      data.push(option);
    }
  }
  return { flags, cleared, recursiveSet, recursiveClear, propagation, data, ...own };
}

/** A table is a plain object: "constructor" as an option must not find what every object has. */
function lookup<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** The MOUNT_ATTR_* of the MS_* flags that belong to a mount rather than to its file system. */
export function attributesOf(flags: number): number {
  let attributes = 0;
  for (const [ms, attr] of attributeFlags) if (flags & ms) attributes |= attr;
  // Of "noatime,strictatime" mount(2) takes the second, in whatever order.
  if (flags & M.MS_STRICTATIME) attributes |= M.MOUNT_ATTR_STRICTATIME;
  else if (flags & M.MS_NOATIME) attributes |= M.MOUNT_ATTR_NOATIME;
  return attributes;
}

const attributeFlags: readonly (readonly [number, number])[] = [
  [M.MS_RDONLY, M.MOUNT_ATTR_RDONLY],
  [M.MS_NOSUID, M.MOUNT_ATTR_NOSUID],
  [M.MS_NODEV, M.MOUNT_ATTR_NODEV],
  [M.MS_NOEXEC, M.MOUNT_ATTR_NOEXEC],
  [M.MS_NODIRATIME, M.MOUNT_ATTR_NODIRATIME],
  [M.MS_NOSYMFOLLOW, M.MOUNT_ATTR_NOSYMFOLLOW],
];

/** The MS_* flags that mount(2) takes for MOUNT_ATTR_*. */
export function flagsOf(attributes: number): number {
  let flags = 0;
  for (const [ms, attr] of attributeFlags) if (attributes & attr) flags |= ms;
  const atime = attributes & M.MOUNT_ATTR__ATIME;
  if (atime === M.MOUNT_ATTR_NOATIME) return flags | M.MS_NOATIME;
  return flags | (atime === M.MOUNT_ATTR_STRICTATIME ? M.MS_STRICTATIME : M.MS_RELATIME);
}

/** Flags that mount(2) gives to the file system, under the names that fsconfig(2) knows. */
export function filesystemFlags(flags: number): string[] {
  return superblockFlags.filter(([ms]) => flags & ms).map(([, name]) => name);
}

/** The MS_* flag that fsconfig(2) knows under this name, or 0. */
export function filesystemFlagOf(name: string): number {
  return superblockFlags.find(([, known]) => known === name)?.[0] ?? 0;
}

/** Flags of a file system for which fsconfig(2) has no name: only mount(2) can give them. */
export const MOUNT2_ONLY = M.MS_I_VERSION | M.MS_SILENT | M.MS_POSIXACL;

const superblockFlags: readonly (readonly [number, string])[] = [
  [M.MS_RDONLY, "ro"],
  [M.MS_SYNCHRONOUS, "sync"],
  [M.MS_DIRSYNC, "dirsync"],
  [M.MS_MANDLOCK, "mand"],
  [M.MS_LAZYTIME, "lazytime"],
];

const NOT_ATIME: readonly number[] = attributeFlags.map(([ms]) => ms).filter((ms) => ms !== M.MS_NODIRATIME);
const ATIME = M.MS_NOATIME | M.MS_RELATIME | M.MS_STRICTATIME | M.MS_NODIRATIME;
const ATIME_ATTRIBUTES = M.MOUNT_ATTR__ATIME | M.MOUNT_ATTR_NODIRATIME;
const NOT_ATIME_ATTRIBUTES = attributesOf(NOT_ATIME.reduce((all, ms) => all | ms, 0));

/** What a bind mount's options ask of mount_setattr(2). */
export interface BindAttributes {
  /** MOUNT_ATTR_*. */
  readonly set: number;
  readonly clear: number;
  /** MS_* of mount(2) that were cleared by name: what is locked and named here is an error. */
  readonly mustClear: number;
  /** Some option sets the access time, so that it does not follow the source's. */
  readonly atimeNamed: boolean;
}

/**
 * A bind mount keeps the flags of its source until an option speaks of flags; then it has exactly those named, as
 * mount(2) with MS_REMOUNT and MS_BIND does it for runc, but for the access time (with nodiratime), which stays unless
 * one of its flags is set: clearing one is not enough there, and one that is set sets them all.
 */
export function bindAttributes(flags: number, cleared: number): BindAttributes | undefined {
  if (((flags & ~(M.MS_BIND | M.MS_REC | M.MS_REMOUNT)) | cleared) === 0) return undefined;
  const atimeNamed = (flags & ATIME) !== 0;
  const set = attributesOf(flags) & (NOT_ATIME_ATTRIBUTES | (atimeNamed ? ATIME_ATTRIBUTES : 0));
  const clear = (NOT_ATIME_ATTRIBUTES & ~set) | (atimeNamed ? atimeCleared(set) : 0);
  return { set, clear, mustClear: cleared, atimeNamed };
}

/** The field of the access time is always cleared as a whole (mount_setattr(2)). */
function atimeCleared(set: number): number {
  return M.MOUNT_ATTR__ATIME | (M.MOUNT_ATTR_NODIRATIME & ~set);
}

/**
 * What remains possible where the kernel has locked flags of a mount, as it does those that a user namespace got from
 * another one (mount_namespaces(7)): these stay as they are, and all else is as asked. A flag is locked for good, so
 * options that need another one cannot be met: undefined.
 * `present`: the MOUNT_ATTR_* of the source.
 */
export function lockedBindAttributes(asked: BindAttributes, present: number): BindAttributes | undefined {
  const lockable = M.MOUNT_ATTR_RDONLY | M.MOUNT_ATTR_NOSUID | M.MOUNT_ATTR_NODEV | M.MOUNT_ATTR_NOEXEC;
  const flags = flagsOf(present & (lockable | ATIME_ATTRIBUTES));
  if ((flags & asked.mustClear) !== 0) return undefined;
  const atime = present & ATIME_ATTRIBUTES;
  if (asked.atimeNamed && (asked.set & ATIME_ATTRIBUTES) !== atime) return undefined;
  const set = (asked.set & ~ATIME_ATTRIBUTES) | (present & lockable) | atime;
  return { ...asked, set, clear: (NOT_ATIME_ATTRIBUTES & ~set) | atimeCleared(set) };
}
