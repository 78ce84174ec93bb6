/**
 * A caller may have closed any of its standard streams. Whatever is opened next would get that number, and be written
 * to as standard output: the null device takes the place, as Go's runtime has it.
 */
import { O_PATH, O_RDWR } from "../syscalls/constants/fcntl.ts";
import { POLLNVAL } from "../syscalls/constants/poll.ts";
import { CWD, F_GETFD, FD_CLOEXEC, openat, poll, tryFcntl, tryOpenat } from "../syscalls/file.ts";
import { ignoreSignal, SIGPIPE, SIGXFSZ } from "../syscalls/signal.ts";
import type { Fd } from "../syscalls/types.ts";

const standard = [0, 1, 2] as const;

/**
 * A reader that has gone, or a limit of the size of files, is an error of write(2), which somebody can be told of; not
 * the end of this process in the middle of its work.
 */
export function surviveWrites(): void {
  ignoreSignal(SIGPIPE);
  ignoreSignal(SIGXFSZ);
}

/** Opens the null device in the place of each stream that is closed, marked close-on-exec. */
export function occupyStandardStreams(): void {
  const events = poll(
    standard.map((fd) => ({ fd: fd as Fd, events: 0 })),
    0,
  );
  // From the lowest on: open(2) takes the lowest number that is free.
  for (const event of events) {
    if ((event & POLLNVAL) === 0) continue;
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
