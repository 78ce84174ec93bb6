/** One direction of one stream, copied as far as it goes without waiting. */
import { EAGAIN, EINVAL } from "../../syscalls/constants/errno.ts";
import { POLLIN, POLLOUT } from "../../syscalls/constants/poll.ts";
import { trySplice } from "../../syscalls/io.ts";
import type { PollRequest } from "../../syscalls/poll.ts";
import type { Fd } from "../../syscalls/types.ts";
import { PIPE_BUF, type Sink, type Source } from "./end_point.ts";

/** What is read at a time: a pipe holds no more unless it is told to. */
const BLOCK = 64 * 1024;
/** The most that splice(2) moves at a time, which a slow disk may take long for. */
const SPLICED = 1024 * 1024;
/** How often a copy goes on before signals and the other streams have their turn. */
const ROUNDS = 16;

const NOTHING = new Uint8Array(0);

export class Copy {
  #open = true;
  /** Within the kernel; what cannot be spliced is read and written. */
  #splices: boolean;
  /** Spliced bytes have no room where they go, for all that is known. */
  #full = false;
  #buffer: Uint8Array | undefined;
  readonly #waiting: PollRequest;
  readonly #blocked: PollRequest;
  /** What has been read and is not written yet. */
  #rest: Uint8Array = NOTHING;

  /** `ended` is called once, when the source has ended or the sink takes no more. */
  constructor(
    private readonly from: Source,
    private readonly to: Sink,
    private readonly ended: () => void,
  ) {
    // Not out of a file, as runc: its pages would come into a pipe of the container's, not a copy of them.
    this.#splices = from.kind === "pipe" && to.kind !== "other";
    this.#waiting = { fd: from.fd, events: POLLIN };
    this.#blocked = { fd: to.fd, events: POLLOUT };
  }

  get open(): boolean {
    return this.#open;
  }

  /** Bytes that were read are still to be written. */
  get pending(): boolean {
    return this.#rest.length > 0;
  }

  /** What to wait for now. Bytes that are left stop the reading of more: back-pressure without spinning. */
  request(): PollRequest | undefined {
    if (!this.#open) return undefined;
    return this.pending || this.#full ? this.#blocked : this.#waiting;
  }

  /** Moves what can be moved, after a poll that said so; true when it has only given way to others. */
  move(ready: ReadonlySet<Fd>): boolean {
    const [readable, writable] = [ready.has(this.from.fd), ready.has(this.to.fd)];
    if (!readable && !writable) return false;
    for (let round = 0; round < ROUNDS && this.#open; round++) {
      const first = round === 0;
      if (this.#splices ? !this.#splice() : !this.#write(first && writable) || !this.#read(first && readable))
        return false;
    }
    return this.#open;
  }

  /** No more of it. */
  end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#rest = NOTHING;
    this.ended();
  }

  /** True when there may be more to move at once. */
  #splice(): boolean {
    const count = trySplice(this.from.fd, this.to.fd, SPLICED);
    if (count === -EINVAL) this.#splices = false;
    // Of two pipes it is not said which of them it is: each is waited for in turn.
    else if (count === -EAGAIN) this.#full = !this.#full && this.to.kind === "pipe";
    else if (count <= 0) this.end();
    else this.#full = false;
    return count > 0 || count === -EINVAL;
  }

  /** True when there is something to write. */
  #read(ready: boolean): boolean {
    if (this.from.mayBlock && !ready) return false;
    this.#buffer ??= new Uint8Array(BLOCK);
    const count = this.from.read(this.#buffer);
    if (count === -EAGAIN) return false;
    if (count <= 0) this.end();
    else this.#rest = this.#buffer.subarray(0, count);
    return count > 0;
  }

  /** True when nothing is left to write. */
  #write(ready: boolean): boolean {
    let polled = ready;
    while (this.#rest.length > 0) {
      if (this.to.mayBlock && !polled) return false;
      polled = false;
      const bytes = this.to.mayBlock ? this.#rest.subarray(0, PIPE_BUF) : this.#rest;
      const count = this.to.write(bytes);
      if (count === -EAGAIN) return false;
      if (count < 0) {
        this.end();
        return false;
      }
      this.#rest = this.#rest.subarray(count);
      // As much as there was room for: to try again at once would be in vain.
      if (count < bytes.length) return false;
    }
    return true;
  }
}
