/**
 * sd_notify(3) through the container's wall. The program inside gets a socket of its own, in a directory that is
 * mounted read-only; what it says there is read by the runtime, which passes on one thing, that it is ready. The
 * host's socket, to which a service could say much more about its unit, is never in reach of the container.
 */

import {
  AT_SYMLINK_NOFOLLOW,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
} from "../../syscalls/constants/fcntl.ts";
import { POLLHUP, POLLIN } from "../../syscalls/constants/poll.ts";
import { textOf } from "../../syscalls/cstring.ts";
import { pipe } from "../../syscalls/descriptor.ts";
import { mkdirat } from "../../syscalls/directory.ts";
import { close, openat } from "../../syscalls/open.ts";
import { fchmodat } from "../../syscalls/permissions.ts";
import { poll } from "../../syscalls/poll.ts";
import { closing, scope } from "../../syscalls/scope.ts";
import { bindDatagram, connectDatagram, receiveMessage, sendMessage } from "../../syscalls/socket.ts";
import { tryStatx } from "../../syscalls/stat.ts";
import type { Fd, Pid } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import type { Mount, Spec } from "../config/types.ts";
import { type ProcessHandle, pollOrEnd } from "../proc/process_handle.ts";
import { callerEnvironment } from "../self/seal.ts";
import type { StateDir } from "../state/store.ts";

const DIRECTORY = "notify";
const SOCKET = "notify.sock";
const INSIDE = "/run/notify";
/** How long the host's service manager may take to read what was sent. */
const BARRIER_TIMEOUT_MS = 30_000;

/** The caller's $NOTIFY_SOCKET; a path, or "@" and an abstract name. */
function hostSocket(): string | undefined {
  return callerEnvironment().NOTIFY_SOCKET || undefined;
}

/** The configuration with the directory of the container's own socket and the variable that names it. */
export function withNotifySocket<S extends Spec>(spec: S, stateDirectory: string): S {
  if (hostSocket() === undefined) return spec;
  const variable = `NOTIFY_SOCKET=${INSIDE}/${SOCKET}`;
  return {
    ...spec,
    mounts: [...(spec.mounts ?? []), mountOf(stateDirectory)],
    ...(spec.process === undefined
      ? {}
      : { process: { ...spec.process, env: [...(spec.process.env ?? []), variable] } }),
  };
}

const mountOf = (stateDirectory: string): Mount => ({
  destination: INSIDE,
  type: "bind",
  source: `${stateDirectory}/${DIRECTORY}`,
  options: ["bind", "nosuid", "noexec", "nodev", "ro"],
});

/** The mount that a container has got beside those of its configuration, if it has. */
export function notifyMount({ fd, root, id }: StateDir): Mount[] {
  return typeof tryStatx(fd, DIRECTORY, AT_SYMLINK_NOFOLLOW) === "number" ? [] : [mountOf(`${root}/${id}`)];
}

/** Makes that directory, when it is asked for. */
export function makeNotifyDirectory(dir: StateDir): void {
  if (hostSocket() !== undefined) mkdirat(dir.fd, DIRECTORY, 0o755);
}

/** The container's socket, bound, with what it says going to the host's. */
export class NotifySocket {
  private constructor(
    readonly fd: Fd,
    private readonly host: Fd,
  ) {}

  /** Before the container's program starts; undefined when nobody wants to be told. */
  static open(dir: StateDir): NotifySocket | undefined {
    const path = hostSocket();
    if (path === undefined) return undefined;
    const host = connectDatagram(path);
    return closing(openat(dir.fd, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), (directory) => {
      // By descriptor, as the directory's name may be longer than a socket address.
      const fd = bindDatagram(`/proc/self/fd/${directory}/${SOCKET}`);
      fchmodat(directory, SOCKET, 0o777); // whatever user the program runs as
      return new NotifySocket(fd, host);
    });
  }

  /** Waits until the container is ready or has ended. */
  waitForReady(init: ProcessHandle): void {
    for (;;) {
      const { events, ended } = pollOrEnd([{ fd: this.fd, events: POLLIN }], init, -1);
      const said = events[0] !== 0;
      if (said && this.passOn(init.pid)) return;
      if (!said && ended) return;
    }
  }

  /** Reads one message. If it says READY, the host is told, also whom to watch; true then. */
  passOn(mainPid: Pid): boolean {
    const message = receiveMessage(this.fd, 4096);
    if (typeof message === "number") return false;
    if (message.descriptor !== undefined) close(message.descriptor);
    const ready = textOf(message.bytes, message.bytes.length)
      .split("\n")
      .find((line) => line.startsWith("READY="));
    if (ready === undefined) return false;
    sendMessage(this.host, encodeUtf8(`${ready}\n`));
    sendMessage(this.host, encodeUtf8(`MAINPID=${mainPid}\n`));
    this.barrier();
    return true;
  }

  /** sd_notify_barrier(3): the other end is closed when everything before it has been read. */
  private barrier(): void {
    scope((owner) => {
      const [read, write] = owner.ownBoth(pipe(O_CLOEXEC));
      sendMessage(this.host, encodeUtf8("BARRIER=1"), write);
      owner.closeNow(write);
      poll([{ fd: read, events: POLLHUP }], BARRIER_TIMEOUT_MS);
    });
  }
}
