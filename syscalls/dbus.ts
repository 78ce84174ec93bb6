/**
 * A client of D-Bus (its specification, 0.41): one connection, calls that wait for their answer, and signals that are
 * waited for. Each call is one line of the trace, beside those of its system calls.
 */

import { monotonicNow } from "./clock.ts";
import { EACCES, EBADMSG, EINVAL, ENOBUFS, ETIMEDOUT } from "./constants/errno.ts";
import { addressesIn, socketName } from "./dbus_address.ts";
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
import { DbusStream } from "./dbus_stream.ts";
import { bad, DbusTransportError } from "./dbus_transport_error.ts";
import type { DbusData } from "./dbus_value.ts";
import { isErrno, OpError } from "./error.ts";
import { close } from "./open.ts";
import { connectUnixName, peerUid } from "./socket.ts";
import { traceOther, tracing } from "./trace.ts";
import type { Fd } from "./types.ts";
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

export type { DbusMethod } from "./dbus_message.ts";

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

/** How long connecting may take, and every call, as runc's waiting for a job. */
const TIMEOUT_MS = 30_000;
/** As many as sd-bus keeps. */
const MAX_SIGNALS = 64 * 1024;
/** Where a message says what it is, and its flags ("Message Format"). */
const TYPE_AT = 1;
const FLAGS_AT = 2;
const NO_REPLY_EXPECTED = 1;
/** Nanoseconds after a call until a direct peer that has not answered is nudged; twice as long each time. */
const PING_AFTER = 100_000_000n;
const BROKER = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
};

/**
 * Connects to the first of a list of addresses that can be connected to, such as
 * "unix:path=/run/dbus/system_bus_socket". When none can: EAGAIN if a queue was full, else what the first one came to.
 */
export function connectBus(addresses: string, peer: DbusPeer): Bus {
  const failures: unknown[] = [];
  for (const address of addressesIn(addresses))
    try {
      return connectTo(address, peer);
    } catch (error) {
      failures.push(error);
    }
  const none = connectFailure(addresses, new DbusTransportError(EINVAL, "there is no address"));
  throw failures.find((error) => isErrno(error, "EAGAIN")) ?? failures[0] ?? none;
}

function connectTo(address: string, peer: DbusPeer): Bus {
  let fd: Fd;
  try {
    fd = connectUnixName(socketName(address), address, "connect to D-Bus");
  } catch (error) {
    throw error instanceof DbusTransportError ? connectFailure(address, error) : error;
  }
  try {
    return busOver(fd, peer, address);
  } catch (error) {
    close(fd);
    throw error;
  }
}

function connectFailure(address: string, error: DbusTransportError): OpError {
  return OpError.from("connect to D-Bus", address, error.errno, error.message);
}

/**
 * Begins a connection over a stream socket that is connected, and closes it in the end; `timeoutMs` is how long this
 * and each call may take. An OpError names the address.
 */
export function busOver(fd: Fd, peer: DbusPeer, address: string, timeoutMs = TIMEOUT_MS): Bus {
  const stream = new DbusStream(fd);
  try {
    authenticate(stream, monotonicNow() + BigInt(timeoutMs) * 1_000_000n);
  } catch (error) {
    throw error instanceof DbusTransportError ? connectFailure(address, error) : error;
  }
  const bus = new Connection(fd, stream, peer, timeoutMs);
  if (peer === "direct") return bus;
  const answer = bus.call({ ...BROKER, member: "Hello" }, "", [], "s");
  if ("errno" in answer) throw connectFailure(address, new DbusTransportError(answer.errno, answer.message));
  return bus;
}

/**
 * SASL by EXTERNAL ("Authentication Protocol"). No uid is sent: the other side takes that of the socket, which it
 * numbers in its own user namespace, and we might not know.
 */
function authenticate(stream: DbusStream, deadline: bigint): void {
  const say = (text: string): void => stream.send(encodeUtf8(text), deadline);
  say("\0AUTH EXTERNAL\r\n");
  let line = stream.line(deadline);
  // An old systemd needs no empty answer to an empty question.
  if (/^DATA\b/.test(line)) {
    say("DATA\r\n");
    line = stream.line(deadline);
  }
  const shown = JSON.stringify(line.slice(0, 80));
  if (/^REJECTED\b/.test(line)) throw new DbusTransportError(EACCES, `the other side answered ${shown}`);
  if (!/^OK\b/.test(line)) throw bad(`the other side answered ${shown} when it was to say OK`);
  say("BEGIN\r\n");
}

class Connection implements Bus {
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
