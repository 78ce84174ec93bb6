/**
 * A caller may have closed any of its standard streams. Whatever is opened next would get that number, and be written
 * to as standard output: the null device takes the place, as Go's runtime has it.
 */

import { EBADF } from "../../syscalls/constants/errno.ts";
import { F_GETFD, FD_CLOEXEC, O_PATH, O_RDWR } from "../../syscalls/constants/fcntl.ts";
import { MEM_MAJOR } from "../../syscalls/constants/major.ts";
import { S_IFCHR } from "../../syscalls/constants/stat.ts";
import { STREAMS, tryFcntl } from "../../syscalls/descriptor.ts";
import { CWD, openat, tryOpenat } from "../../syscalls/open.ts";
import { ignoreSignal, SIGPIPE, SIGXFSZ } from "../../syscalls/signal.ts";
import { isType, type Stat } from "../../syscalls/stat.ts";
import type { Fd } from "../../syscalls/types.ts";

/**
 * A reader that has gone, or a limit of the size of files, is an error of write(2), which somebody can be told of; not
 * the end of this process in the middle of its work.
 */
export function ignoreWriteSignals(): void {
  ignoreSignal(SIGPIPE);
  ignoreSignal(SIGXFSZ);
}

/** Opens the null device in the place of each stream that is closed, marked close-on-exec. */
export function openClosedStreams(): void {
  // From the lowest on: open(2) takes the lowest number that is free.
  for (const stream of STREAMS) {
    if (tryFcntl(stream, F_GETFD) !== -EBADF) continue;
    // Where there is no such device a place that nothing can be read from or written to.
    if (tryOpenat(CWD, "/dev/null", O_RDWR) < 0) openat(CWD, "/", O_PATH);
  }
}

/**
 * True for a stream that the caller had closed. Nothing that came through our own execve(2) can be marked
 * close-on-exec.
 */
export function wasClosed(fd: Fd): boolean {
  return (tryFcntl(fd, F_GETFD) & FD_CLOEXEC) !== 0;
}

/** Of /dev/null (drivers/char/mem.c). */
const NULL_MINOR = 3;

/** Whether a file is a null device (null(4)), of the host or of a container. */
export function isNullDevice(stat: Stat): boolean {
  return isType(stat, S_IFCHR) && stat.rdevMajor === MEM_MAJOR && stat.rdevMinor === NULL_MINOR;
}
