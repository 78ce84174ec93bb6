/** Staying with a container in the foreground: signals go in, output comes out, its exit status is ours. */
import { ECHILD, errnoName } from "../../syscalls/constants/errno.ts";
import { POLLIN } from "../../syscalls/constants/poll.ts";
import { isErrno } from "../../syscalls/error.ts";
import { close } from "../../syscalls/open.ts";
import type { PendingSignals } from "../../syscalls/pending_signals.ts";
import { type Cloned, getpid, WNOHANG, waitAny } from "../../syscalls/process.ts";
import { closing } from "../../syscalls/scope.ts";
import { SIGCHLD, SIGWINCH } from "../../syscalls/signal.ts";
import { receiveMessage } from "../../syscalls/socket.ts";
import type { Fd, Pid } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import { handleOf, type ProcessHandle, pollOrEnd, trySignal } from "../proc/process_handle.ts";
import { NOT_INTERRUPTING, type Relay, readyOf } from "./relay.ts";
import type { SignalQueue } from "./signals.ts";

/** A socket on which the container's program says that it is ready (sd_notify(3)). */
export interface ReadinessSocket {
  readonly fd: Fd;
  /** Reads a message; true when it was the one that was waited for. `mainPid` is whom the host is to watch. */
  passOn(mainPid: Pid): boolean;
}

/** Waits for the process and returns its exit status, 128 + N for signal N; other children are reaped on the way. */
export function attach(
  { pid, pidfd }: Cloned,
  { pending }: SignalQueue,
  relay: Relay | undefined,
  notify?: ReadinessSocket,
): number {
  const fixed = [{ fd: pidfd, events: POLLIN }, ...pending.requests];
  let listening = notify;
  for (;;) {
    const requests = relay?.requests() ?? [];
    requests.push(...fixed);
    if (listening !== undefined) requests.push({ fd: listening.fd, events: POLLIN });
    const ready = readyOf(requests, pending.timeoutMs);
    relay?.move(ready);
    // As runc: the process to watch is this one, which lives as long as the container.
    if (listening !== undefined && ready.has(listening.fd) && listening.passOn(getpid()))
      listening = undefined;
    if (!ready.has(pidfd) && !pending.mayBeAmong(ready)) continue;
    const late = forward(pending, handleOf({ pid, pidfd }), relay);
    const status = reap(pid);
    if (status === undefined) continue;
    relay?.drain(pending, !late);
    close(pidfd);
    return status;
  }
}

/** Passes signals on to the process; true when there was one that found it dead, and is for who waits here. */
function forward(pending: PendingSignals, process: ProcessHandle, relay: Relay | undefined): boolean {
  let late = false;
  for (let signal = pending.next(); signal !== 0; signal = pending.next()) {
    if (signal === SIGCHLD) continue;
    if (signal === SIGWINCH && relay?.resize !== undefined) relay.resize();
    else if (pollOrEnd([], process, 0).ended) late ||= !NOT_INTERRUPTING.includes(signal);
    else trySignal(process, signal);
  }
  return late;
}

/**
 * Reaps what has ended; the status if the process was among it. As a subreaper this process also gets the orphans of
 * a container without a pid namespace of its own, which would otherwise stay zombies for as long as it runs.
 */
function reap(pid: Pid): number | undefined {
  let status: number | undefined;
  try {
    for (let exit = waitAny(WNOHANG); exit !== undefined; exit = waitAny(WNOHANG))
      if (exit.pid === pid) status = exit.status;
  } catch (error) {
    if (!isErrno(error, errnoName(ECHILD))) throw error;
    return status ?? 255; // nobody is left to wait for
  }
  return status;
}

/** The master of a container's pty, as its init process sent it. */
export function receiveMaster(socket: Fd): Fd {
  const message = closing(socket, () => receiveMessage(socket, 4096));
  if (typeof message !== "number" && message.descriptor !== undefined) return message.descriptor;
  throw new RuntimeError("child", "the container's process did not send the master of its terminal");
}
