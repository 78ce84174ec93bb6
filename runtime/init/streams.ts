/** The standard streams of a program, where they are not the caller's (foreground/streams.ts). */

import { F_GETFD, FD_CLOEXEC } from "../../syscalls/constants/fcntl.ts";
import { S_IFCHR } from "../../syscalls/constants/stat.ts";
import { clearCloexec, dup3, tryFcntl } from "../../syscalls/descriptor.ts";
import { close } from "../../syscalls/open.ts";
import { fstat, isType } from "../../syscalls/stat.ts";
import type { Fd } from "../../syscalls/types.ts";

/** A descriptor that is to be one or two standard streams of the program. */
export interface Stream {
  readonly standards: readonly Fd[];
  readonly end: Fd;
}

/** Child: puts them in their places. */
export function useStreams(streams: readonly Stream[]): void {
  for (const { standards, end } of streams) {
    for (const standard of standards) dup3(end, standard, 0);
    close(end);
  }
}

/**
 * Child: where the caller had closed a stream, the null device that took its place is for the program as well, whose
 * first file would be its input or output else.
 */
export function keepNullDevice(): void {
  // So marked by standard_streams.ts; nothing that has come through our own execve(2) is.
  const marked = (fd: Fd): boolean => (tryFcntl(fd, F_GETFD) & FD_CLOEXEC) !== 0;
  for (const fd of [0, 1, 2] as Fd[]) if (marked(fd) && isNullDevice(fd)) clearCloexec(fd);
}

/** Whether this is open on a null device (null(4)). */
export function isNullDevice(fd: Fd): boolean {
  const stat = fstat(fd);
  return isType(stat, S_IFCHR) && stat.rdevMajor === 1 && stat.rdevMinor === 3;
}
