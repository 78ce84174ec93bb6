/** Opening and closing: openat(2), openat2(2), close(2). Every descriptor is opened O_CLOEXEC. */

import { AT_FDCWD, O_CLOEXEC } from "./constants/fcntl.ts";
import { cstr } from "./cstring.ts";
import { fdAt } from "./descriptor.ts";
import { Struct } from "./struct.ts";
import { callForFd, type ResultOrErrno, tryCall, tryCallForFd } from "./syscall.ts";
import type { Failure, Fd } from "./types.ts";

// Filled and read within one function, so one is enough.
const openHow = new Struct(24);

/** The current directory as a directory descriptor. */
export const CWD = fdAt(AT_FDCWD);

/** openat(2), always O_CLOEXEC. `mode` is for O_CREAT, before the umask. */
export function openat(dir: Fd, path: string, flags: number, mode = 0): Fd {
  return callForFd("openat", [dir, cstr(path), flags | O_CLOEXEC, mode]);
}

/** openat(2) whose failure is an answer: minus errno. */
export function tryOpenat(dir: Fd, path: string, flags: number, mode = 0): Fd | Failure {
  return tryCallForFd("openat", [dir, cstr(path), flags | O_CLOEXEC, mode]);
}

/** openat2(2) with struct open_how: `resolve` is RESOLVE_*; failure is an answer. */
export function tryOpenat2(dir: Fd, path: string, flags: number, resolve: number, mode = 0): Fd | Failure {
  openHow
    .u64(0, flags | O_CLOEXEC)
    .u64(8, mode)
    .u64(16, resolve);
  return tryCallForFd("openat2", [dir, cstr(path), openHow.bytes, 24]);
}

/** close(2); errors are of no use to anyone, the descriptor is gone. */
export function close(fd: Fd): void {
  tryCall("close", [fd]);
}

/** close_range(2) with `flags` (CLOSE_RANGE_CLOEXEC marks instead of closing); failure is an answer. */
export function tryCloseRange(first: number, last: number, flags: number): ResultOrErrno {
  return tryCall("close_range", [first, last, flags]);
}
