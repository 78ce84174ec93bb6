/** The caller's terminal while a container is attached to it: raw, and always given back as it was. */

import { F_SETFL, O_NOCTTY, O_NONBLOCK, O_RDWR } from "../../syscalls/constants/fcntl.ts";
import { STDERR, STDIN, STDOUT, tryFcntl } from "../../syscalls/descriptor.ts";
import { CWD, tryOpenat } from "../../syscalls/open.ts";
import type { PendingSignals } from "../../syscalls/pending_signals.ts";
import type { PollRequest } from "../../syscalls/poll.ts";
import {
  getTermios,
  isTerminal,
  openPtyPeer,
  rawTermios,
  setWindowSize,
  tryGetWindowSize,
  trySetTermios,
  withOutputOf,
  withoutReturns,
} from "../../syscalls/tty.ts";
import { type Fd, failed } from "../../syscalls/types.ts";
import { Copy } from "./copy.ts";
import { discardingSink, ownEnd, sinkOf, sourceOf } from "./end_point.ts";
import { type Relay, readyUnlessSignalled } from "./relay.ts";

/** Copies between the caller's standard streams and the master of the container's pty. */
export class TerminalRelay implements Relay {
  readonly #master: Fd;
  readonly #host: Fd | undefined;
  readonly #saved: Uint8Array | undefined;
  readonly #toContainer: Copy;
  readonly #toCaller: Copy;

  /** Takes over the master and puts the caller's terminal, if there is one, into raw mode. */
  constructor(master: Fd) {
    this.#master = master;
    // Never closed: a program may close its terminal and open it again, and meanwhile the master must not say that
    // it is over.
    openPtyPeer(master, O_RDWR | O_NOCTTY);
    tryFcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
    // As runc: a line ends as the program ends it. What a terminal needs besides is the caller's terminal's to add,
    // and a pipe or a file in its place wants none of it.
    trySetTermios(master, withoutReturns(getTermios(master)));
    this.#host = findTerminal();
    if (this.#host !== undefined) {
      this.#saved = getTermios(this.#host);
      trySetTermios(this.#host, withOutputOf(rawTermios(this.#saved), this.#saved));
      this.resize();
    }
    const own = ownEnd(master, "other");
    this.#toContainer = new Copy(sourceOf(STDIN), own, () => {});
    // With nobody left to see it, the program still goes on.
    this.#toCaller = new Copy(own, discardingSink(sinkOf(STDOUT)), () => {});
  }

  /** Gives the container's terminal the size of the caller's; at the start and at each SIGWINCH. */
  resize(): void {
    const size = this.#host === undefined ? undefined : tryGetWindowSize(this.#host);
    if (size !== undefined) setWindowSize(this.#master, size);
  }

  requests(): PollRequest[] {
    const requests: PollRequest[] = [];
    for (const copy of [this.#toContainer, this.#toCaller]) {
      const request = copy.request();
      if (request !== undefined) requests.push(request);
    }
    return requests;
  }

  move(ready: ReadonlySet<Fd>): void {
    this.#toContainer.move(ready);
    this.#toCaller.move(ready);
  }

  /**
   * After the process's end: the last bytes that the pty still holds, until it says EAGAIN. Nobody may be reading
   * them: a signal in the queue ends the wait, and without `mayWait` there is none.
   */
  drain(signals: PendingSignals, mayWait: boolean): void {
    const copy = this.#toCaller;
    let ready: Set<Fd> | undefined = new Set([this.#master]);
    while (copy.move(ready) || copy.pending) {
      const request = copy.request();
      if (request === undefined) return;
      ready = readyUnlessSignalled([request], signals, mayWait);
      if (ready === undefined) return;
    }
  }

  /** Puts the caller's terminal back as it was. */
  restore(): void {
    if (this.#host !== undefined && this.#saved !== undefined) trySetTermios(this.#host, this.#saved);
  }
}

/**
 * As runc (tty.go, initHostConsole): the first of stderr, stdout and stdin that is a terminal, else the
 * controlling one.
 */
function findTerminal(): Fd | undefined {
  const standard = [STDERR, STDOUT, STDIN].find(isTerminal);
  if (standard !== undefined) return standard;
  const controlling = tryOpenat(CWD, "/dev/tty", O_RDWR | O_NOCTTY);
  return failed(controlling) ? undefined : controlling;
}
