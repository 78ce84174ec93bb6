/** run: create and start in one, and in the foreground also wait and delete. */
import { close } from "../../syscalls/open.ts";
import { PR_SET_CHILD_SUBREAPER, prctl } from "../../syscalls/prctl.ts";
import { messagePair } from "../../syscalls/socket.ts";
import type { Fd } from "../../syscalls/types.ts";
import { errorOf, go, nextMessage } from "../channel.ts";
import type { RunnableSpec } from "../config/types.ts";
import type { RuntimeContext } from "../context.ts";
import { attach, receiveMaster } from "../foreground/attach.ts";
import { queueSignals } from "../foreground/signals.ts";
import { StreamRelay } from "../foreground/streams.ts";
import { TerminalRelay } from "../foreground/terminal.ts";
import { NotifySocket } from "../parent/notify_socket.ts";
import { rootOnHost } from "../plan/host_ids.ts";
import { handleOf } from "../proc/process_handle.ts";
import { closeSealMount } from "../self/seal.ts";
import { unlock } from "../state/store.ts";
import { destroy, destroyUnlessGone } from "./delete.ts";
import { type Launched, launch } from "./launch.ts";
import type { CreateRequest } from "./prepare.ts";
import { openConsoleSocket, prepare } from "./prepare.ts";
import { poststart } from "./start.ts";

/** What run is asked for. */
export interface RunRequest extends CreateRequest {
  readonly detach: boolean;
  /** Leave the container, stopped, when it has ended. */
  readonly keep: boolean;
  readonly noSubreaper: boolean;
}

/** Runs the container; returns its exit status, or 0 at once when detached. */
export function runContainer(context: RuntimeContext, asked: RunRequest): number {
  const { request, spec } = prepare(context, asked);
  const consoleSocket = openConsoleSocket(
    spec.process.terminal ?? false,
    request.consoleSocket,
    request.detach,
  );
  return request.detach
    ? runDetached(context, request, spec, consoleSocket)
    : runAttached(context, request, spec);
}

function runDetached(
  context: RuntimeContext,
  request: RunRequest,
  spec: RunnableSpec,
  consoleSocket: Fd | undefined,
): number {
  const launched = launch(context, request, spec, { waitForStart: false, consoleSocket, streams: [] });
  let notify: NotifySocket | undefined;
  try {
    notify = startProgram(launched);
  } catch (error) {
    destroy(context, launched.dir, launched.state);
    throw error;
  }
  afterStart(launched);
  notify?.waitForReady(handleOf(launched));
  return 0;
}

function runAttached(context: RuntimeContext, request: RunRequest, spec: RunnableSpec): number {
  if (!request.noSubreaper) prctl(PR_SET_CHILD_SUBREAPER, 1);
  const signals = queueSignals();
  const console = spec.process.terminal === true ? messagePair() : undefined;
  const relay = console === undefined ? new StreamRelay(rootOnHost(spec.linux ?? {})) : undefined;
  const launched = launch(context, request, spec, {
    waitForStart: false,
    consoleSocket: console?.[1],
    streams: relay?.streams ?? [],
  });
  let terminal: TerminalRelay | undefined;
  let started = false;
  try {
    if (console !== undefined) terminal = new TerminalRelay(receiveMaster(console[0]));
    const notify = startProgram(launched);
    started = true;
    afterStart(launched);
    return attach(launched, signals, terminal ?? relay, notify);
  } finally {
    terminal?.restore();
    if (!request.keep || !started) destroyUnlessGone(context, launched.dir, launched.state);
    signals.end();
  }
}

/** Lets the init process go on; its execve closes the channel, and anything else is the reason why it failed. */
function startProgram({ channel, dir }: Launched): NotifySocket | undefined {
  const notify = NotifySocket.open(dir);
  go(channel);
  closeSealMount();
  const message = nextMessage(channel);
  close(channel);
  if (message !== undefined && "failure" in message) throw errorOf(message.failure);
  return notify;
}

/** The program runs: what is left to do before the command waits, or ends. */
function afterStart({ dir, state }: Launched): void {
  poststart(state);
  // What follows may take as long as the container lives, and another command may want to delete it.
  unlock(dir);
}
