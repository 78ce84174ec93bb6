/**
 * The standard streams of a program in the foreground that has no terminal. It gets pipes, as from runc: of its own
 * user, to be opened again as /dev/stdout, whatever the caller's are. A file of the caller's would change its owner
 * and be cut off by `echo >/dev/stdout`, a socket cannot be opened so, and a terminal would let the program type into
 * it. What is a pipe already, or the null device, is handed on as it is, and costs no copying.
 */
import { EAGAIN } from "../../syscalls/constants/errno.ts";
import { POLLIN, POLLOUT } from "../../syscalls/constants/poll.ts";
import { S_IFCHR, S_IFIFO } from "../../syscalls/constants/stat.ts";
import {
  close,
  F_SETFL,
  fstat,
  isType,
  O_NONBLOCK,
  type PollRequest,
  pipe,
  poll,
  tryFchown,
  tryFcntl,
  tryWrite,
} from "../../syscalls/file.ts";
import { readSignal } from "../../syscalls/signal.ts";
import type { Fd } from "../../syscalls/types.ts";
import type { Stream } from "../init/streams.ts";
import type { Owner } from "../plan/host_ids.ts";
import { AT_ONCE, HARMLESS, type Relay, readSome } from "./relay.ts";

const STDIN = 0 as Fd;
const STDOUT = 1 as Fd;
const STDERR = 2 as Fd;

/** Copies between the caller's standard streams and the program's pipes. */
export class StreamRelay implements Relay {
  /** The program's ends; the parent closes them after the fork. */
  readonly streams: readonly Stream[];
  readonly #input: Copy | undefined;
  readonly #outputs: readonly Copy[];

  /** `root` is the container's, where that is not the host's: who does not own a stream cannot open it again. */
  constructor(root: Owner | undefined) {
    const streams: Stream[] = [];
    const outputs: Copy[] = [];
    for (const standards of standardStreams()) {
      const [standard] = standards;
      if (standard === undefined || isHandedOn(standard, root)) continue;
      const [reading, writing] = pipe();
      const input = standard === STDIN;
      const [ours, end] = input ? [writing, reading] : [reading, writing];
      streams.push({ standards, end });
      tryFcntl(ours, F_SETFL, O_NONBLOCK);
      if (root !== undefined) tryFchown(end, root.uid, root.gid);
      if (input) this.#input = new Copy(STDIN, ours, ours);
      else outputs.push(new Copy(ours, standard, ours));
    }
    this.streams = streams;
    this.#outputs = outputs;
  }

  requests(): PollRequest[] {
    return [...this.#copies()].flatMap((copy) => copy.request());
  }

  move(ready: ReadonlyMap<Fd, number>): void {
    for (const copy of this.#copies()) copy.move(ready);
  }

  /**
   * After the process's end: what it has written, and as runc what others write who have its streams, until the last
   * of them is gone. A signal ends the wait, and without `patience` there is none.
   */
  drain(signals: Fd, patience: boolean): void {
    this.#input?.end();
    for (;;) {
      const requests = this.requests();
      if (requests.length === 0) return;
      const events = poll([...requests, { fd: signals, events: POLLIN }], patience ? -1 : 0);
      const ready = new Map<Fd, number>();
      requests.forEach(({ fd }, i) => {
        if (events[i] !== 0) ready.set(fd, events[i] ?? 0);
      });
      if (ready.size === 0 && !patience) return;
      const signal = events.at(-1) === 0 ? 0 : readSignal(signals);
      if (signal !== 0 && !HARMLESS.includes(signal)) return;
      this.move(ready);
    }
  }

  *#copies(): Iterable<Copy> {
    if (this.#input !== undefined) yield this.#input;
    yield* this.#outputs;
  }
}

/** What goes to the same place goes through the same pipe, so that it stays in its order. */
function standardStreams(): (readonly Fd[])[] {
  const [out, err] = [fstat(STDOUT), fstat(STDERR)];
  const same = out.devMajor === err.devMajor && out.devMinor === err.devMinor && out.ino === err.ino;
  return same ? [[STDIN], [STDOUT, STDERR]] : [[STDIN], [STDOUT], [STDERR]];
}

/** A pipe opens again for its owner, whom the init process changes; the null device is the container's own then. */
function isHandedOn(standard: Fd, root: Owner | undefined): boolean {
  const stat = fstat(standard);
  if (isType(stat, S_IFIFO)) return root === undefined || stat.uid === root.uid;
  return isType(stat, S_IFCHR) && stat.rdevMajor === 1 && stat.rdevMinor === 3;
}

/** One direction of one stream. */
class Copy {
  #bytes = new Uint8Array(0);
  #open = true;

  constructor(
    private readonly from: Fd,
    private readonly to: Fd,
    /** Which of the two is the pipe to the program. */
    private readonly ours: Fd,
  ) {}

  /** What to wait for now. A full buffer stops reading its source: back-pressure without spinning. */
  request(): PollRequest[] {
    if (!this.#open) return [];
    return this.#bytes.length > 0 ? [{ fd: this.to, events: POLLOUT }] : [{ fd: this.from, events: POLLIN }];
  }

  /** Moves what can be moved, after a poll that said so. */
  move(ready: ReadonlyMap<Fd, number>): void {
    if (!this.#open) return;
    if (this.#bytes.length > 0) {
      if (ready.has(this.to)) this.#write();
    } else if (ready.has(this.from)) this.#fill();
  }

  /** Closes the pipe: the program reads an end, or cannot write. */
  end(): void {
    if (!this.#open) return;
    this.#open = false;
    close(this.ours);
  }

  #fill(): void {
    const bytes = readSome(this.from);
    if (bytes === undefined) this.end();
    else this.#bytes = bytes;
  }

  #write(): void {
    const count = tryWrite(this.to, this.#bytes.subarray(0, AT_ONCE));
    if (count === -EAGAIN) return;
    if (count < 0) this.end();
    else this.#bytes = this.#bytes.slice(count);
  }
}
