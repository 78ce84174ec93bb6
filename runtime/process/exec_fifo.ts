/**
 * The fifo on which a created container waits for `start`. The init process holds it open for reading until its
 * execve closes it, so that a reader on the fifo is exactly what "created" means: a writer that opens without
 * blocking gets ENXIO once the user's program runs, and nothing ever hangs. The init process's side is
 * init/wait_for_start.ts.
 */
import { ENOENT, ENXIO } from "../../syscalls/constants/errno.ts";
import { POLLERR, POLLIN } from "../../syscalls/constants/poll.ts";
import { S_IFIFO } from "../../syscalls/constants/stat.ts";
import { OpError } from "../../syscalls/error.ts";
import {
  close,
  mknodat,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDWR,
  O_WRONLY,
  openat,
  poll,
  tryOpenat,
  write,
} from "../../syscalls/file.ts";
import type { Fd } from "../../syscalls/types.ts";

const NAME = "exec.fifo";

/** Parent: makes the fifo and opens it as the init process will hold it. */
export function createExecFifo(stateDir: Fd): Fd {
  mknodat(stateDir, NAME, S_IFIFO | 0o600);
  // Also for writing, so that a writer that comes and goes (state does) leaves no end of file behind.
  return openat(stateDir, NAME, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
}

/** Opens the starter's end; undefined when no init process waits on it. */
export function openStarter(stateDir: Fd): Fd | undefined {
  const fd = tryOpenat(stateDir, NAME, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
  if (fd >= 0) return fd as Fd;
  if (fd === -ENXIO || fd === -ENOENT) return undefined;
  throw OpError.from("open", NAME, -fd);
}

/** True while an init process waits for its start. */
export function isWaiting(stateDir: Fd): boolean {
  const starter = openStarter(stateDir);
  if (starter === undefined) return false;
  close(starter);
  return true;
}

/** Starter: lets the init process go on, and waits until its execve (or its death) has closed its end. */
export function releaseInit(starter: Fd, pidfd: Fd): void {
  write(starter, new Uint8Array([48]), NAME);
  for (;;) {
    const [fifo = 0, dead = 0] = poll(
      [
        { fd: starter, events: 0 },
        { fd: pidfd, events: POLLIN },
      ],
      -1,
    );
    if (fifo & POLLERR || dead !== 0) break;
  }
  close(starter);
}
