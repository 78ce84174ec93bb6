/**
 * CRIU as a worker of ours (`criu swrk 3`): it has one end of a socket as its descriptor 3, gets one request there, tells
 * by notifications how far it is, waits for the answer to each, and in the end says how it went.
 */

import { O_RDWR } from "../../syscalls/constants/fcntl.ts";
import { POLLIN } from "../../syscalls/constants/poll.ts";
import { cstr } from "../../syscalls/cstring.ts";
import { dup3, dupAbove, fdAt } from "../../syscalls/descriptor.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { poll } from "../../syscalls/poll.ts";
import {
  type Cloned,
  type ExitInfo,
  execve,
  exitGroup,
  ownProcessGroup,
  stringArray,
  tryPidfdSendSignal,
  waitFor,
} from "../../syscalls/process.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { messagePair, receiveMessage, sendMessage, setSendBuffer } from "../../syscalls/socket.ts";
import { setTrace, traceDescriptor } from "../../syscalls/trace.ts";
import type { Fd, HostPath, Pid } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { errorOf, nextMessage, tellFailure } from "../channel.ts";
import { RuntimeError } from "../errors.ts";
import { closeAllFrom, disinherit } from "../self/disinherit.ts";
import { fork } from "../self/fork.ts";
import { decodeMessage, encodeMessage } from "./message.ts";
import { type CriuRequest, type CriuResponse, criu_req, criu_resp, RequestType } from "./rpc.ts";

/** The program, and the environment that it runs in. */
export interface Program {
  readonly path: HostPath;
  readonly environment: readonly string[];
}

/** How criu is started. */
export interface SwrkOptions {
  /** What become its standard streams, and those of what it restores; the null device when there are none. */
  readonly streams?: readonly Fd[];
  /**
   * What become its descriptors from FIRST_DESCRIPTOR on, those that a request names by their numbers. Called in its
   * process, where there may be more to do before it becomes criu; what is thrown is thrown by start.
   */
  readonly descriptors?: () => readonly Fd[];
  /**
   * In a process group of its own, so that a signal of the terminal ends this process alone: criu then finds that nobody
   * answers, and lets go what it has stopped. What it restores would be in that group, too.
   */
  readonly ownGroup?: boolean;
}

/** A step that criu has come to. */
export interface Notification {
  readonly script: string;
  readonly pid: Pid | undefined;
  /** What came along, for who is notified to close. */
  readonly descriptor: Fd | undefined;
}

/** Behind the socket. */
export const FIRST_DESCRIPTOR = 4;

/** How long it may take to end. */
const TIMEOUT_MS = 10_000;

/** The largest message that is taken; none of criu's has more than a path and an error text in it. */
const LIMIT = 64 * 1024;

/** A criu that runs. */
export class Swrk {
  #ended = false;

  private constructor(
    private readonly process: Cloned,
    private readonly socket: Fd,
  ) {}

  /** Starts the program. It is a child of this process, and in its cgroups and namespaces until somebody moves it. */
  static start({ path, environment }: Program, options: SwrkOptions = {}): Swrk {
    const [channel, childChannel] = messagePair();
    const words = {
      path: cstr(path),
      argv: stringArray(["criu", "swrk", "3"]),
      envp: stringArray(environment),
    };
    const process = fork(0, () => becomeCriu(words, childChannel, options));
    close(childChannel);
    let swrk: Swrk | undefined;
    try {
      swrk = new Swrk(process, receiveSocket(channel));
      const message = nextMessage(channel);
      if (message === undefined || !("failure" in message)) return swrk;
      throw errorOf(message.failure);
    } catch (error) {
      if (swrk === undefined) kill(process);
      else swrk.end();
      throw error;
    } finally {
      close(channel);
    }
  }

  get pid(): Pid {
    return this.process.pid;
  }

  /**
   * Makes the request and returns the response to it; what criu notifies of meanwhile is done before it goes on. Throws
   * when criu says that it failed, says nothing that can be understood, or ends.
   */
  request(request: CriuRequest, notified: (notification: Notification) => void = ignore): CriuResponse {
    this.send(request);
    for (;;) {
      const { response, descriptor } = this.receive();
      const { type, notify } = response;
      if (response.success !== true) throw failed(response);
      if (type !== RequestType.NOTIFY) {
        if (descriptor !== undefined) close(descriptor);
        if (type !== request.type)
          throw new RuntimeError("child", `criu answered ${nameOf(request.type)} by ${nameOf(type)}`);
        return response;
      }
      if (notify?.script === undefined)
        throw new RuntimeError("child", "criu sent a notification without a name");
      notified({ script: notify.script, pid: notify.pid as Pid | undefined, descriptor });
      this.send({ type: RequestType.NOTIFY, notify_success: true });
    }
  }

  /** Hangs up, upon which criu takes back what it was about, and waits for its end; another time does nothing. */
  end(): ExitInfo | undefined {
    if (this.#ended) return undefined;
    this.#ended = true;
    const { pid, pidfd } = this.process;
    close(this.socket);
    const [ended = 0] = poll([{ fd: pidfd, events: POLLIN }], TIMEOUT_MS);
    if (ended === 0) tryPidfdSendSignal(pidfd, SIGKILL);
    close(pidfd);
    return waitFor(pid);
  }

  private send(request: CriuRequest): void {
    const bytes = encodeMessage(criu_req, request);
    if (bytes.length > LIMIT) setSendBuffer(this.socket, bytes.length);
    try {
      sendMessage(this.socket, bytes);
    } catch (error) {
      // That it has ended says receive.
      if (!isErrno(error, "EPIPE", "ECONNRESET")) throw error;
    }
  }

  private receive(): { readonly response: CriuResponse; readonly descriptor: Fd | undefined } {
    // A child of criu may have the socket, too, and outlive it: then there is no end of file.
    const { socket, process } = this;
    const [said = 0] = poll(
      [socket, process.pidfd].map((fd) => ({ fd, events: POLLIN })),
      -1,
    );
    const message = said === 0 ? 0 : receiveMessage(socket, LIMIT);
    if (typeof message === "number" || message.bytes.length === 0)
      throw new RuntimeError("child", "criu ended before it had answered");
    if (message.bytes.length === LIMIT)
      throw new RuntimeError("child", "criu sent a message that is too long");
    return { response: decodeMessage(criu_resp, message.bytes), descriptor: message.descriptor };
  }
}

function receiveSocket(channel: Fd): Fd {
  const received = receiveMessage(channel, 16);
  if (typeof received === "number") throw OpError.from("recvmsg", "criu's socket", -received);
  if (received.descriptor !== undefined) return received.descriptor;
  throw new RuntimeError("child", "the process that was to become criu ended");
}

function kill({ pid, pidfd }: Cloned): void {
  tryPidfdSendSignal(pidfd, SIGKILL);
  close(pidfd);
  waitFor(pid);
}

const ignore = ({ descriptor }: Notification): void => {
  if (descriptor !== undefined) close(descriptor);
};

function failed({ type, cr_errno = 0, cr_errmsg = "" }: CriuResponse): RuntimeError {
  const [reason = ""] = cr_errmsg.split("\n");
  return new RuntimeError(
    "child",
    `criu failed: type ${nameOf(type)} errno ${cr_errno}${reason === "" ? "" : `: ${reason}`}`,
  );
}

function nameOf(type: number | undefined): string {
  const named = Object.entries(RequestType).find(([, number]) => number === type);
  return named?.[0] ?? `${type}`;
}

/** What execve(2) takes, made before the fork. */
interface Words {
  readonly path: Parameters<typeof execve>[0];
  readonly argv: Parameters<typeof execve>[1];
  readonly envp: Parameters<typeof execve>[2];
}

/**
 * The child. It is itself who makes the socket: criu looks for descriptors that a request names in the process that has
 * done so, and may need them to be of its own mount namespace.
 */
function becomeCriu(words: Words, channel: Fd, { streams, descriptors, ownGroup }: SwrkOptions): never {
  let parent = channel;
  try {
    const [ours, theirs] = messagePair();
    sendMessage(channel, encodeUtf8("socket"), ours);
    if (ownGroup) ownProcessGroup();
    const nothing = openat(CWD, "/dev/null", O_RDWR);
    const places = [...(streams ?? [nothing, nothing, nothing]), theirs, ...(descriptors?.() ?? [])];
    parent = dupAbove(channel, places.length);
    // Who traces does so to the end, but not where criu's descriptors are.
    const trace = traceDescriptor();
    if (trace !== undefined) setTrace(dupAbove(trace, places.length));
    // First all of them out of the way of each other.
    const apart = places.map((fd) => dupAbove(fd, places.length));
    for (const [place, fd] of apart.entries()) dup3(fd, fdAt(place), 0);
    closeAllFrom(places.length);
    disinherit();
    throw OpError.from("exec", "criu", -execve(words.path, words.argv, words.envp));
  } catch (error) {
    tellFailure(parent, error);
    exitGroup(127);
  }
}
