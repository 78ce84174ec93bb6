/** Staying with a container in the foreground: signals go in, output comes out, its exit status is ours. */
import { ECHILD, errnoName } from "../../syscalls/constants/errno.ts";
import { POLLIN } from "../../syscalls/constants/poll.ts";
import { isErrno } from "../../syscalls/error.ts";
import { close, poll } from "../../syscalls/file.ts";
import { tryPidfdSendSignal, WNOHANG, waitAny, waitFor } from "../../syscalls/process.ts";
import { readSignal, SIGCHLD, SIGWINCH } from "../../syscalls/signal.ts";
import { receiveMessage } from "../../syscalls/socket.ts";
import type { Fd, Pid } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { SignalQueue } from "./signals.ts";
import type { TerminalRelay } from "./terminal.ts";

/** Waits for the process and returns its exit status, 128 + N for signal N; other children are reaped on the way. */
export function attach(
  pid: Pid,
  pidfd: Fd,
  signals: SignalQueue,
  terminal: TerminalRelay | undefined,
): number {
  for (;;) {
    const fixed = [
      { fd: pidfd, events: POLLIN },
      { fd: signals.fd, events: POLLIN },
    ];
    const moving = terminal?.requests() ?? [];
    const events = poll([...fixed, ...moving], -1);
    const ready = new Map<Fd, number>();
    moving.forEach(({ fd }, i) => {
      const event = events[i + 2] ?? 0;
      if (event !== 0) ready.set(fd, event);
    });
    terminal?.move(ready);
    if (events[1] !== 0) forward(signals.fd, pidfd, terminal);
    if (events[0] !== 0) {
      terminal?.drain();
      const status = waitFor(pid)?.status ?? 255;
      close(pidfd);
      reapOthers();
      return status;
    }
  }
}

function forward(queue: Fd, pidfd: Fd, terminal: TerminalRelay | undefined): void {
  for (let signal = readSignal(queue); signal !== 0; signal = readSignal(queue)) {
    if (signal === SIGCHLD) continue;
    if (signal === SIGWINCH && terminal !== undefined) terminal.resize();
    else tryPidfdSendSignal(pidfd, signal);
  }
}

/** As a subreaper this process gets the container's orphans when there is no pid namespace to end them. */
function reapOthers(): void {
  try {
    while (waitAny(WNOHANG) !== undefined);
  } catch (error) {
    if (!isErrno(error, errnoName(ECHILD))) throw error;
  }
}

/** The master of a container's pty, as its init process sent it. */
export function receiveMaster(socket: Fd): Fd {
  const message = receiveMessage(socket, 4096);
  close(socket);
  if (typeof message !== "number" && message.descriptor !== undefined) return message.descriptor;
  throw new RuntimeError("child", "the container's process did not send the master of its terminal");
}
