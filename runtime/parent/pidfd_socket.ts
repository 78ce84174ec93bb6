/** --pidfd-socket: who listens there gets a pidfd, which no reuse of the pid can turn into another process's. */
import { closing } from "../../syscalls/scope.ts";
import { connectUnix, sendMessage } from "../../syscalls/socket.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";

/** Connects, before anything has been made that a failure would have to undo. */
export function openPidfdSocket(path: HostPath | undefined): Fd | undefined {
  return path === undefined ? undefined : connectUnix(path);
}

/** Sends the descriptor under runc's name for the kind of process (init_linux.go, setupPidfd), and hangs up. */
export function sendPidfd(socket: Fd | undefined, kind: "standard" | "setns", pidfd: Fd): void {
  if (socket === undefined) return;
  closing(socket, () => {
    sendMessage(socket, encodeUtf8(kind), pidfd);
  });
}
