/** Descriptors themselves: fcntl(2), dup3(2), flock(2), and the files without a name, pipe2(2) and memfd_create(2). */

import { ENOSYS, EPERM } from "./constants/errno.ts";
import {
  F_ADD_SEALS,
  F_DUPFD_CLOEXEC,
  F_GET_SEALS,
  F_GETFD,
  F_SETFD,
  FD_CLOEXEC,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  O_CLOEXEC,
  O_EXCL,
  O_RDWR,
  O_TMPFILE,
} from "./constants/fcntl.ts";
import { ST_NOEXEC } from "./constants/stat.ts";
import { cstr } from "./cstring.ts";
import { CWD, close, tryOpenat } from "./open.ts";
import { fstatfs } from "./stat.ts";
import { call, callForFd, failure, type ResultOrErrno, tryCall, tryCallForFd } from "./syscall.ts";
import { type Fd, failed } from "./types.ts";

/** The descriptor of this number, for one whom somebody else tells that it is open: the kernel in a buffer, the caller. */
export function fdAt(number: number | undefined): Fd {
  return (number ?? -1) as Fd;
}

export const STDIN = fdAt(0);
export const STDOUT = fdAt(1);
export const STDERR = fdAt(2);
/** The standard streams. */
export const STREAMS: readonly Fd[] = [STDIN, STDOUT, STDERR];

/** fcntl(2) with a number as argument, failure an answer. */
export function tryFcntl(fd: Fd, command: number, argument = 0): ResultOrErrno {
  return tryCall("fcntl", [fd, command, argument]);
}

/** Makes a descriptor survive execve(2); the opposite of what everything else here does, hence by name. */
export function clearCloexec(fd: Fd): void {
  const flags = call("fcntl", [fd, F_GETFD]);
  call("fcntl", [fd, F_SETFD, flags & ~FD_CLOEXEC]);
}

/** The opposite, for what came through our own execve(2). */
export function setCloexec(fd: Fd): void {
  call("fcntl", [fd, F_SETFD, FD_CLOEXEC]);
}

/** A second descriptor of the same open file, at or above `minimum`. */
export function dupAbove(fd: Fd, minimum: number): Fd {
  return callForFd("fcntl", [fd, F_DUPFD_CLOEXEC, minimum]);
}

/** dup3(2): makes `to` the same open file as `from`; `flags` is 0 or O_CLOEXEC. */
export function dup3(from: Fd, to: Fd, flags: number): void {
  call("dup3", [from, to, flags]);
}

/** flock(2); failure (EWOULDBLOCK of LOCK_NB) is an answer. */
export function tryFlock(fd: Fd, operation: number): ResultOrErrno {
  return tryCall("flock", [fd, operation]);
}

/** pipe2(2), O_CLOEXEC: [read end, write end]. */
export function pipe(flags = 0): [Fd, Fd] {
  const fds = new Int32Array(2);
  call("pipe2", [fds, flags | O_CLOEXEC]);
  return [fdAt(fds[0]), fdAt(fds[1])];
}

/** Where files without a name are made. */
const TEMPORARY = ["/run", "/dev/shm", "/tmp"];

/**
 * memfd_create(2) that can be sealed. Where there is none, or a filter refuses it, a file that never had a name (O_TMPFILE)
 * in the first directory that takes one, with `executable` one from which programs may be executed.
 */
export function memfdCreate(name: string, executable = false): Fd {
  const args = [cstr(name), MFD_CLOEXEC | MFD_ALLOW_SEALING];
  const memfd = tryCallForFd("memfd_create", args);
  if (!failed(memfd)) return memfd;
  if (memfd === -ENOSYS || memfd === -EPERM)
    for (const directory of TEMPORARY) {
      const file = tryOpenat(CWD, directory, O_TMPFILE | O_RDWR | O_EXCL, 0o700);
      if (failed(file)) continue;
      if (!executable || (fstatfs(file).flags & ST_NOEXEC) === 0) return file;
      close(file);
    }
  throw failure("memfd_create", args, -memfd);
}

/** F_ADD_SEALS; failure (EINVAL, EPERM: it is no memfd) is an answer. */
export function tryAddSeals(fd: Fd, seals: number): ResultOrErrno {
  return tryCall("fcntl", [fd, F_ADD_SEALS, seals]);
}

/** F_GET_SEALS; 0 for a file that has none. */
export function getSeals(fd: Fd): number {
  return Math.max(0, tryCall("fcntl", [fd, F_GET_SEALS]));
}
