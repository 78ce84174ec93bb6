/**
 * The parent's half of exec: forks the process that enters the container (init/setns_init.ts), which forks the one
 * that stays there, and lets that one go on when everything is ready.
 */
import { capget } from "../../syscalls/capability.ts";
import { CWD, close, O_DIRECTORY, O_RDONLY, openat, readTextAt } from "../../syscalls/file.ts";
import { CLONE_NEWUSER } from "../../syscalls/namespace.ts";
import { PR_SET_DUMPABLE, prctl } from "../../syscalls/prctl.ts";
import { type Cloned, tryPidfdSendSignal, waitFor } from "../../syscalls/process.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { messagePair } from "../../syscalls/socket.ts";
import type { Fd, HostPath, Pid } from "../../syscalls/types.ts";
import { tryReadControl } from "../cgroup/control_file.ts";
import { detectCgroups } from "../cgroup/detect.ts";
import { execEntry } from "../cgroup/entry.ts";
import type { RuntimeContext } from "../context.ts";
import { RuntimeError } from "../errors.ts";
import { enterContainer } from "../init/setns_init.ts";
import { errorOf, go, nextMessage, receiveForked } from "../init/sync.ts";
import { joinRdtGroups } from "../intel_rdt.ts";
import { readLsmFacts } from "../lsm/facts.ts";
import { ALL_CAPABILITIES } from "../plan/capabilities.ts";
import { asksForLsm, planLsm } from "../plan/lsm.ts";
import { planMemoryPolicy } from "../plan/memory_policy.ts";
import { planNamespaces } from "../plan/namespaces.ts";
import { planPersonality } from "../plan/personality.ts";
import { planProcess } from "../plan/process.ts";
import { planSeccomp } from "../plan/seccomp.ts";
import { fork } from "../process/fork.ts";
import { writePidFile } from "../process/pid_file.ts";
import { sendPidfd } from "../process/pidfd_socket.ts";
import { sendListener } from "../seccomp/listener.ts";
import { prepareFilter } from "../seccomp/program.ts";
import type { Process, State } from "../spec/types.ts";
import { openProcess } from "../state/init_pid.ts";
import type { SavedState } from "../state/store.ts";

/** What is to be started, and with what. */
export interface Entering {
  readonly context: RuntimeContext;
  readonly saved: SavedState;
  readonly process: Process;
  /** --cgroup: sub-cgroups of the container's. */
  readonly subCgroups: readonly string[];
  /** Where the master of the pty goes: the caller's socket, or one of ours when attached. */
  readonly consoleSocket: Fd | undefined;
  readonly pidfdSocket: Fd | undefined;
  readonly pidFile: HostPath | undefined;
  readonly preservedFds: number;
  /** Done when everything is ready but the program does not run yet. */
  readonly beforeProgram: (() => void) | undefined;
}

/** Starts the process; when this returns, its program runs. */
export function enterAndStart(entering: Entering): Cloned {
  const { context, saved, consoleSocket, pidfdSocket, pidFile } = entering;
  const [channel, childChannel] = messagePair();
  const child = forkInside(entering, childChannel);
  for (const fd of [childChannel, consoleSocket]) if (fd !== undefined) close(fd);
  try {
    if (saved.resctrl !== undefined) joinRdtGroups(saved.resctrl, child.pid);
    converse(entering, channel, child);
    sendPidfd(pidfdSocket, "setns", child.pidfd);
    // conmon takes the absence of this file for a failed exec: it is written when the program surely runs.
    if (pidFile !== undefined) writePidFile(pidFile, child.pid);
    return child;
  } catch (error) {
    tryPidfdSendSignal(child.pidfd, SIGKILL);
    waitFor(child.pid);
    throw error;
  }

  /** The first process is gone again when this returns; the second is a child of ours (CLONE_PARENT). */
  function forkInside({ process, subCgroups, preservedFds }: Entering, channelOfChild: Fd): Cloned {
    const init = openProcess(saved.init);
    if (init === undefined) throw new RuntimeError("wrong-status", "cannot exec in a stopped container");
    const { linux = {} } = saved.config;
    const { own } = planNamespaces(linux);
    // The root of a user namespace has every capability there, whatever this runtime lacks itself.
    const available = own & CLONE_NEWUSER ? ALL_CAPABILITIES : capget().permitted;
    const { plan, warnings } = planProcess(process, available);
    warnings.forEach(context.warn);
    const spec = { ...saved.config, process };
    const lsm = planLsm(spec, asksForLsm(spec) ? readLsmFacts() : { apparmor: false, selinux: false });
    const seccompPlan = planSeccomp(linux.seccomp);
    const seccomp = seccompPlan && prepareFilter(seccompPlan, context.root, context.debugLog);
    const entry = execEntry(saved.cgroupPaths, subCgroups, memoryMax(saved));
    const [birth, childBirth] = messagePair();
    prctl(PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE");
    const first = forkInto(cgroupsToTry(entry.cloneInto, saved, subCgroups), (cloned) =>
      enterContainer({
        process: plan,
        birth: childBirth,
        channel: channelOfChild,
        init,
        namespaces: own,
        cgroups: cloned ? entry.join : entry.joinAll,
        keyring: saved.keyring,
        lsm,
        seccomp,
        personality: planPersonality(linux.personality),
        memoryPolicy: planMemoryPolicy(linux.memoryPolicy),
        consoleSocket,
        preservedFds,
      }),
    );
    for (const fd of [childBirth, init]) close(fd);
    try {
      const second = receiveForked(birth);
      if (second === undefined) throw ended(first.pid);
      return second;
    } finally {
      waitFor(first.pid);
      for (const fd of [birth, first.pidfd]) close(fd);
    }
  }
}

/** Lets the child go on when it is ready; returns when its execve has closed the channel. */
function converse({ context, saved, beforeProgram }: Entering, channel: Fd, child: Cloned): void {
  const seccomp = planSeccomp(saved.config.linux?.seccomp);
  let ready = false;
  for (;;) {
    const message = nextMessage(channel);
    if (message === undefined) break;
    if ("failure" in message) throw errorOf(message.failure);
    if ("note" in message) context.debugLog(message.note);
    else {
      if (message.request === "listener" && message.descriptor !== undefined && seccomp?.listener) {
        sendListener(seccomp.listener, child, message.descriptor, stateOf(saved));
      }
      if (message.request === "ready") {
        ready = true;
        beforeProgram?.();
      }
      go(channel);
    }
  }
  close(channel);
  if (!ready) throw ended(child.pid);
}

/** The state that the seccomp agent is told. */
function stateOf({ id, init, bundle, config: { ociVersion, annotations } }: SavedState): State {
  return { ociVersion, id, status: "running", pid: init.pid, bundle, ...(annotations && { annotations }) };
}

function ended(pid: Pid): RuntimeError {
  const exit = waitFor(pid);
  const oom = exit?.signal === SIGKILL ? " (possibly OOM-killed)" : "";
  return new RuntimeError(
    "child",
    `exec process ended with status ${exit?.status} before its program ran${oom}`,
  );
}

/** Forks into the first of these cgroups that takes a process; when none does, the child joins by itself. */
function forkInto(cgroups: Iterable<HostPath>, child: (cloned: boolean) => never): Cloned {
  for (const path of cgroups) {
    try {
      // The child closes it with all that it does not need, before anything in the container can see it.
      const cgroup = openat(CWD, path, O_RDONLY | O_DIRECTORY);
      try {
        return fork(0, () => child(true), { cgroup });
      } finally {
        close(cgroup);
      }
    } catch {} // the next one, or by the child itself, which will say what is wrong
  }
  return fork(0, () => child(false));
}

/**
 * The unified cgroup, and if the container has given it children with limits, upon which it takes no processes
 * itself (cgroup-v2.rst "No Internal Process Constraint"), the one of its init process. As runc.
 */
function* cgroupsToTry(
  cgroup: HostPath | undefined,
  saved: SavedState,
  subCgroups: readonly string[],
): Generator<HostPath> {
  if (cgroup === undefined) return;
  yield cgroup;
  if (subCgroups.length > 0) return;
  const path = /^0::(\/.*)$/m.exec(readTextAt(CWD, `/proc/${saved.init.pid}/cgroup`))?.[1];
  const unified = detectCgroups().hierarchies.find(({ controllers }) => controllers[0] === "");
  const ofInit = `${unified?.mountPoint}${path}` as HostPath;
  if (unified !== undefined && ofInit.startsWith(`${cgroup}/`) && !ofInit.includes("/../")) yield ofInit;
}

/** memory.max of a container on pure cgroup v2, where being born in its cgroup is being charged at once. */
function memoryMax(saved: SavedState): bigint | undefined {
  const paths: Readonly<Record<string, HostPath>> = saved.cgroupPaths;
  const unified = paths[""];
  if (unified === undefined || Object.keys(paths).length > 1) return undefined;
  const text = tryReadControl(unified, "memory.max");
  return text === undefined || text === "max" ? undefined : BigInt(text);
}
