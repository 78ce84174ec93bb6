/** What stays between the caller and a program in the foreground, and copies what they say to each other. */
import { EAGAIN } from "../../syscalls/constants/errno.ts";
import { type PollRequest, tryRead } from "../../syscalls/file.ts";
import { SIGCHLD, SIGCONT, SIGWINCH } from "../../syscalls/signal.ts";
import type { Fd } from "../../syscalls/types.ts";

export interface Relay {
  /** What to wait for now. */
  requests(): PollRequest[];
  /** Moves what can be moved, after a poll that said so. */
  move(ready: ReadonlyMap<Fd, number>): void;
  /** After the process's end: the rest. A signal in the queue ends the wait, and without `patience` there is none. */
  drain(signals: Fd, patience: boolean): void;
  /** The caller's terminal has another size. */
  resize?(): void;
}

/** Signals that end no wait. */
export const HARMLESS: readonly number[] = [SIGCHLD, SIGCONT, SIGWINCH];

/**
 * As much as a pipe that poll calls writable takes without blocking (PIPE_BUF): whoever stays in a write, because
 * nobody reads, forwards no signal and sees no end.
 */
export const AT_ONCE = 4096;

/** Bytes, none yet (EAGAIN), or undefined at the end. */
export function readSome(fd: Fd): Uint8Array<ArrayBuffer> | undefined {
  const buffer = new Uint8Array(16 * 1024);
  const count = tryRead(fd, buffer);
  if (count === -EAGAIN) return new Uint8Array(0);
  return count <= 0 ? undefined : buffer.slice(0, count);
}
