/** One connection to D-Bus: its calls, and the signals that come meanwhile. */
import { monotonicNow } from "./clock.ts";
import { EBADMSG, ENOBUFS, ETIMEDOUT } from "./constants/errno.ts";
import { errnoOf } from "./dbus_errno.ts";
import {
  type DbusMessage,
  type DbusMethod,
  decodeMessage,
  ERROR,
  ERROR_NAME,
  encodeCall,
  INTERFACE,
  MEMBER,
  METHOD_RETURN,
  REPLY_SERIAL,
  SENDER,
  SIGNAL,
} from "./dbus_message.ts";
import type { DbusStream } from "./dbus_stream.ts";
import { bad, DbusTransportError } from "./dbus_transport_error.ts";
import type { DbusData } from "./dbus_value.ts";
import { OpError } from "./error.ts";
import { close } from "./open.ts";
import { peerUid } from "./socket.ts";
import { traceOther, tracing } from "./trace.ts";
import type { Fd } from "./types.ts";
import { decodeUtf8 } from "./utf8.ts";

/** An error that the other side answered with. */
export interface DbusFailure {
  /** Such as "org.freedesktop.systemd1.NoSuchUnit". */
  readonly name: string;
  readonly message: string;
  readonly errno: number;
}

/**
 * A connection. Whatever goes wrong with it is an OpError that names the method or the signal (ECONNRESET, ETIMEDOUT,
 * EBADMSG, …), and the end of it: each later use fails in the same way.
 */
export interface Bus {
  /** Calls a method; `returns` is the complete types that its answer begins with. */
  call(
    method: DbusMethod,
    signature: string,
    args: readonly DbusData[],
    returns: string,
  ): readonly DbusData[] | DbusFailure;
  /**
   * Waits until `accept` takes the arguments of a signal, which begin with these complete types; false when the time
   * is over. Those that came since the connection began, or since the last such wait, are looked at first, and only
   * those of whoever answered the last call. The broker has to have been told to send it (AddMatch).
   */
  waitForSignal(
    signal: Pick<DbusMethod, "interface" | "member">,
    returns: string,
    timeoutMs: number,
    accept: (args: readonly DbusData[]) => boolean,
  ): boolean;
  /**
   * Which user owns this name of the bus, as the broker numbers users: it may be in another user namespace. Of a direct
   * connection, which user the other end is, as we number users.
   */
  ownerUid(name: string): number;
  close(): void;
}

/** What is at the other end: a broker of many, which wants to be greeted, or the one whom it is all about. */
export type DbusPeer = "broker" | "direct";

/** As many as sd-bus keeps. */
const MAX_SIGNALS = 64 * 1024;
/** Where a message says what it is, and its flags ("Message Format"). */
const TYPE_AT = 1;
const FLAGS_AT = 2;
const NO_REPLY_EXPECTED = 1;
/** Nanoseconds after a call until a direct peer that has not answered is pinged; twice as long each time. */
const PING_AFTER = 100_000_000n;
/** The broker itself, as a destination. */
export const BROKER = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
};

/** Over a stream socket that is connected and authenticated. */
export class Connection implements Bus {
  private serial = 0;
  /** Not read yet: a busy systemd sends many, few of which anybody waits for, and answers late to who reads slowly. */
  private readonly signals: Uint8Array[] = [];
  /** Who answered last: of a broker's many anybody could send a signal. */
  private answerer: DbusData | undefined;
  private broken: DbusTransportError | undefined;

  constructor(
    private readonly fd: Fd,
    private readonly stream: DbusStream,
    private readonly peer: DbusPeer,
    private readonly timeoutMs: number,
  ) {}

  call(
    method: DbusMethod,
    signature: string,
    args: readonly DbusData[],
    returns: string,
  ): readonly DbusData[] | DbusFailure {
    const start = tracing() ? monotonicNow() : 0n;
    const shown = args.find((arg) => typeof arg === "string");
    const names = shown === undefined ? [method.member] : [method.member, shown];
    const trace = (errno: number): void => {
      if (tracing()) traceOther("dbus_call", names, errno, start);
    };
    const message = encodeCall(this.serial + 1, method, signature, args);
    const answer = this.guarded(`${method.interface}.${method.member}`, trace, () =>
      this.exchange(message, returns),
    );
    trace("errno" in answer ? answer.errno : 0);
    return answer;
  }

  waitForSignal(
    { interface: face, member }: Pick<DbusMethod, "interface" | "member">,
    returns: string,
    timeoutMs: number,
    accept: (args: readonly DbusData[]) => boolean,
  ): boolean {
    const isIt = ({ fields }: DbusMessage): boolean =>
      fields.get(INTERFACE) === face &&
      fields.get(MEMBER) === member &&
      (this.peer === "direct" || fields.get(SENDER) === this.answerer);
    const deadline = monotonicNow() + BigInt(timeoutMs) * 1_000_000n;
    return this.guarded(`${face}.${member}`, undefined, () => {
      for (;;) {
        const signal = this.signals.shift() ?? this.nextSignal(deadline);
        if (signal === undefined) return false;
        if (!decodeUtf8(signal).includes(member)) continue;
        const message = decodeMessage(signal);
        if (isIt(message) && accept(message.body(returns))) return true;
      }
    });
  }

  ownerUid(name: string): number {
    if (this.peer === "direct") return peerUid(this.fd);
    const answer = this.call({ ...BROKER, member: "GetConnectionUnixUser" }, "s", [name], "u");
    if ("errno" in answer)
      throw OpError.from("ask D-Bus for the owner of", name, answer.errno, answer.message);
    return Number(answer[0]);
  }

  close(): void {
    close(this.fd);
  }

  /** Does something with the stream; what goes wrong there is the end of this connection. */
  private guarded<T>(what: string, failed: ((errno: number) => void) | undefined, act: () => T): T {
    try {
      if (this.broken !== undefined) throw this.broken;
      return act();
    } catch (error) {
      if (!(error instanceof DbusTransportError)) throw error;
      this.broken = error;
      failed?.(error.errno);
      const hint =
        error.errno === EBADMSG ? `of a message that was received: ${error.message}` : error.message;
      throw OpError.from("D-Bus", what, error.errno, hint);
    }
  }

  /** Sends a call and takes what comes until its answer; one call at a time is on its way. */
  private exchange(call: Uint8Array, returns: string): readonly DbusData[] | DbusFailure {
    const deadline = monotonicNow() + BigInt(this.timeoutMs) * 1_000_000n;
    const serial = ++this.serial;
    this.stream.send(call, deadline);
    let [interval, pingAt] = [PING_AFTER, monotonicNow() + PING_AFTER];
    for (;;) {
      const bytes = this.nextBefore(pingAt, deadline);
      if (bytes === undefined) {
        this.ping(deadline);
        interval *= 2n;
        pingAt = monotonicNow() + interval;
        continue;
      }
      if (bytes[TYPE_AT] === SIGNAL) {
        this.signals.push(bytes);
        if (this.signals.length > MAX_SIGNALS) throw new DbusTransportError(ENOBUFS, "too many signals");
        continue;
      }
      const message = decodeMessage(bytes);
      const { type, fields, body } = message;
      if (type === METHOD_RETURN || type === ERROR) {
        if (fields.get(REPLY_SERIAL) !== serial) throw unasked(message);
        this.answerer = fields.get(SENDER);
        return type === METHOD_RETURN ? body(returns) : failureIn(message);
      }
    }
  }

  /** The next message; undefined when it is time to ping a direct peer, whose signals may go on coming meanwhile. */
  private nextBefore(pingAt: bigint, deadline: bigint): Uint8Array | undefined {
    if (this.peer === "broker" || pingAt >= deadline) return this.next(deadline);
    if (monotonicNow() >= pingAt) return undefined;
    try {
      return this.stream.message(pingAt);
    } catch (error) {
      if (error instanceof DbusTransportError && error.errno === ETIMEDOUT) return undefined;
      throw error;
    }
  }

  /**
   * A systemd that is busy may take the end of the authentication and the first call in one read, and then looks at the
   * call only when more comes (sd-bus, bus_socket_read_auth): a ping that wants no answer is more.
   */
  private ping(deadline: bigint): void {
    const ping = { ...BROKER, interface: "org.freedesktop.DBus.Peer", member: "Ping" };
    const bytes = encodeCall(++this.serial, ping, "", []);
    bytes[FLAGS_AT] = NO_REPLY_EXPECTED;
    this.stream.send(bytes, deadline);
  }

  /** The next signal; undefined when the time is over. */
  private nextSignal(deadline: bigint): Uint8Array | undefined {
    try {
      for (;;) {
        const bytes = this.next(deadline);
        if (bytes[TYPE_AT] === SIGNAL) return bytes;
        const message = decodeMessage(bytes);
        if (message.type === METHOD_RETURN || message.type === ERROR) throw unasked(message);
      }
    } catch (error) {
      if (error instanceof DbusTransportError && error.errno === ETIMEDOUT) return undefined;
      throw error;
    }
  }

  /** The next message, unless the time is over: who sends one after the other could hold us for ever. */
  private next(deadline: bigint): Uint8Array {
    const message = this.stream.message(deadline);
    if (monotonicNow() < deadline) return message;
    throw new DbusTransportError(ETIMEDOUT, "the other side did not answer in time");
  }
}

function unasked({ fields }: DbusMessage): DbusTransportError {
  return bad(`it answers a call ${fields.get(REPLY_SERIAL)} that was not made`);
}

/** The first argument of an error is a text for people, when it is one. */
function failureIn({ fields, body }: DbusMessage): DbusFailure {
  const name = String(fields.get(ERROR_NAME));
  let message = "";
  try {
    message = String(body("s")[0]);
  } catch (error) {
    if (!(error instanceof DbusTransportError)) throw error;
  }
  return { name, message, errno: errnoOf(name) };
}
