/**
 * A client of D-Bus (its specification, 0.41): one connection, calls that wait for their answer, and signals that are
 * waited for. Each call is one line of the trace, beside those of its system calls.
 */

import { monotonicNow } from "./clock.ts";
import { EACCES, EINVAL } from "./constants/errno.ts";
import { addressesIn, socketName } from "./dbus_address.ts";
import type { Bus, DbusPeer } from "./dbus_connection.ts";
import { BROKER, Connection } from "./dbus_connection.ts";
import { DbusStream } from "./dbus_stream.ts";
import { bad, DbusTransportError } from "./dbus_transport_error.ts";
import { isErrno, OpError } from "./error.ts";
import { close } from "./open.ts";
import { connectUnixName } from "./socket.ts";
import type { Fd } from "./types.ts";
import { encodeUtf8 } from "./utf8.ts";

export type { Bus, DbusFailure, DbusPeer } from "./dbus_connection.ts";
export type { DbusMethod } from "./dbus_message.ts";

/** How long connecting may take, and every call, as runc's waiting for a job. */
const TIMEOUT_MS = 30_000;

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
