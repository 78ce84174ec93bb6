/** Handing the listener of a filter to the seccomp agent (config-linux.md "The Container Process State"). */
import { asking } from "../../syscalls/asking.ts";
import { fdAt } from "../../syscalls/descriptor.ts";
import { isErrno } from "../../syscalls/error.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { type Cloned, pidfdGetfd } from "../../syscalls/process.ts";
import { closing } from "../../syscalls/scope.ts";
import { connectUnix, sendMessage } from "../../syscalls/socket.ts";
import type { Fd } from "../../syscalls/types.ts";
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
  closing(takeOut(init, fd), (ours) => {
    asking(LISTENER_PATH, () => {
      closing(connectUnix(listener.path), (socket) => {
        sendMessage(socket, encodeUtf8(JSON.stringify(document)), ours);
      });
    });
  });
}

/** pidfd_getfd(2) asks for the right to look into the process (ptrace(2)), which lets only root do so. */
function takeOut({ pidfd }: Cloned, fd: number): Fd {
  try {
    return asking(LISTENER_PATH, () => pidfdGetfd(pidfd, fdAt(fd)));
  } catch (error) {
    if (!isErrno(error, "EPERM") || geteuid() === 0) throw error;
    const hint = "an ordinary user may not take the listener out of the container's process";
    throw error.because(hint);
  }
}
