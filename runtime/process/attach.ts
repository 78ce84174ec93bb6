/** Staying with a container in the foreground: signals go in, output comes out, its exit status is ours. */
import { ECHILD, errnoName } from "../../syscalls/constants/errno.ts";
import { POLLIN } from "../../syscalls/constants/poll.ts";
import { isErrno } from "../../syscalls/error.ts";
import { close, poll } from "../../syscalls/file.ts";
import { getpid, tryPidfdSendSignal, WNOHANG, waitAny } from "../../syscalls/process.ts";
import { readSignal, SIGCHLD, SIGWINCH } from "../../syscalls/signal.ts";
import { receiveMessage } from "../../syscalls/socket.ts";
import type { Fd, Pid } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { NotifySocket } from "./notify_socket.ts";
import type { Relay } from "./relay.ts";
import type { SignalQueue } from "./signals.ts";

/** Waits for the process and returns its exit status, 128 + N for signal N; other children are reaped on the way. */
export function attach(
  pid: Pid,
  pidfd: Fd,
  signals: SignalQueue,
  relay: Relay | undefined,
  notify?: NotifySocket,
): number {
  const fixed = [
    { fd: pidfd, events: POLLIN },
    { fd: signals.fd, events: POLLIN },
  ];
  let told = false;
  for (;;) {
    const moving = relay?.requests() ?? [];
    const said = notify === undefined || told ? [] : [{ fd: notify.fd, events: POLLIN }];
    const events = poll([...fixed, ...moving, ...said], -1);
    const ready = new Map<Fd, number>();
    moving.forEach(({ fd }, i) => {
      const event = events[i + 2] ?? 0;
      if (event !== 0) ready.set(fd, event);
    });
    relay?.move(ready);
    // As runc: the process to watch is this one, which lives as long as the container.
    if (said.length > 0 && events.at(-1) !== 0) told = notify?.passOn(getpid()) ?? true;
    const sent = events[1] !== 0 && forward(signals.fd, pidfd, relay);
    const status = reap(pid);
    if (status === undefined) continue;
    // A signal that just came may have found the process dead already: then it was for who waits here.
    relay?.drain(signals.fd, !sent);
    close(pidfd);
    return status;
  }
}

/** Passes signals on to the process; true when there was one. */
function forward(queue: Fd, pidfd: Fd, relay: Relay | undefined): boolean {
  let sent = false;
  for (let signal = readSignal(queue); signal !== 0; signal = readSignal(queue)) {
    if (signal === SIGCHLD) continue;
    if (signal === SIGWINCH && relay?.resize !== undefined) relay.resize();
    else {
      tryPidfdSendSignal(pidfd, signal);
      sent = true;
    }
  }
  return sent;
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
  const message = receiveMessage(socket, 4096);
  close(socket);
  if (typeof message !== "number" && message.descriptor !== undefined) return message.descriptor;
  throw new RuntimeError("child", "the container's process did not send the master of its terminal");
}
