/**
 * The standard streams of a program in the foreground that has no terminal. It gets pipes, as from runc (tty.go,
 * setupProcessPipes): of its own user, to be opened again as /dev/stdout, whatever the caller's are. A file of the
 * caller's would change its owner and be cut off by `echo >/dev/stdout`, a socket cannot be opened so, and a terminal
 * would let the program type into it. What is a pipe already, or the null device, is handed on as it is, and costs no
 * copying.
 */

import { F_SETFL, O_NONBLOCK } from "../../syscalls/constants/fcntl.ts";
import { S_IFIFO } from "../../syscalls/constants/stat.ts";
import { pipe, STDERR, STDIN, STDOUT, tryFcntl } from "../../syscalls/descriptor.ts";
import { close } from "../../syscalls/open.ts";
import type { PendingSignals } from "../../syscalls/pending_signals.ts";
import { tryFchown } from "../../syscalls/permissions.ts";
import type { PollRequest } from "../../syscalls/poll.ts";
import { fstat, isType } from "../../syscalls/stat.ts";
import type { Fd } from "../../syscalls/types.ts";
import type { Stream } from "../init/context.ts";
import type { HostIds } from "../plan/host_ids.ts";
import { isNullDevice } from "../self/standard_streams.ts";
import { Copy } from "./copy.ts";
import { ownEnd, sinkOf, sourceOf } from "./end_point.ts";
import { type Relay, readyUnlessSignalled } from "./relay.ts";

/** Copies between the caller's standard streams and the program's pipes. */
export class StreamRelay implements Relay {
  /** The program's ends; the parent closes them after the fork. */
  readonly streams: readonly Stream[];
  readonly #input: Copy | undefined;
  readonly #copies: readonly Copy[];

  /** `root` is the container's, where that is not the host's: who does not own a stream cannot open it again. */
  constructor(root: HostIds | undefined) {
    const streams: Stream[] = [];
    const copies: Copy[] = [];
    for (const standards of standardStreams()) {
      const [standard] = standards;
      if (standard === undefined || isHandedOn(standard, root)) continue;
      const [reading, writing] = pipe();
      const input = standard === STDIN;
      const [ours, end] = input ? [writing, reading] : [reading, writing];
      streams.push({ standards, end });
      tryFcntl(ours, F_SETFL, O_NONBLOCK);
      if (root !== undefined) tryFchown(end, root.uid, root.gid);
      const pipeEnd = ownEnd(ours, "pipe");
      const [from, to] = input ? [sourceOf(standard), pipeEnd] : [pipeEnd, sinkOf(standard)];
      // The program then reads an end, or cannot write.
      const copy = new Copy(from, to, () => close(ours));
      if (input) this.#input = copy;
      copies.push(copy);
    }
    this.streams = streams;
    this.#copies = copies;
  }

  requests(): PollRequest[] {
    const requests: PollRequest[] = [];
    for (const copy of this.#copies) {
      const request = copy.request();
      if (request !== undefined) requests.push(request);
    }
    return requests;
  }

  move(ready: ReadonlySet<Fd>): void {
    for (const copy of this.#copies) copy.move(ready);
  }

  /**
   * After the process's end: what it has written, and as runc what others write who have its streams, until the last
   * of them is gone. A signal ends the wait, and without `mayWait` there is none.
   */
  drain(signals: PendingSignals, mayWait: boolean): void {
    this.#input?.end();
    for (;;) {
      const requests = this.requests();
      if (requests.length === 0) return;
      const ready = readyUnlessSignalled(requests, signals, mayWait);
      if (ready === undefined) return;
      this.move(ready);
    }
  }
}

/** What goes to the same place goes through the same pipe, so that it stays in its order. */
function standardStreams(): (readonly Fd[])[] {
  const [out, err] = [fstat(STDOUT), fstat(STDERR)];
  const same = out.devMajor === err.devMajor && out.devMinor === err.devMinor && out.ino === err.ino;
  return same ? [[STDIN], [STDOUT, STDERR]] : [[STDIN], [STDOUT], [STDERR]];
}

/** A pipe opens again for its owner, whom the init process changes; the null device is the container's own then. */
function isHandedOn(standard: Fd, root: HostIds | undefined): boolean {
  const stat = fstat(standard);
  if (isType(stat, S_IFIFO)) return root === undefined || stat.uid === root.uid;
  return isNullDevice(stat);
}
