/** The parent's side of the channel, for create and exec alike: what is done for which request of the child. */
import type { Cloned } from "../../syscalls/process.ts";
import { closing } from "../../syscalls/scope.ts";
import type { Fd, Pid } from "../../syscalls/types.ts";
import { errorOf, go, nextMessage, type Request, type RequestMessage } from "../channel.ts";
import type { State } from "../config/types.ts";
import { namingPid } from "../errors.ts";
import type { SeccompPlan } from "../plan/seccomp/filter.ts";
import { sendListener } from "../seccomp/listener.ts";

/**
 * What is done for a request before the child goes on; a descriptor that comes of it goes to the child, and is closed
 * here. What has none lets the child go on at once.
 */
export type RequestHandlers = {
  readonly [request in Exclude<Request, "ready">]?: (message: RequestMessage) => Fd | undefined;
};

/** Who is served. */
export interface Served {
  readonly channel: Fd;
  readonly pid: Pid;
  /** Takes the notes of the child. */
  readonly debugLog: (message: string) => void;
}

/**
 * Answers the child until it is ready, which is for the caller to answer; false when the channel has ended before: by
 * an execve, or by the child's death. Its failure is thrown here.
 */
export function serve({ channel, pid, debugLog }: Served, handlers: RequestHandlers): boolean {
  for (;;) {
    const message = nextMessage(channel);
    if (message === undefined) return false;
    if ("failure" in message) throw namingPid(errorOf(message.failure), pid);
    if ("note" in message) {
      debugLog(message.note);
      continue;
    }
    if (message.request === "ready") return true;
    const descriptor = handlers[message.request]?.(message);
    if (descriptor === undefined) go(channel);
    else closing(descriptor, () => go(channel, descriptor));
  }
}

/** Handler of "listener": takes it out of the child, and gives it to the agent with this state. */
export function serveListener(
  seccomp: SeccompPlan | undefined,
  child: Cloned,
  descriptor: Fd | undefined,
  state: () => State,
): undefined {
  if (descriptor === undefined || seccomp?.listener === undefined) return;
  sendListener(seccomp.listener, child, descriptor, state());
}
