/**
 * libsystemd's sd-bus(3), opened on demand: one connection, calls that wait for their answer, and signals that are
 * waited for. Its functions are no system calls and do not pass through the door; each call is one line of the trace.
 */
import { EINTR } from "./constants/errno.ts";
import { cstr } from "./cstring.ts";
import { type DbusData, type DbusSink, writeDbusValues } from "./dbus_value.ts";
import { OpError } from "./error.ts";
import { Struct } from "./struct.ts";
import { monotonicNow, traceCall, tracing } from "./trace.ts";
import type { HostPath } from "./types.ts";

/** Which method of which object; of a direct connection the destination is the other end. */
export interface DbusMethod {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
}

/** An error that the other side answered with, or that the connection came to. */
export interface DbusFailure {
  /** Such as "org.freedesktop.systemd1.NoSuchUnit". */
  readonly name: string;
  readonly message: string;
  readonly errno: number;
}

/** A connection. */
export interface Bus {
  /** Calls a method; `returns` is the basic types that its answer begins with, "v" being a variant of a string. */
  call(
    method: DbusMethod,
    signature: string,
    args: readonly DbusData[],
    returns: string,
  ): readonly DbusData[] | DbusFailure;
  /**
   * Waits until `accept` takes the arguments of a signal, which begin with these basic types; false when the time
   * is over. The broker has to have been told to send it (AddMatch).
   */
  waitForSignal(
    signal: Pick<DbusMethod, "interface" | "member">,
    returns: string,
    timeoutMs: number,
    accept: (args: readonly DbusData[]) => boolean,
  ): boolean;
  /** Whose session the other side belongs to: sd_bus_creds_get_owner_uid(3). */
  ownerUid(): number;
  close(): void;
}

/** The functions of an opened library. */
export interface Libsystemd {
  /** Connects to an address such as "unix:path=/run/dbus/system_bus_socket"; a broker is there, or the peer itself. */
  connect(address: string, peer: "broker" | "direct"): Bus;
}

/** How long a call may take, as runc's waiting for a job. */
const CALL_TIMEOUT_USEC = 30_000_000n;

export function openLibsystemd(_path: HostPath): Libsystemd {
  throw new Error("not yet");
}
