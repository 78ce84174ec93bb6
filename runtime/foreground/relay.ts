/** What stays between the caller and a program in the foreground, and copies what they say to each other. */
import type { PendingSignals } from "../../syscalls/pending_signals.ts";
import { type PollRequest, poll } from "../../syscalls/poll.ts";
import { SIGCHLD, SIGCONT, SIGWINCH } from "../../syscalls/signal.ts";
import type { Fd } from "../../syscalls/types.ts";

export interface Relay {
  /** What to wait for now. */
  requests(): PollRequest[];
  /** Moves what can be moved, after a poll that said so. */
  move(ready: ReadonlySet<Fd>): void;
  /** After the process's end: the rest. A signal in the queue ends the wait, and without `mayWait` there is none. */
  drain(signals: PendingSignals, mayWait: boolean): void;
  /** The caller's terminal has another size. */
  resize?(): void;
}

/** Signals that end no wait. */
export const NOT_INTERRUPTING: readonly number[] = [SIGCHLD, SIGCONT, SIGWINCH];

/**
 * After the process's end: waits for these, or for a signal, which ends it all if it is none of those that do not
 * interrupt; so does that there is nothing, where it must not wait. Undefined when it is ended.
 */
export function readyUnlessSignalled(
  requests: readonly PollRequest[],
  signals: PendingSignals,
  mayWait: boolean,
): Set<Fd> | undefined {
  const ready = readyOf([...requests, ...signals.requests], mayWait ? signals.timeoutMs : 0);
  if (ready.size === 0 && !mayWait) return undefined;
  const signal = signals.mayBeAmong(ready) ? signals.next() : 0;
  return signal === 0 || NOT_INTERRUPTING.includes(signal) ? ready : undefined;
}

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
