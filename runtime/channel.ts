/**
 * What the parent (the command) and the child (the container's init) say to each other, one message a packet:
 *
 *   parent                                        child
 *     |                                             |  own namespaces, session, network
 *     |  <------------- net-devices --------------  |  only when there are devices to move into its network
 *     |  ------------------ go ------------------>  |
 *     |  <--------------- cgroup ----------------  |  only with systemd as the driver, which makes the cgroup now,
 *     |  ------------------ go ------------------>  |  and later for a process with a small memory limit: out, in
 *     |                                             |  root file system, /dev, console
 *     |  <---------------- source ----------------  |  only for a bind mount whose source the child may not reach, or map
 *     |  --------------- go, source -------------->  |
 *     |  <---------------- hooks -----------------  |  only when there are prestart or createRuntime hooks
 *     |  ------------------ go ------------------>  |  createContainer hooks, pivot_root, masks, identity
 *     |  <---------------- limits ----------------  |  all but the last step into the cgroups
 *     |  ------------------ go ------------------>  |  the limits are set: joins
 *     |  <--------------- listener --------------  |  only with SCMP_ACT_NOTIFY: the filter is loaded, take its descriptor
 *     |  ------------------ go ------------------>  |  closes its own
 *     |  <---------------- ready -----------------  |  nothing left but to start the user's program
 *     |  ------------------ go ------------------>  |  waits for start, or goes on (run)
 *     |  <------- end of file, or an error -------  |  execve closed the socket
 *
 * The child speaks by write(2) and read(2) only: a seccomp filter that is already loaded has to allow these two.
 * At any point the child may send an error and end, or the parent may close the socket, upon which the child ends.
 */
import { ECONNRESET } from "../syscalls/constants/errno.ts";
import { BadString } from "../syscalls/cstring.ts";
import { fdName } from "../syscalls/descriptor_name.ts";
import { type ErrorData, isErrno, OpError } from "../syscalls/error.ts";
import { tryRead, write } from "../syscalls/io.ts";
import { type Received, receiveMessage, sendMessage } from "../syscalls/socket.ts";
import type { Fd, Pid } from "../syscalls/types.ts";
import { decodeUtf8, encodeUtf8 } from "../syscalls/utf8.ts";
import { RuntimeError, type RuntimeErrorKind } from "./errors.ts";

/** What the child asks of the parent. */
export type Request = "net-devices" | "source" | "hooks" | "limits" | "listener" | "ready" | CgroupRequest;

/** With systemd as the driver: into the cgroup, out of it for the time being, and back. */
export type CgroupRequest = "cgroup" | "leave-cgroup" | "rejoin-cgroup";

/** A failure in the child as plain data. */
export type ChildFailure =
  | { readonly op: ErrorData }
  | { readonly kind: RuntimeErrorKind; readonly message: string };

/** A request, with the child's own number of a descriptor or the index of a mount where it is about one. */
export interface RequestMessage {
  readonly request: Request;
  readonly descriptor?: Fd | undefined;
  readonly mount?: number;
}

/** One packet of the child. */
export type ChildMessage = RequestMessage | { readonly note: string } | { readonly failure: ChildFailure };

/** The most that one packet may hold; a longer error text is cut. */
const LIMIT = 64 * 1024;

/** Child: asks, and waits for "go"; false when the parent is gone. `descriptor` is the child's own number of it. */
export function ask(channel: Fd, request: Request, descriptor?: Fd): boolean {
  send(channel, { request, descriptor });
  return tryRead(channel, new Uint8Array(16)) > 0;
}

/** Child: asks for the source of the mount with this index, a detached mount; undefined when the parent has none. */
export function askForSource(channel: Fd, mount: number): Fd | undefined {
  send(channel, { request: "source", mount });
  const received = receiveMessage(channel, 16);
  return typeof received === "number" ? undefined : received.descriptor;
}

/** Child: a note for the parent's log at debug level. */
export function tellNote(channel: Fd, note: string): void {
  send(channel, { note });
}

/** Child: this sibling of it was forked. */
export function tellForked(channel: Fd, pid: number, pidfd: Fd): void {
  sendMessage(channel, encodeUtf8(String(pid)), pidfd);
}

/** Parent: the process that its child has forked beside itself; a failure is thrown, and undefined is a death. */
export function receiveForked(channel: Fd): { readonly pid: Pid; readonly pidfd: Fd } | undefined {
  const received = receive(channel);
  if (received === undefined) return undefined;
  const text = decodeUtf8(received.bytes);
  if (received.descriptor !== undefined) return { pid: Number(text) as Pid, pidfd: received.descriptor };
  throw errorOf((JSON.parse(text) as { failure: ChildFailure }).failure);
}

/** Child: tells the failure; nothing more can be done when even that fails. */
export function tellFailure(channel: Fd, error: unknown): void {
  try {
    send(channel, { failure: failureOf(error) });
  } catch {
    // The parent is gone: its absence is the report.
  }
}

/** Parent: the next message, or undefined at the end (execve, or the child's death). */
export function nextMessage(channel: Fd): ChildMessage | undefined {
  const received = receive(channel);
  if (received === undefined) return undefined;
  return JSON.parse(decodeUtf8(received.bytes)) as ChildMessage;
}

/** Parent: lets the child go on, perhaps with a descriptor that it asked for. One that is gone tells so by the end. */
export function go(channel: Fd, descriptor?: Fd): void {
  try {
    sendMessage(channel, encodeUtf8("go"), descriptor);
  } catch (error) {
    if (!isErrno(error, "EPIPE", "ECONNRESET")) throw error;
  }
}

/** Anything that was thrown, as data. */
export function failureOf(error: unknown): ChildFailure {
  if (error instanceof OpError) return { op: error.data };
  if (error instanceof RuntimeError) return { kind: error.kind, message: error.message };
  const kind = error instanceof BadString ? "invalid-argument" : "child";
  return { kind, message: error instanceof Error ? error.message : String(error) };
}

/** The error that a failure was, again as an error. */
export function errorOf(failure: ChildFailure): Error {
  return "op" in failure ? new OpError(failure.op) : new RuntimeError(failure.kind, failure.message);
}

/** The next packet; undefined at the end, which is a reset when the peer ended without having read all. */
function receive(channel: Fd): Received | undefined {
  const received = receiveMessage(channel, LIMIT);
  if (typeof received !== "number") return received.bytes.length === 0 ? undefined : received;
  if (received === -ECONNRESET) return undefined;
  throw OpError.from("recvmsg", fdName(channel), -received);
}

function send(channel: Fd, message: ChildMessage): void {
  const bytes = encodeUtf8(JSON.stringify(message));
  if (bytes.length <= LIMIT) write(channel, bytes);
  else
    write(
      channel,
      encodeUtf8(JSON.stringify({ failure: { kind: "child", message: "an error too long to report" } })),
    );
}
