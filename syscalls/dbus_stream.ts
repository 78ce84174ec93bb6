/** The bytes of a connection to D-Bus: lines first, then messages. Every wait has an end, as everything here can fail. */

import { monotonicNow } from "./clock.ts";
import { EAGAIN, ECONNRESET, EPIPE, ETIMEDOUT } from "./constants/errno.ts";
import { POLLIN, POLLOUT } from "./constants/poll.ts";
import { FIXED_HEADER, messageSize } from "./dbus_message.ts";
import { bad, DbusTransportError } from "./dbus_transport_error.ts";
import { poll } from "./poll.ts";
import { tryReceive, trySend } from "./socket.ts";
import type { Fd } from "./types.ts";
import { decodeUtf8 } from "./utf8.ts";

const MAX_LINE = 16 * 1024;

/** Reads and writes a stream socket. Deadlines are nanoseconds of CLOCK_MONOTONIC; past one it is ETIMEDOUT. */
export class DbusStream {
  private buffer = new Uint8Array(4096);
  /** What was received and is still to be read is from `start` to `end`. */
  private start = 0;
  private end = 0;

  constructor(private readonly fd: Fd) {}

  /** Sends everything. What comes in meanwhile is taken, or both sides could wait for each other. */
  send(bytes: Uint8Array, deadline: bigint): void {
    for (let rest = bytes; rest.length > 0; ) {
      const count = trySend(this.fd, rest);
      if (count >= 0) rest = rest.subarray(count);
      else if (count !== -EAGAIN) throw lost(-count);
      else if ((this.wait(POLLIN | POLLOUT, deadline) & POLLIN) !== 0) this.receive();
    }
  }

  /** The next line of the authentication, without its end. */
  line(deadline: bigint): string {
    for (let from = this.start; ; from = Math.max(this.start, this.end - 1), this.fill(deadline)) {
      for (let at = from; at + 1 < this.end; at++)
        if (this.buffer[at] === 0x0d && this.buffer[at + 1] === 0x0a)
          return decodeUtf8(this.take(at + 2 - this.start).subarray(0, -2));
      if (this.end - this.start > MAX_LINE) throw bad("a line without an end");
    }
  }

  /** The bytes of the next message, whose size alone is known to make sense. */
  message(deadline: bigint): Uint8Array {
    while (this.end - this.start < FIXED_HEADER) this.fill(deadline);
    const size = messageSize(this.buffer.subarray(this.start, this.start + FIXED_HEADER));
    while (this.end - this.start < size) this.fill(deadline);
    return this.take(size);
  }

  private take(count: number): Uint8Array {
    const bytes = this.buffer.slice(this.start, this.start + count);
    this.start += count;
    if (this.start === this.end) this.start = this.end = 0;
    return bytes;
  }

  /** Waits until more is there. */
  private fill(deadline: bigint): void {
    while (!this.receive()) this.wait(POLLIN, deadline);
  }

  /** Takes what has come; false when nothing has. The room grows with what came, not with what was announced. */
  private receive(): boolean {
    if (this.end === this.buffer.length) {
      const waiting = this.buffer.subarray(this.start, this.end);
      this.buffer = new Uint8Array(2 * Math.max(waiting.length, 2048));
      this.buffer.set(waiting);
      [this.start, this.end] = [0, waiting.length];
    }
    const count = tryReceive(this.fd, this.buffer.subarray(this.end));
    if (count === -EAGAIN) return false;
    if (count <= 0) throw lost(-count);
    this.end += count;
    return true;
  }

  private wait(events: number, deadline: bigint): number {
    const left = deadline - monotonicNow();
    if (left <= 0n) throw new DbusTransportError(ETIMEDOUT, "the other side did not answer in time");
    return poll([{ fd: this.fd, events }], Math.ceil(Number(left) / 1e6))[0] ?? 0;
  }
}

/** No errno is the end of the stream. */
function lost(errno: number): DbusTransportError {
  const closed = errno === 0 || errno === EPIPE || errno === ECONNRESET;
  return closed
    ? new DbusTransportError(ECONNRESET, "the other side closed the connection")
    : new DbusTransportError(errno, "the connection failed");
}
