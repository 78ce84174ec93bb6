/**
 * tmpcopyup (config.md "Linux mount options"): a tmpfs that starts with what the image has in its place. Image and
 * copy are walked by descriptors, and no link is followed in either.
 */
import { ELOOP } from "../../syscalls/constants/errno.ts";
import {
  AT_SYMLINK_NOFOLLOW,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
} from "../../syscalls/constants/fcntl.ts";
import { S_IFDIR, S_IFLNK, S_IFREG } from "../../syscalls/constants/stat.ts";
import {
  makedev,
  mkdirat,
  mknodat,
  readDirectory,
  readlinkat,
  trySymlinkat,
} from "../../syscalls/directory.ts";
import { OpError } from "../../syscalls/error.ts";
import { sendfile } from "../../syscalls/io.ts";
import { openat } from "../../syscalls/open.ts";
import { fchmod, fchmodat, lchownat } from "../../syscalls/permissions.ts";
import { closing, scope } from "../../syscalls/scope.ts";
import { fstat, isType, type Stat, statx } from "../../syscalls/stat.ts";
import type { Fd } from "../../syscalls/types.ts";

/** Deeper trees are no image's, and each level is a level of the stack here. */
const MAX_DEPTH = 256;

/** Copies the content of the directory `from` to the empty directory `to`, with owners, modes and links. */
export function copyUp(from: Fd, to: Fd, path: string, depth = 0): void {
  if (depth > MAX_DEPTH) throw OpError.from("copy up", path, ELOOP, `deeper than ${MAX_DEPTH} directories`);
  closing(openat(from, ".", O_RDONLY | O_DIRECTORY), (source) => {
    for (const { name } of readDirectory(source)) copyEntry(source, to, name, `${path}/${name}`, depth);
    const stat = fstat(source);
    lchownat(to, ".", stat.uid, stat.gid);
    fchmodat(to, ".", stat.mode & 0o7777);
  });
}

function copyEntry(from: Fd, to: Fd, name: string, path: string, depth: number): void {
  const stat = statx(from, name, AT_SYMLINK_NOFOLLOW);
  if (isType(stat, S_IFLNK)) {
    const made = trySymlinkat(readlinkat(from, name), to, name);
    if (made < 0) throw OpError.from("symlink", path, -made);
  } else if (isType(stat, S_IFDIR)) {
    copyDirectory(from, to, name, path, depth);
    return;
  } else if (isType(stat, S_IFREG)) {
    copyFile(from, to, name, stat);
    return;
  } else {
    mknodat(to, name, stat.mode, makedev(stat.rdevMajor, stat.rdevMinor));
  }
  lchownat(to, name, stat.uid, stat.gid);
}

function copyDirectory(from: Fd, to: Fd, name: string, path: string, depth: number): void {
  mkdirat(to, name, 0o700);
  scope((owner) => {
    const source = owner.own(openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    const copy = owner.own(openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    copyUp(source, copy, path, depth + 1);
  });
}

function copyFile(from: Fd, to: Fd, name: string, stat: Stat): void {
  // O_NONBLOCK: what was a file a moment ago may be a fifo now.
  scope((owner) => {
    const source = owner.own(openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    const copy = owner.own(openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
    if (isType(fstat(source), S_IFREG)) while (sendfile(copy, source, 0x7ffff000) > 0);
    lchownat(to, name, stat.uid, stat.gid);
    fchmod(copy, stat.mode & 0o7777);
  });
}
