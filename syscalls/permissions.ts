/** Mode, owner and label of a file. */

import { AT_SYMLINK_NOFOLLOW } from "./constants/fcntl.ts";
import { cstr, cstrBytes } from "./cstring.ts";
import { call, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";

/** fchmodat(2); follows links, so hand it a name that was just made in a directory of ours. */
export function fchmodat(dir: Fd, path: string, mode: number): void {
  call("fchmodat", [dir, cstr(path), mode]);
}

/** fchmod(2). */
export function fchmod(fd: Fd, mode: number): void {
  call("fchmod", [fd, mode]);
}

/** fchownat(2) without following links. */
export function lchownat(dir: Fd, path: string, uid: number, gid: number): void {
  call("fchownat", [dir, cstr(path), uid, gid, AT_SYMLINK_NOFOLLOW]);
}

/** fchownat(2) of the user alone, without following links; failure is an answer. */
export function tryFchownat(dir: Fd, path: string, uid: number): ResultOrErrno {
  return tryCall("fchownat", [dir, cstr(path), uid, -1, AT_SYMLINK_NOFOLLOW]);
}

/** fchown(2) whose failure is an answer. */
export function tryFchown(fd: Fd, uid: number, gid: number): ResultOrErrno {
  return tryCall("fchown", [fd, uid, gid]);
}

/** fsetxattr(2) of the SELinux label, which ends with a NUL. */
export function setLabel(fd: Fd, label: string): void {
  const text = cstrBytes(label);
  call("fsetxattr", [fd, cstr("security.selinux"), text, text.length, 0]);
}
