/** The caller's terminal while a container is attached to it: raw, and always given back as it was. */
import { EAGAIN } from "../../syscalls/constants/errno.ts";
import { POLLIN, POLLOUT } from "../../syscalls/constants/poll.ts";
import {
  CWD,
  F_SETFL,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDWR,
  type PollRequest,
  poll,
  tryFcntl,
  tryOpenat,
  tryWrite,
} from "../../syscalls/file.ts";
import { readSignal } from "../../syscalls/signal.ts";
import {
  getTermios,
  isTerminal,
  openPtyPeer,
  rawTermios,
  setWindowSize,
  tryGetWindowSize,
  trySetTermios,
} from "../../syscalls/tty.ts";
import type { Fd } from "../../syscalls/types.ts";
import { AT_ONCE, HARMLESS, type Relay, readSome } from "./relay.ts";

const STDIN = 0 as Fd;
const STDOUT = 1 as Fd;

/** Copies between the caller's standard streams and the master of the container's pty. */
export class TerminalRelay implements Relay {
  readonly #master: Fd;
  readonly #host: Fd | undefined;
  readonly #saved: Uint8Array | undefined;
  #toContainer = new Uint8Array(0);
  #toCaller = new Uint8Array(0);
  #stdinOpen = true;
  #masterOpen = true;

  /** Takes over the master and puts the caller's terminal, if there is one, into raw mode. */
  constructor(master: Fd) {
    this.#master = master;
    // Never closed: a program may close its terminal and open it again, and meanwhile the master must not say that
    // it is over.
    openPtyPeer(master, O_RDWR | O_NOCTTY);
    tryFcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
    this.#host = findTerminal();
    if (this.#host !== undefined) {
      this.#saved = getTermios(this.#host);
      trySetTermios(this.#host, rawTermios(this.#saved));
      this.resize();
    }
  }

  /** Gives the container's terminal the size of the caller's; at the start and at each SIGWINCH. */
  resize(): void {
    const size = this.#host === undefined ? undefined : tryGetWindowSize(this.#host);
    if (size !== undefined) setWindowSize(this.#master, size);
  }

  /** What to wait for now. A full buffer stops reading its source: back-pressure without spinning. */
  requests(): PollRequest[] {
    const requests: PollRequest[] = [];
    if (this.#stdinOpen && this.#toContainer.length === 0) requests.push({ fd: STDIN, events: POLLIN });
    if (this.#toCaller.length > 0) requests.push({ fd: STDOUT, events: POLLOUT });
    if (this.#masterOpen) {
      const events =
        (this.#toContainer.length > 0 ? POLLOUT : 0) | (this.#toCaller.length === 0 ? POLLIN : 0);
      if (events !== 0) requests.push({ fd: this.#master, events });
    }
    return requests;
  }

  /** Moves what can be moved, after a poll that said so. */
  move(ready: ReadonlyMap<Fd, number>): void {
    if (ready.has(STDIN)) {
      const bytes = readSome(STDIN);
      if (bytes === undefined) this.#stdinOpen = false;
      else this.#toContainer = bytes;
    }
    if (ready.has(this.#master) && this.#toCaller.length === 0) {
      const bytes = readSome(this.#master);
      if (bytes === undefined) this.#masterOpen = false;
      else this.#toCaller = bytes;
    }
    this.#toContainer = writeSome(this.#master, this.#toContainer);
    if (ready.has(STDOUT)) this.#toCaller = writeSome(STDOUT, this.#toCaller);
  }

  /**
   * After the process's end: the last bytes that the pty still holds, until it says EAGAIN. Nobody may be reading
   * them: a signal in the queue ends the wait, and without `patience` there is none.
   */
  drain(signals: Fd, patience: boolean): void {
    for (;;) {
      while (this.#toCaller.length > 0) {
        const [writable = 0] = poll(
          [
            { fd: STDOUT, events: POLLOUT },
            { fd: signals, events: POLLIN },
          ],
          patience ? -1 : 0,
        );
        if (writable === 0 && !patience) return;
        const signal = readSignal(signals);
        if (signal !== 0 && !HARMLESS.includes(signal)) return;
        if (signal === 0) this.#toCaller = writeSome(STDOUT, this.#toCaller);
      }
      if (!this.#masterOpen) return;
      const bytes = readSome(this.#master);
      if (bytes === undefined || bytes.length === 0) return;
      this.#toCaller = bytes;
    }
  }

  /** Puts the caller's terminal back as it was. */
  restore(): void {
    if (this.#host !== undefined && this.#saved !== undefined) trySetTermios(this.#host, this.#saved);
  }
}

/** As runc: the first of stderr, stdout and stdin that is a terminal, else the controlling one. */
function findTerminal(): Fd | undefined {
  const standard = ([2, 1, 0] as Fd[]).find(isTerminal);
  if (standard !== undefined) return standard;
  const controlling = tryOpenat(CWD, "/dev/tty", O_RDWR | O_NOCTTY);
  return controlling < 0 ? undefined : (controlling as Fd);
}

/** What is left to write; a broken receiver takes everything, as there is nobody to keep it for. */
function writeSome(fd: Fd, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return bytes;
  const count = tryWrite(fd, bytes.subarray(0, AT_ONCE));
  if (count === -EAGAIN) return bytes;
  return count < 0 ? new Uint8Array(0) : bytes.slice(count);
}
