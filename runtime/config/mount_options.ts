/**
 * The names of mount options (config.md "Linux mount options", mount(8)) and what each does. A table to be read
 * beside the man page: what a name sets, what it clears, and whether it goes to the whole tree.
 */
import * as M from "../../syscalls/constants/mount.ts";
import { propagations } from "./names.ts";

/** What a name does to flags. */
export interface FlagChange {
  readonly set?: number;
  readonly clear?: number;
}

/** MS_* of mount(2). */
export const flagOptions: Readonly<Record<string, FlagChange>> = {
  acl: { set: M.MS_POSIXACL },
  async: { clear: M.MS_SYNCHRONOUS },
  atime: { clear: M.MS_NOATIME },
  bind: { set: M.MS_BIND },
  defaults: {},
  dev: { clear: M.MS_NODEV },
  diratime: { clear: M.MS_NODIRATIME },
  dirsync: { set: M.MS_DIRSYNC },
  exec: { clear: M.MS_NOEXEC },
  iversion: { set: M.MS_I_VERSION },
  lazytime: { set: M.MS_LAZYTIME },
  loud: { clear: M.MS_SILENT },
  mand: { set: M.MS_MANDLOCK },
  noacl: { clear: M.MS_POSIXACL },
  noatime: { set: M.MS_NOATIME },
  nodev: { set: M.MS_NODEV },
  nodiratime: { set: M.MS_NODIRATIME },
  noexec: { set: M.MS_NOEXEC },
  noiversion: { clear: M.MS_I_VERSION },
  nolazytime: { clear: M.MS_LAZYTIME },
  nomand: { clear: M.MS_MANDLOCK },
  norelatime: { clear: M.MS_RELATIME },
  nostrictatime: { clear: M.MS_STRICTATIME },
  nosuid: { set: M.MS_NOSUID },
  nosymfollow: { set: M.MS_NOSYMFOLLOW },
  rbind: { set: M.MS_BIND | M.MS_REC },
  relatime: { set: M.MS_RELATIME },
  remount: { set: M.MS_REMOUNT },
  ro: { set: M.MS_RDONLY },
  rw: { clear: M.MS_RDONLY },
  silent: { set: M.MS_SILENT },
  strictatime: { set: M.MS_STRICTATIME },
  suid: { clear: M.MS_NOSUID },
  symfollow: { clear: M.MS_NOSYMFOLLOW },
  sync: { set: M.MS_SYNCHRONOUS },
};

/** MOUNT_ATTR_* for a whole tree. A change of the access time has to clear all of it first (mount_setattr(2)). */
export const recursiveOptions: Readonly<Record<string, FlagChange>> = {
  ratime: { clear: M.MOUNT_ATTR__ATIME },
  rdev: { clear: M.MOUNT_ATTR_NODEV },
  rdiratime: { clear: M.MOUNT_ATTR_NODIRATIME },
  rexec: { clear: M.MOUNT_ATTR_NOEXEC },
  rnoatime: { set: M.MOUNT_ATTR_NOATIME, clear: M.MOUNT_ATTR__ATIME },
  rnodev: { set: M.MOUNT_ATTR_NODEV },
  rnodiratime: { set: M.MOUNT_ATTR_NODIRATIME },
  rnoexec: { set: M.MOUNT_ATTR_NOEXEC },
  rnorelatime: { clear: M.MOUNT_ATTR__ATIME },
  rnostrictatime: { clear: M.MOUNT_ATTR__ATIME },
  rnosuid: { set: M.MOUNT_ATTR_NOSUID },
  rnosymfollow: { set: M.MOUNT_ATTR_NOSYMFOLLOW },
  rrelatime: { set: M.MOUNT_ATTR_RELATIME, clear: M.MOUNT_ATTR__ATIME },
  rro: { set: M.MOUNT_ATTR_RDONLY },
  rrw: { clear: M.MOUNT_ATTR_RDONLY },
  rstrictatime: { set: M.MOUNT_ATTR_STRICTATIME, clear: M.MOUNT_ATTR__ATIME },
  rsuid: { clear: M.MOUNT_ATTR_NOSUID },
  rsymfollow: { clear: M.MOUNT_ATTR_NOSYMFOLLOW },
};

/** What the runtime does itself, whatever the file system. */
export interface OwnOptions {
  /** Whose ids the files have is mapped, for the mount or for the whole tree below it. */
  readonly idmap: "no" | "mount" | "tree";
  /** A tmpfs starts with what it covers. */
  readonly copyUp: boolean;
}

/** By name; no system call knows these. */
export const ownOptions: Readonly<Record<string, Partial<OwnOptions>>> = {
  idmap: { idmap: "mount" },
  ridmap: { idmap: "tree" },
  tmpcopyup: { copyUp: true },
};

/** Every option name that is not handed to the file system, sorted: what `features` lists. */
export function knownMountOptions(): string[] {
  return [flagOptions, propagations, recursiveOptions, ownOptions].flatMap(Object.keys).sort();
}
