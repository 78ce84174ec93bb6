/** exec: another process in a running container. */

import { PR_SET_CHILD_SUBREAPER, prctl } from "../../syscalls/prctl.ts";
import { closing } from "../../syscalls/scope.ts";
import { messagePair } from "../../syscalls/socket.ts";

import type { Fd, HostPath } from "../../syscalls/types.ts";
import type { RuntimeContext } from "../context.ts";
import { RuntimeError } from "../errors.ts";
import { attach, receiveMaster } from "../foreground/attach.ts";
import { queueSignals } from "../foreground/signals.ts";
import { StreamRelay } from "../foreground/streams.ts";
import { TerminalRelay } from "../foreground/terminal.ts";
import { openPidfdSocket } from "../parent/pidfd_socket.ts";
import { keepPreservedFds } from "../parent/preserved_fds.ts";
import { rootOnHost } from "../plan/host_ids.ts";
import { inheritedDescriptors } from "../self/seal.ts";
import { openStateDir, readSavedConfig, readState } from "../state/store.ts";
import { execProcess, type ProcessOverrides } from "./exec_process.ts";
import { openConsoleSocket } from "./prepare.ts";
import { startSetnsProcess } from "./setns_process.ts";
import { statusOf } from "./status.ts";

/** What exec is asked for on the command line; paths are absolute. */
export interface ExecRequest {
  readonly id: string;
  /** A file with the whole process object; otherwise the container's own with `overrides`. */
  readonly processFile?: HostPath | undefined;
  readonly overrides: ProcessOverrides;
  readonly detach: boolean;
  readonly consoleSocket?: HostPath | undefined;
  readonly pidfdSocket?: HostPath | undefined;
  readonly pidFile?: HostPath | undefined;
  readonly preserveFds: number;
  /** Sub-cgroups below the container's: [CONTROLLER[,CONTROLLER]:]PATH. */
  readonly cgroup: readonly string[];
  readonly ignorePaused: boolean;
}

/** Runs the process; returns its exit status, or 0 at once when detached. */
export function execContainer(context: RuntimeContext, request: ExecRequest): number {
  const dir = openStateDir(context.root, request.id);
  const { saved, config } = closing(dir.fd, () => {
    const saved = readState(dir);
    requireRunning(statusOf(dir, saved), request.ignorePaused);
    return { saved, config: readSavedConfig(dir) };
  });
  const process = execProcess(config, request.processFile, request.overrides, context.warn);
  const terminal = process.terminal ?? false;
  const consoleSocket = openConsoleSocket(terminal, request.consoleSocket, request.detach);
  const pidfdSocket = openPidfdSocket(request.pidfdSocket);
  keepPreservedFds(request.preserveFds, inheritedDescriptors());
  const relay = terminal || request.detach ? undefined : new StreamRelay(rootOnHost(config.linux ?? {}));
  const start = (socket: Fd | undefined, beforeProgram?: () => void) =>
    startSetnsProcess({
      context,
      saved,
      config,
      process,
      subCgroups: request.cgroup,
      consoleSocket: socket,
      streams: relay?.streams ?? [],
      pidfdSocket,
      pidFile: request.pidFile,
      preservedFds: request.preserveFds,
      beforeProgram,
    });
  if (request.detach) {
    start(consoleSocket);
    return 0;
  }
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const signals = queueSignals();
  const console = terminal ? messagePair() : undefined;
  let tty: TerminalRelay | undefined;
  try {
    // The terminal has its size before the program can ask for it.
    const started = start(console?.[1], () => {
      if (console !== undefined) tty = new TerminalRelay(receiveMaster(console[0]));
    });
    return attach(started, signals, tty ?? relay);
  } finally {
    tty?.restore();
    signals.end();
  }
}

function requireRunning(status: string, ignorePaused: boolean): void {
  if (status === "stopped" || status === "creating") {
    throw new RuntimeError("wrong-status", "cannot exec in a stopped container");
  }
  if (status === "paused" && !ignorePaused) {
    throw new RuntimeError(
      "wrong-status",
      "cannot exec in a paused container (use --ignore-paused to override)",
    );
  }
}
