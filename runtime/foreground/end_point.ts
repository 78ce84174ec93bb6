/**
 * The two ends of a copy, each of a kind of its own, and how to read or write there without waiting: who stays in a
 * system call forwards no signal and sees no process end. O_NONBLOCK would be a property of the open file, which the
 * caller shares (fcntl(2)), and is never set on one of his.
 */

import { EAGAIN, EMSGSIZE } from "../../syscalls/constants/errno.ts";
import { O_NOCTTY, O_NONBLOCK, O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { UNIX98_PTY_MAJOR_COUNT, UNIX98_PTY_SLAVE_MAJOR } from "../../syscalls/constants/major.ts";
import { S_IFBLK, S_IFCHR, S_IFIFO, S_IFREG, S_IFSOCK } from "../../syscalls/constants/stat.ts";
import { tryRead, tryWrite } from "../../syscalls/io.ts";
import { CWD, tryOpenat } from "../../syscalls/open.ts";
import { tryReceive, trySend } from "../../syscalls/socket.ts";
import { fstat, isType, type Stat } from "../../syscalls/stat.ts";
import { type Fd, failed } from "../../syscalls/types.ts";

/**
 * As much as a pipe that poll calls writable takes without blocking (PIPE_BUF), and a datagram that every kind of
 * socket takes.
 */
export const PIPE_BUF = 4096;

interface EndPoint {
  readonly fd: Fd;
  /** A call may wait there: only after poll(2) has said that there is something, or room for PIPE_BUF. */
  readonly mayBlock: boolean;
  /** What splice(2) may take it for. */
  readonly kind: "pipe" | "file" | "other";
}

/** Where bytes come from; `read` returns a count, 0 at the end, or minus errno. */
export interface Source extends EndPoint {
  read(buffer: Uint8Array): number;
}

/** Where bytes go; `write` returns how many it took, or minus errno. */
export interface Sink extends EndPoint {
  write(bytes: Uint8Array): number;
}

/** A descriptor of this process's own, which it has made non-blocking. */
export function ownEnd(fd: Fd, kind: "pipe" | "other"): Source & Sink {
  return {
    fd,
    mayBlock: false,
    kind,
    read: (buffer) => tryRead(fd, buffer),
    write: (bytes) => tryWrite(fd, bytes),
  };
}

/** The caller's, to read from. */
export function sourceOf(fd: Fd): Source {
  const stat = fstat(fd);
  const read = isType(stat, S_IFSOCK)
    ? (buffer: Uint8Array) => tryReceive(fd, buffer)
    : (buffer: Uint8Array) => tryRead(fd, buffer);
  return { fd, ...kindOf(stat), read };
}

/** The caller's, to write to. */
export function sinkOf(fd: Fd): Sink {
  const stat = fstat(fd);
  if (isType(stat, S_IFSOCK)) return { fd, ...kindOf(stat), write: (bytes) => send(fd, bytes) };
  const own = isPtySlave(stat) ? openAgain(fd) : undefined;
  if (own !== undefined) return ownEnd(own, "other");
  return { fd, ...kindOf(stat), write: (bytes) => tryWrite(fd, bytes) };
}

/** The same, for what has nobody to be kept for: once it takes no more, it takes everything and loses it. */
export function discardingSink(sink: Sink): Sink {
  return { ...sink, kind: "other", write: (bytes) => discardOnError(sink.write(bytes), bytes) };
}

function kindOf(stat: Stat): Pick<EndPoint, "mayBlock" | "kind"> {
  // Not poll's matter: a file is always ready, and waits for its disk.
  if (isType(stat, S_IFREG) || isType(stat, S_IFBLK)) return { mayBlock: false, kind: "file" };
  if (isType(stat, S_IFSOCK)) return { mayBlock: false, kind: "other" };
  return { mayBlock: true, kind: isType(stat, S_IFIFO) ? "pipe" : "other" };
}

/** Not so other terminals: a master opens as another pty, and /dev/tty as that of who opens it. */
function isPtySlave(stat: Stat): boolean {
  const which = stat.rdevMajor - UNIX98_PTY_SLAVE_MAJOR;
  return isType(stat, S_IFCHR) && which >= 0 && which < UNIX98_PTY_MAJOR_COUNT;
}

/** The same terminal as an open file of our own, which does not block; undefined when it is not ours to open. */
function openAgain(fd: Fd): Fd | undefined {
  const own = tryOpenat(CWD, `/proc/self/fd/${fd}`, O_WRONLY | O_NOCTTY | O_NONBLOCK);
  return failed(own) ? undefined : own;
}

function send(fd: Fd, bytes: Uint8Array): number {
  const count = trySend(fd, bytes);
  return count === -EMSGSIZE ? trySend(fd, bytes.subarray(0, PIPE_BUF)) : count;
}

function discardOnError(result: number, bytes: Uint8Array): number {
  return result >= 0 || result === -EAGAIN ? result : bytes.length;
}
