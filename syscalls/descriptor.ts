/** Descriptors themselves: fcntl(2), dup3(2), flock(2), and the files without a name, pipe2(2) and memfd_create(2). */

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
} from "./constants/fcntl.ts";
import { cstr } from "./cstring.ts";
import { call, callForFd, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";

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

/** memfd_create(2) that can be sealed. */
export function memfdCreate(name: string): Fd {
  return callForFd("memfd_create", [cstr(name), MFD_CLOEXEC | MFD_ALLOW_SEALING]);
}

/** F_ADD_SEALS. */
export function addSeals(fd: Fd, seals: number): void {
  call("fcntl", [fd, F_ADD_SEALS, seals]);
}

/** F_GET_SEALS; 0 for a file that has none. */
export function getSeals(fd: Fd): number {
  return Math.max(0, tryCall("fcntl", [fd, F_GET_SEALS]));
}
