/** exec: another process in a running container. */
import { capget } from "../../syscalls/capability.ts";
import { CWD, close, O_DIRECTORY, O_RDONLY, openat } from "../../syscalls/file.ts";
import { CLONE_NEWPID, setns } from "../../syscalls/namespace.ts";
import { PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, prctl } from "../../syscalls/prctl.ts";
import { type Cloned, tryPidfdSendSignal, waitFor } from "../../syscalls/process.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { messagePair } from "../../syscalls/socket.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { execEntry } from "../cgroup/entry.ts";
import type { RuntimeContext } from "../context.ts";
import { RuntimeError } from "../errors.ts";
import { setnsInit } from "../init/setns_init.ts";
import { errorOf, go, nextMessage } from "../init/sync.ts";
import { joinRdtGroups } from "../intel_rdt.ts";
import { readLsmFacts } from "../lsm/facts.ts";
import { asksForLsm, planLsm } from "../plan/lsm.ts";
import { planMemoryPolicy } from "../plan/memory_policy.ts";
import { planNamespaces } from "../plan/namespaces.ts";
import { planPersonality } from "../plan/personality.ts";
import { planProcess } from "../plan/process.ts";
import { attach, receiveMaster } from "../process/attach.ts";
import { fork } from "../process/fork.ts";
import { writePidFile } from "../process/pid_file.ts";
import { openPidfdSocket, sendPidfd } from "../process/pidfd_socket.ts";
import { keepPreservedFds } from "../process/preserved_fds.ts";
import { inheritedDescriptors } from "../process/seal.ts";
import { queueSignals } from "../process/signals.ts";
import { TerminalRelay } from "../process/terminal.ts";
import type { Process } from "../spec/types.ts";
import { openProcess } from "../state/init_pid.ts";
import { openStateDir, readState, type SavedState } from "../state/store.ts";
import { execProcess, type ProcessOverrides } from "./exec_process.ts";
import { openConsoleSocket } from "./launch.ts";
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
  const saved = readState(dir);
  requireRunning(statusOf(dir, saved), request.ignorePaused);
  close(dir.fd);
  const process = execProcess(saved.config, request.processFile, request.overrides, context.warn);
  const terminal = process.terminal ?? false;
  const consoleSocket = openConsoleSocket(terminal, request.consoleSocket, request.detach);
  const pidfdSocket = openPidfdSocket(request.pidfdSocket);
  keepPreservedFds(request.preserveFds, inheritedDescriptors());
  if (request.detach) {
    start(context, request, saved, process, consoleSocket, pidfdSocket);
    return 0;
  }
  prctl(PR_SET_CHILD_SUBREAPER, 1, "PR_SET_CHILD_SUBREAPER");
  const signals = queueSignals();
  const console = terminal ? messagePair() : undefined;
  const started = start(context, request, saved, process, console?.[1], pidfdSocket);
  const relay = console === undefined ? undefined : new TerminalRelay(receiveMaster(console[0]));
  try {
    return attach(started.pid, started.pidfd, signals, relay);
  } finally {
    relay?.restore();
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

function start(
  context: RuntimeContext,
  request: ExecRequest,
  saved: SavedState,
  process: Process,
  consoleSocket: Fd | undefined,
  pidfdSocket: Fd | undefined,
): Cloned {
  const init = openProcess(saved.init);
  if (init === undefined) throw new RuntimeError("wrong-status", "cannot exec in a stopped container");
  const { plan, warnings } = planProcess(process, capget().permitted);
  warnings.forEach(context.warn);
  const spec = { ...saved.config, process };
  const { linux } = spec;
  const lsm = planLsm(spec, asksForLsm(spec) ? readLsmFacts() : { apparmor: false, selinux: false });
  const { own } = planNamespaces(saved.config.linux ?? {});
  const entry = execEntry(saved.cgroupPaths, request.cgroup);
  const [channel, childChannel] = messagePair();
  // Before any process of ours is in the container's pid namespace, where others could look into it.
  prctl(PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE");
  const child = forkInPidNamespace(init, own, entry.cloneInto, (cloned) => {
    close(channel);
    if (pidfdSocket !== undefined) close(pidfdSocket);
    setnsInit({
      process: plan,
      channel: childChannel,
      init,
      namespaces: own & ~CLONE_NEWPID,
      cgroups: cloned ? entry.join : entry.joinAll,
      keyring: saved.keyring,
      lsm,
      personality: planPersonality(linux?.personality),
      memoryPolicy: planMemoryPolicy(linux?.memoryPolicy),
      consoleSocket,
      preservedFds: request.preserveFds,
    });
  });
  for (const fd of [childChannel, init, consoleSocket]) if (fd !== undefined) close(fd);
  try {
    if (saved.resctrl !== undefined) joinRdtGroups(saved.resctrl, child.pid);
    converse(context, channel, child);
    sendPidfd(pidfdSocket, "setns", child.pidfd);
    // conmon takes the absence of this file for a failed exec: it is written when the program surely runs.
    if (request.pidFile !== undefined) writePidFile(request.pidFile, child.pid);
    return child;
  } catch (error) {
    tryPidfdSendSignal(child.pidfd, SIGKILL);
    waitFor(child.pid);
    throw error;
  }
}

/** Lets the child go on when it is ready; returns when its execve has closed the channel. */
function converse(context: RuntimeContext, channel: Fd, child: Cloned): void {
  let ready = false;
  for (;;) {
    const message = nextMessage(channel);
    if (message === undefined) break;
    if ("failure" in message) throw errorOf(message.failure);
    if ("note" in message) context.debugLog(message.note);
    else {
      ready = true;
      go(channel);
    }
  }
  close(channel);
  if (ready) return;
  const exit = waitFor(child.pid);
  const oom = exit?.signal === SIGKILL ? " (possibly OOM-killed)" : "";
  throw new RuntimeError(
    "child",
    `exec process ended with status ${exit?.status} before its program ran${oom}`,
  );
}

/** Forks into the container's pid namespace and, where the kernel can, its unified cgroup. */
function forkInPidNamespace(
  init: Fd,
  own: number,
  cgroup: HostPath | undefined,
  child: (cloned: boolean) => never,
): Cloned {
  if (own & CLONE_NEWPID) setns(init, CLONE_NEWPID, "the container's pid namespace");
  if (cgroup === undefined) return fork(0, () => child(true));
  const directory = openat(CWD, cgroup, O_RDONLY | O_DIRECTORY);
  const inside = (): never => {
    close(directory);
    child(true);
  };
  try {
    return fork(0, inside, { cgroup: directory });
  } catch {
    // Also when the container has made it a cgroup that takes no processes: then its init's is tried by name.
    return fork(0, () => child(false));
  } finally {
    close(directory);
  }
}
