/** Blocked signals of this process, taken as data: none is lost, and none comes in between. */
import { EAGAIN, ENOSYS, EPERM } from "./constants/errno.ts";
import { POLLIN } from "./constants/poll.ts";
import { close } from "./open.ts";
import type { PollRequest } from "./poll.ts";
import { readSignal, trySignalfd } from "./signal.ts";
import { failure, tryCall } from "./syscall.ts";
import { type Fd, failed } from "./types.ts";

/** How often it is looked for signals where they have no descriptor. */
const LOOK_MS = 50;

/**
 * By signalfd(2), together with which other descriptors can be waited for. Where there is none, or a filter refuses it,
 * the wait for the others is cut into short ones, and after each it is looked for a signal (sigtimedwait(2)).
 */
export class PendingSignals {
  /** The longest that a poll(2) with `requests` may take, in milliseconds: -1, for ever, where they have a descriptor. */
  readonly timeoutMs: number;
  readonly #fd: Fd | undefined;
  readonly #mask: bigint;

  /** `mask` are the signals, which the caller has blocked. */
  constructor(mask: bigint) {
    const fd = trySignalfd(mask);
    if (failed(fd) && fd !== -ENOSYS && fd !== -EPERM) throw failure("signalfd4", [-1], -fd, "");
    this.#fd = failed(fd) ? undefined : fd;
    this.#mask = mask;
    this.timeoutMs = failed(fd) ? LOOK_MS : -1;
  }

  /** What to ask poll(2) for besides. */
  get requests(): readonly PollRequest[] {
    return this.#fd === undefined ? [] : [{ fd: this.#fd, events: POLLIN }];
  }

  /** Whether there may be one, after a poll that found these descriptors ready. */
  mayBeAmong(ready: ReadonlySet<Fd>): boolean {
    return this.#fd === undefined || ready.has(this.#fd);
  }

  /** The next one's number; 0 when there is none. */
  next(): number {
    if (this.#fd !== undefined) return readSignal(this.#fd);
    const [mask, atOnce] = [new BigUint64Array([this.#mask]), new BigInt64Array(2)];
    const signal = tryCall("rt_sigtimedwait", [mask, null, atOnce, 8]);
    if (signal < 0 && signal !== -EAGAIN) throw failure("rt_sigtimedwait", [mask], -signal, "");
    return Math.max(0, signal);
  }

  close(): void {
    if (this.#fd !== undefined) close(this.#fd);
  }
}
