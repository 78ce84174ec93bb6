/** What stays between the caller and a program in the foreground, and copies what they say to each other. */
import { type PollRequest, poll } from "../../syscalls/poll.ts";
import { SIGCHLD, SIGCONT, SIGWINCH } from "../../syscalls/signal.ts";
import type { Fd } from "../../syscalls/types.ts";

export interface Relay {
  /** What to wait for now. */
  requests(): PollRequest[];
  /** Moves what can be moved, after a poll that said so. */
  move(ready: ReadonlySet<Fd>): void;
  /** After the process's end: the rest. A signal in the queue ends the wait, and without `mayWait` there is none. */
  drain(signals: Fd, mayWait: boolean): void;
  /** The caller's terminal has another size. */
  resize?(): void;
}

/** Signals that end no wait. */
export const NOT_INTERRUPTING: readonly number[] = [SIGCHLD, SIGCONT, SIGWINCH];

/** Polls; the descriptors for which something came, errors and hang-ups among it. `timeoutMs` < 0 waits for ever. */
export function readyOf(requests: readonly PollRequest[], timeoutMs: number): Set<Fd> {
  const events = poll(requests, timeoutMs);
  const ready = new Set<Fd>();
  for (let i = 0; i < events.length; i++) {
    const request = requests[i];
    if (events[i] !== 0 && request !== undefined) ready.add(request.fd);
  }
  return ready;
}
