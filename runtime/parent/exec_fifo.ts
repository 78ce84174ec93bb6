/**
 * The fifo on which a created container waits for `start`. The init process holds it open for reading until its
 * execve closes it, so that a reader on the fifo is exactly what "created" means: a writer that opens without
 * blocking gets ENXIO once the user's program runs, and nothing ever hangs. The init process's side is
 * init/wait_for_start.ts.
 */

import { ENOENT, ENXIO } from "../../syscalls/constants/errno.ts";
import { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { POLLERR } from "../../syscalls/constants/poll.ts";
import { S_IFIFO } from "../../syscalls/constants/stat.ts";
import { mknodat } from "../../syscalls/directory.ts";
import { OpError } from "../../syscalls/error.ts";
import { bytesToRead, tryRead, write } from "../../syscalls/io.ts";
import { close, openat, tryOpenat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { type Fd, failed } from "../../syscalls/types.ts";
import { decodeUtf8, encodeUtf8 } from "../../syscalls/utf8.ts";
import { type ProcessHandle, pollOrEnd } from "../proc/process_handle.ts";

const NAME = "exec.fifo";
const START = "0";

/** Parent: makes the fifo and opens it as the init process will hold it. */
export function createExecFifo(stateDir: Fd): Fd {
  mknodat(stateDir, NAME, S_IFIFO | 0o600);
  // Also for writing, so that a writer that comes and goes (state does) leaves no end of file behind.
  return openat(stateDir, NAME, O_RDWR | O_NONBLOCK | O_NOFOLLOW);
}

/** Opens the starter's end; undefined when no init process waits on it. */
export function openStarter(stateDir: Fd): Fd | undefined {
  const fd = tryOpenat(stateDir, NAME, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
  if (!failed(fd)) return fd;
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

/**
 * Starter: lets the init process go on, and waits until its execve (or its death) has closed its end. Returns what the
 * init process has to say of its failure: bytes that are left in the fifo, which lives as long as our end does.
 */
export function releaseInit(stateDir: Fd, starter: Fd, init: ProcessHandle): string {
  return closing(starter, () => {
    write(starter, encodeUtf8(START), NAME);
    for (;;) {
      const { events, ended } = pollOrEnd([{ fd: starter, events: 0 }], init, -1);
      if ((events[0] ?? 0) & POLLERR || ended) return readLeft(stateDir, starter);
    }
  });
}

/** Only where there is something: a reader on the fifo is what "created" means. */
function readLeft(stateDir: Fd, starter: Fd): string {
  const count = bytesToRead(starter);
  // One that was killed has left the byte that was for it.
  if (count <= START.length) return "";
  const reader = openat(stateDir, NAME, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  const bytes = new Uint8Array(count);
  const length = closing(reader, () => tryRead(reader, bytes));
  return length < 0 ? "" : decodeUtf8(bytes.subarray(0, length));
}
