/**
 * libsystemd's sd-bus(3), opened on demand: one connection, calls that wait for their answer, and signals that are
 * waited for. Its functions are no system calls and do not pass through the door; each call is one line of the trace.
 */
import { dlopen, FFIType, CString as ForeignString } from "bun:ffi";
import { EINTR } from "./constants/errno.ts";
import { cstr } from "./cstring.ts";
import { type DbusData, type DbusSink, writeDbusValues } from "./dbus_value.ts";
import { OpError } from "./error.ts";
import { Struct } from "./struct.ts";
import { monotonicNow, traceCall, tracing } from "./trace.ts";
import type { HostPath } from "./types.ts";

const { i32, u8, u64, ptr } = FFIType;

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

/** dlopen(3) of an absolute path that the caller has found trustworthy. */
export function openLibsystemd(path: HostPath): Libsystemd {
  const { symbols } = dlopen(path, {
    sd_bus_new: { args: [ptr], returns: i32 },
    sd_bus_set_address: { args: [ptr, ptr], returns: i32 },
    sd_bus_set_bus_client: { args: [ptr, i32], returns: i32 },
    sd_bus_start: { args: [ptr], returns: i32 },
    sd_bus_flush_close_unref: { args: [ptr], returns: ptr },
    sd_bus_call: { args: [ptr, ptr, u64, ptr, ptr], returns: i32 },
    sd_bus_process: { args: [ptr, ptr], returns: i32 },
    sd_bus_wait: { args: [ptr, u64], returns: i32 },
    sd_bus_message_new_method_call: { args: [ptr, ptr, ptr, ptr, ptr, ptr], returns: i32 },
    sd_bus_message_append_basic: { args: [ptr, u8, ptr], returns: i32 },
    sd_bus_message_open_container: { args: [ptr, u8, ptr], returns: i32 },
    sd_bus_message_close_container: { args: [ptr], returns: i32 },
    sd_bus_message_enter_container: { args: [ptr, u8, ptr], returns: i32 },
    sd_bus_message_read_basic: { args: [ptr, u8, ptr], returns: i32 },
    sd_bus_message_is_signal: { args: [ptr, ptr, ptr], returns: i32 },
    sd_bus_message_unref: { args: [ptr], returns: ptr },
    sd_bus_error_free: { args: [ptr], returns: FFIType.void },
  });
  type Pointer = Parameters<typeof symbols.sd_bus_start>[0];

  const check = (result: number, op: string, object: string): number => {
    if (result < 0) throw OpError.from(op, object, -result);
    return result;
  };
  const text = (string: string): Uint8Array => cstr(string).bytes;
  const pointerIn = (out: Struct): Pointer => Number(out.getU64(0)) as Pointer;

  const sinkFor = (message: Pointer, what: string): DbusSink => ({
    basic: (type, value) => {
      const bytes = basicBytes(type, value);
      check(symbols.sd_bus_message_append_basic(message, letter(type), bytes), "sd_bus_message_append", what);
    },
    open: (type, contents) => {
      const result = symbols.sd_bus_message_open_container(message, letter(type), text(contents));
      check(result, "sd_bus_message_open_container", what);
    },
    close: () =>
      void check(symbols.sd_bus_message_close_container(message), "sd_bus_message_close_container", what),
  });

  /** sd_bus_message_read_basic(3), value after value. */
  const read = (message: Pointer, returns: string, what: string): DbusData[] =>
    [...returns].map((type) => {
      if (type === "v") {
        const entered = symbols.sd_bus_message_enter_container(message, letter("v"), text("s"));
        check(entered, "sd_bus_message_enter_container", what);
      }
      const out = new Struct(8);
      const basic = type === "v" ? "s" : type;
      check(
        symbols.sd_bus_message_read_basic(message, letter(basic), out.bytes),
        "sd_bus_message_read",
        what,
      );
      if (basic === "u") return out.getU32(0);
      // The string lives as long as the message.
      return String(new ForeignString(Number(out.getU64(0)) as never));
    });

  const failureIn = (error: Struct, errno: number): DbusFailure => {
    const part = (offset: number): string => {
      const address = Number(error.getU64(offset));
      return address === 0 ? "" : String(new ForeignString(address as never));
    };
    const failure = { name: part(0), message: part(8), errno };
    symbols.sd_bus_error_free(error.bytes);
    return failure;
  };

  const busOf = (bus: Pointer): Bus => ({
    call: ({ destination, path: object, interface: face, member }, signature, args, returns) => {
      const out = new Struct(8);
      const names = [destination, object, face, member].map(text) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ];
      check(symbols.sd_bus_message_new_method_call(bus, out.bytes, ...names), "call", member);
      const message = pointerIn(out);
      const start = tracing() ? monotonicNow() : 0n;
      try {
        writeDbusValues(sinkFor(message, member), signature, args);
        const error = new Struct(24); // sd_bus_error: name, message, whether to free them
        const answer = new Struct(8);
        const result = symbols.sd_bus_call(bus, message, CALL_TIMEOUT_USEC, error.bytes, answer.bytes);
        const shown = args.find((arg) => typeof arg === "string");
        const traced = shown === undefined ? [cstr(member)] : [cstr(member), cstr(String(shown))];
        if (tracing()) traceCall("sd_bus_call", traced, result, result < 0 ? -result : 0, start);
        if (result < 0) return failureIn(error, -result);
        const reply = pointerIn(answer);
        try {
          return read(reply, returns, member);
        } finally {
          symbols.sd_bus_message_unref(reply);
        }
      } finally {
        symbols.sd_bus_message_unref(message);
      }
    },
    waitForSignal: ({ interface: face, member }, returns, timeoutMs, accept) => {
      const end = monotonicNow() + BigInt(timeoutMs) * 1_000_000n;
      const [faceText, memberText] = [text(face), text(member)];
      for (;;) {
        const out = new Struct(8);
        const worked = check(symbols.sd_bus_process(bus, out.bytes), "sd_bus_process", member);
        const message = pointerIn(out);
        if (Number(message) !== 0) {
          try {
            const isIt = symbols.sd_bus_message_is_signal(message, faceText, memberText);
            if (isIt > 0 && accept(read(message, returns, member))) return true;
          } finally {
            symbols.sd_bus_message_unref(message);
          }
        }
        const left = end - monotonicNow();
        if (left <= 0n) return false;
        if (worked > 0) continue;
        const waited = symbols.sd_bus_wait(bus, left / 1000n + 1n);
        if (waited !== -EINTR) check(waited, "sd_bus_wait", member);
      }
    },
    ownerUid: () => ownerUidOf(path, bus),
    close: () => void symbols.sd_bus_flush_close_unref(bus),
  });

  return {
    connect: (address, peer) => {
      const out = new Struct(8);
      check(symbols.sd_bus_new(out.bytes), "sd_bus_new", "");
      const bus = pointerIn(out);
      try {
        check(symbols.sd_bus_set_address(bus, text(address)), "sd_bus_set_address", address);
        if (peer === "broker") check(symbols.sd_bus_set_bus_client(bus, 1), "sd_bus_set_bus_client", address);
        check(symbols.sd_bus_start(bus), "connect to D-Bus", address);
      } catch (error) {
        symbols.sd_bus_flush_close_unref(bus);
        throw error;
      }
      return busOf(bus);
    },
  };
}

const SD_BUS_CREDS_OWNER_UID = 1n << 22n;
/** Also what has to be looked up in /proc. */
const SD_BUS_CREDS_AUGMENT = 1n << 63n;

/** Opened apart from the rest, as few need it. */
function ownerUidOf(path: HostPath, bus: unknown): number {
  const { symbols } = dlopen(path, {
    sd_bus_get_owner_creds: { args: [ptr, u64, ptr], returns: i32 },
    sd_bus_creds_get_owner_uid: { args: [ptr, ptr], returns: i32 },
    sd_bus_creds_unref: { args: [ptr], returns: ptr },
  });
  const [out, uid] = [new Struct(8), new Struct(4)];
  const wanted = SD_BUS_CREDS_OWNER_UID | SD_BUS_CREDS_AUGMENT;
  let result = symbols.sd_bus_get_owner_creds(bus as never, wanted, out.bytes);
  if (result < 0) throw OpError.from("sd_bus_get_owner_creds", "", -result);
  const creds = Number(out.getU64(0)) as never;
  result = symbols.sd_bus_creds_get_owner_uid(creds, uid.bytes);
  symbols.sd_bus_creds_unref(creds);
  if (result < 0) throw OpError.from("sd_bus_creds_get_owner_uid", "", -result);
  return uid.getU32(0);
}

function letter(type: string): number {
  return type.charCodeAt(0);
}

/** What sd_bus_message_append_basic(3) takes: the string itself, or where the number is. */
function basicBytes(type: string, value: string | boolean | number | bigint): Uint8Array {
  if (type === "s" || type === "o" || type === "g") return cstr(String(value)).bytes;
  const struct = new Struct(8);
  if (type === "d") struct.view.setFloat64(0, Number(value), true);
  else struct.u64(0, BigInt(value)); // little-endian: the smaller types are its first bytes
  return struct.bytes;
}
