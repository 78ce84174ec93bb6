/** Where this process is among the files: its directory, its root, and the umask. */

import { cstr, textOf } from "./cstring.ts";
import { forgetProc } from "./descriptor_name.ts";
import { call, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";

/** umask(2): sets it and returns the one before. */
export function umask(mask: number): number {
  return call("umask", [mask]);
}

/** chdir(2). */
export function chdir(path: string): void {
  call("chdir", [cstr(path)]);
}

/** chdir(2) whose failure is an answer. */
export function tryChdir(path: string): ResultOrErrno {
  return tryCall("chdir", [cstr(path)]);
}

/** fchdir(2). */
export function fchdir(fd: Fd): void {
  call("fchdir", [fd]);
}

/** getcwd(2), the raw call: outside the root it says "(unreachable)/…", which libc would hide. */
export function getcwd(): string {
  const buffer = new Uint8Array(4096);
  const length = call("getcwd", [buffer, buffer.length]);
  return textOf(buffer, length - 1);
}

/** chroot(2). */
export function chroot(path: string): void {
  call("chroot", [cstr(path)]);
  forgetProc();
}
