/**
 * openat2(2), and where there is none (before Linux 5.6, or refused by a filter that does not know it) the same walk
 * by descriptors: each component is opened without following links, and links and ".." are taken apart here. A
 * descriptor that was passed on the way down is the ".." of what lies below, so nothing that is moved meanwhile leads
 * out.
 */

import { EAGAIN, ELOOP, ENOENT, ENOSYS, ENOTDIR, EPERM, EXDEV } from "../../syscalls/constants/errno.ts";
import {
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../../syscalls/constants/fcntl.ts";
import { PROC_SUPER_MAGIC } from "../../syscalls/constants/magic.ts";
import { S_IFDIR, S_IFLNK } from "../../syscalls/constants/stat.ts";
import { tryReadlinkat } from "../../syscalls/directory.ts";
import { close, tryOpenat, tryOpenat2 } from "../../syscalls/open.ts";
import { fstat, fstatfs, isType, type Stat } from "../../syscalls/stat.ts";
import { type Failure, type Fd, failed, minus } from "../../syscalls/types.ts";

/** openat2 gives EAGAIN when a rename races with the resolution of ".."; an attacker can do that, but not for ever. */
const RACE_RETRIES = 128;

/**
 * Opens `path` from `dir` with RESOLVE_* of openat2(2); a failure is an answer, minus errno. Without RESOLVE_BENEATH
 * or RESOLVE_IN_ROOT an absolute path begins at the root of this process.
 */
export function tryResolve(dir: Fd, path: string, flags: number, resolve: number): Fd | Failure {
  for (let attempt = 0; ; attempt++) {
    const result = tryOpenat2(dir, path, flags, resolve);
    // What EPERM means otherwise the walk will find as well.
    if (result === -ENOSYS || result === -EPERM) return walk(dir, path, flags, resolve);
    if (result !== -EAGAIN || attempt === RACE_RETRIES) return result;
  }
}

/** As many links as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** The inode of the root of every procfs (linux/proc_ns.h, PROC_ROOT_INO). */
const PROC_ROOT_INO = 1n;

/** The same by openat(2) alone. */
export function walk(dir: Fd, path: string, flags: number, resolve: number): Fd | Failure {
  if (path === "") return minus(ENOENT);
  const absolute = path.startsWith("/");
  if (absolute && (resolve & RESOLVE_BENEATH) !== 0) return minus(EXDEV);
  const start = tryOpenat(
    dir,
    absolute && (resolve & RESOLVE_IN_ROOT) === 0 ? "/" : ".",
    O_PATH | O_DIRECTORY,
  );
  if (failed(start)) return start;
  const passed: Fd[] = [];
  try {
    return descend(start, passed, path.split("/"), flags, resolve);
  } finally {
    for (const fd of [start, ...passed]) close(fd);
  }
}

/** Goes down from `start`; the directories that are `passed` on the way stay the caller's to close. */
function descend(start: Fd, passed: Fd[], left: string[], flags: number, resolve: number): Fd | Failure {
  const mount = fstat(start);
  let followed = 0;
  for (let part = left.shift(); part !== undefined; part = left.shift()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      const above = passed.pop();
      if (above !== undefined) close(above);
      else if ((resolve & RESOLVE_BENEATH) !== 0) return minus(EXDEV);
      continue;
    }
    const parent = passed.at(-1) ?? start;
    const fd = tryOpenat(parent, part, O_PATH | O_NOFOLLOW);
    if (failed(fd)) return fd;
    const stat = fstat(fd);
    // A slash behind it makes the last component one like the others.
    const last = left.length === 0;
    if (isType(stat, S_IFLNK) && !(last && (flags & O_NOFOLLOW) !== 0)) {
      const target = (resolve & RESOLVE_NO_SYMLINKS) !== 0 ? undefined : linkTarget(fd, parent, resolve);
      close(fd);
      if (target === undefined || ++followed > MAX_LINKS) return minus(ELOOP);
      if (target.startsWith("/")) {
        const failure = toRoot(start, passed, resolve);
        if (failure !== 0) return minus(failure);
      }
      left.unshift(...target.split("/"));
      continue;
    }
    const refused = whyNot(stat, mount, last, flags, resolve);
    if (refused === 0 && last && (flags & O_PATH) !== 0) return fd;
    if (refused !== 0 || last) close(fd);
    if (refused !== 0) return minus(refused);
    // The name may lead to another file by now, in the same directory, but to no link.
    if (last) return tryOpenat(parent, part, flags | O_NOFOLLOW);
    passed.push(fd);
  }
  // What was asked for is a directory that has been passed.
  return tryOpenat(passed.at(-1) ?? start, ".", flags & ~O_NOFOLLOW);
}

/** To where an absolute link begins; the errno where it must not lead. */
function toRoot(start: Fd, passed: Fd[], resolve: number): number {
  if ((resolve & RESOLVE_BENEATH) !== 0) return EXDEV;
  if ((resolve & RESOLVE_IN_ROOT) !== 0) {
    for (const fd of passed.splice(0)) close(fd);
    return 0;
  }
  const top = tryOpenat(start, "/", O_PATH | O_DIRECTORY);
  if (failed(top)) return -top;
  passed.push(top);
  return 0;
}

/** The errno for what cannot be passed or opened. */
function whyNot(stat: Stat, mount: Stat, last: boolean, flags: number, resolve: number): number {
  if ((resolve & RESOLVE_NO_XDEV) !== 0 && !sameMount(mount, stat)) return EXDEV;
  return (!last || (flags & O_DIRECTORY) !== 0) && !isType(stat, S_IFDIR) ? ENOTDIR : 0;
}

/** Undefined for a magic link (proc(5)) where those are refused: all links of a procfs but those in its root. */
function linkTarget(link: Fd, parent: Fd, resolve: number): string | undefined {
  const magic =
    (resolve & RESOLVE_NO_MAGICLINKS) !== 0 &&
    fstatfs(link).magic === PROC_SUPER_MAGIC &&
    fstat(parent).ino !== PROC_ROOT_INO;
  return magic ? undefined : tryReadlinkat(link, "");
}

/** On a kernel that does not number mounts (before 5.8) another device tells. */
function sameMount(one: Stat, other: Stat): boolean {
  return one.mountId === other.mountId && one.devMajor === other.devMajor && one.devMinor === other.devMinor;
}
