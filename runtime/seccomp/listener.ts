/** Handing the listener of a filter to the seccomp agent (config-linux.md "The Container Process State"). */
import { asking } from "../../syscalls/asking.ts";
import { fdAt } from "../../syscalls/descriptor.ts";
import { type Cloned, pidfdGetfd } from "../../syscalls/process.ts";
import { closing } from "../../syscalls/scope.ts";
import { connectUnix, sendMessage } from "../../syscalls/socket.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import type { ContainerProcessState, State } from "../config/types.ts";
import type { SeccompListener } from "../plan/seccomp/filter.ts";

const LISTENER_PATH = "linux.seccomp.listenerPath";

/** Name of the descriptor in `fds`: "seccompFd" is the one that the specification defines. */
const FD_NAME = "seccompFd";

/**
 * Takes the listener `fd` out of the init process and sends it to the agent with the state: one message on a
 * connection of its own. Nothing of it stays open here, or the container's calls would wait for ever for a dead agent.
 */
export function sendListener(listener: SeccompListener, init: Cloned, fd: number, state: State): void {
  const document: ContainerProcessState = {
    ociVersion: state.ociVersion,
    fds: [FD_NAME],
    pid: init.pid,
    ...(listener.metadata === "" ? {} : { metadata: listener.metadata }),
    state,
  };
  closing(pidfdGetfd(init.pidfd, fdAt(fd)), (ours) => {
    asking(LISTENER_PATH, () => {
      closing(connectUnix(listener.path), (socket) => {
        sendMessage(socket, encodeUtf8(JSON.stringify(document)), ours);
      });
    });
  });
}
