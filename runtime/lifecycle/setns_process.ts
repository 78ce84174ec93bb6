/**
 * The parent's half of exec: forks the process that enters the container (init/setns_init.ts), which forks the one
 * that stays there, and lets that one go on when everything is ready.
 */
import { isErrno } from "../../syscalls/error.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { PR_SET_DUMPABLE, prctl } from "../../syscalls/prctl.ts";
import { type Cloned, type ExitInfo, waitFor } from "../../syscalls/process.ts";
import { closing, scope } from "../../syscalls/scope.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { messagePair } from "../../syscalls/socket.ts";
import type { Fd, HostPath, Pid } from "../../syscalls/types.ts";
import { hasSmallLimits } from "../cgroup/small_limits.ts";
import { go, receiveForked } from "../channel.ts";
import type { Process, RunnableSpec, State } from "../config/types.ts";
import type { RuntimeContext } from "../context.ts";
import { messageOf, namingPid, RuntimeError, startingProcess } from "../errors.ts";
import { unifiedCgroupOf } from "../host/cgroup_layout.ts";
import { isRootless } from "../host/cgroup_rights.ts";
import { readProgramFacts } from "../host/facts.ts";
import type { Stream } from "../init/context.ts";
import { enterContainer } from "../init/setns_init.ts";
import { joinRdtGroups } from "../intel_rdt/groups.ts";
import { setFinalAffinity, withInitialAffinity } from "../parent/exec_affinity.ts";
import { forkIntoCgroup } from "../parent/fork_into_cgroup.ts";
import { writePidFile } from "../parent/pid_file.ts";
import { sendPidfd } from "../parent/pidfd_socket.ts";
import { type RequestHandlers, serve, serveListener } from "../parent/serve.ts";
import { type ExecPlan, planExec } from "../plan/exec.ts";
import { handleOf, pollOrEnd, trySignal } from "../proc/process_handle.ts";
import { prepareFilter } from "../seccomp/program.ts";
import { setScheduler } from "../self/scheduling.ts";
import { closeSealMount } from "../self/seal.ts";
import { isEnding, openProcess, type ProcessIdentity } from "../state/init_pid.ts";
import type { SavedState } from "../state/store.ts";

/** What is to be started, and with what. */
export interface SetnsProcess {
  readonly context: RuntimeContext;
  readonly saved: SavedState;
  readonly config: RunnableSpec;
  readonly process: Process;
  /** --cgroup: sub-cgroups of the container's. */
  readonly subCgroups: readonly string[];
  /** Where the master of the pty goes: the caller's socket, or one of ours when attached. */
  readonly consoleSocket: Fd | undefined;
  /** What become its standard streams; the others are the caller's. */
  readonly streams: readonly Stream[];
  readonly pidfdSocket: Fd | undefined;
  readonly pidFile: HostPath | undefined;
  readonly preservedFds: number;
  /** Done when everything is ready but the program does not run yet. */
  readonly beforeProgram: (() => void) | undefined;
}

/**
 * Starts the process; when this returns, its program runs. A container may end meanwhile, upon which anything can fail
 * in many ways: what is said is then that it has.
 */
export function startSetnsProcess(setnsProcess: SetnsProcess): Cloned {
  const { init } = setnsProcess.saved;
  try {
    const plan = planSetns(setnsProcess);
    return startingProcess(() => startAndServe(setnsProcess, plan));
  } catch (error) {
    if (!hasEnded(init, error)) throw error;
    setnsProcess.context.debugLog(messageOf(error));
    throw stoppedMeanwhile(error);
  }
}

/** The words are runc's. */
function stoppedMeanwhile(cause?: unknown): RuntimeError {
  return new RuntimeError("wrong-status", "cannot exec in a stopped container", { cause });
}

/** How long who kills a whole container may take from one of its processes to the next. */
const KILLING_MS = 100;

function hasEnded(init: ProcessIdentity, error: unknown): boolean {
  const handle = openProcess(init);
  if (handle === undefined) return true;
  return closing(handle.fd, () => {
    // Killed before its program ran, perhaps by who kills all, of whom init may be the last.
    if (originOf(error) instanceof DiedEarly) pollOrEnd([], handle, KILLING_MS);
    return isEnding(init);
  });
}

function originOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? originOf(error.cause) : error;
}

function startAndServe(setnsProcess: SetnsProcess, plan: ExecPlan): Cloned {
  const { saved, pidfdSocket, pidFile } = setnsProcess;
  const [channel, childChannel] = messagePair();
  const child = forkSetns(setnsProcess, plan, childChannel);
  try {
    closing(channel, () => {
      if (saved.resctrl !== undefined) joinRdtGroups(saved.resctrl, child.pid);
      serveChild(setnsProcess, plan, channel, child);
    });
    sendPidfd(pidfdSocket, "setns", child.pidfd);
    // conmon takes the absence of this file for a failed exec: it is written when the program surely runs.
    if (pidFile !== undefined) writePidFile(pidFile, child.pid);
    return child;
  } catch (error) {
    trySignal(handleOf(child), SIGKILL);
    reap(child.pid);
    throw error;
  }
}

function planSetns({ context, saved, config, process, subCgroups }: SetnsProcess): ExecPlan {
  const { cgroupPaths, init } = saved;
  const smallLimits = hasSmallLimits(cgroupPaths);
  const cgroupOfInit =
    smallLimits && subCgroups.length === 0 ? unifiedCgroupOf(init.pid, cgroupPaths) : undefined;
  const ofProgram = readProgramFacts({ ...config, process });
  const facts = { ...ofProgram, cgroupPaths, subCgroups, smallLimits, cgroupOfInit };
  const { plan, warnings } = planExec(config, process, facts);
  warnings.forEach(context.warn);
  return plan;
}

/** The first process is gone again when this returns; the second is a child of ours (CLONE_PARENT). */
function forkSetns(setnsProcess: SetnsProcess, plan: ExecPlan, channel: Fd): Cloned {
  const { context, saved, subCgroups, consoleSocket, streams, preservedFds } = setnsProcess;
  const { process, lsm, personality, memoryPolicy, initCgroupFile, entry } = plan;
  return scope((owner) => {
    for (const fd of [channel, consoleSocket, ...streams.map(({ end }) => end)])
      if (fd !== undefined) owner.own(fd);
    const init = openProcess(saved.init);
    if (init === undefined) throw stoppedMeanwhile();
    owner.own(init.fd);
    const seccomp = plan.seccomp && prepareFilter(plan.seccomp, context.root, context.debugLog);
    const [pidChannel, childPidChannel] = owner.ownBoth(messagePair());
    // Of an ordinary user the first process still has files of its own in /proc to write to, which root may anyway.
    if (geteuid() === 0) prctl(PR_SET_DUMPABLE, 0);
    const body = (cloned: boolean): never =>
      enterContainer({
        process,
        namespaces: plan.namespaces.own,
        lsm,
        personality,
        memoryPolicy,
        initCgroupFile,
        filterNeedsSysAdmin: plan.filterNeedsSysAdmin,
        loadsBeforeFork: plan.loadsBeforeFork,
        pidChannel: childPidChannel,
        channel,
        init,
        cgroups: cloned ? entry.join : entry.joinAll,
        mayStayOut: subCgroups.length === 0 && isRootless(context.rootless, saved.systemd),
        keyring: saved.keyring,
        seccomp,
        consoleSocket,
        streams,
        preservedFds,
      });
    const first = withInitialAffinity(plan.process.affinity, () =>
      forkIntoCgroup(
        entry.cloneInto,
        () => (subCgroups.length > 0 ? undefined : unifiedCgroupOf(saved.init.pid, saved.cgroupPaths)),
        body,
        context.debugLog,
      ),
    );
    owner.own(first.pidfd);
    // Else the end of the other process would not be the end of the channel.
    owner.closeNow(childPidChannel);
    return secondOf(first, pidChannel);
  });
}

/** What the first process tells of the second, at its end. */
function secondOf(first: Cloned, pidChannel: Fd): Cloned {
  try {
    const second = receiveForked(pidChannel);
    if (second === undefined) throw new DiedEarly(reap(first.pid));
    // Both have closed theirs by now: who is last takes the mount apart.
    closeSealMount();
    return second;
  } catch (error) {
    throw error instanceof Error ? namingPid(error, first.pid) : error;
  } finally {
    reap(first.pid);
  }
}

/** Lets the child go on when it is ready; returns when its execve has closed the channel. */
function serveChild(
  { context, saved, beforeProgram }: SetnsProcess,
  plan: ExecPlan,
  channel: Fd,
  child: Cloned,
): void {
  const { affinity, scheduler } = plan.process;
  const served = { channel, pid: child.pid, debugLog: context.debugLog };
  const handlers: RequestHandlers = {
    listener: ({ descriptor }) => serveListener(plan.seccomp, child, descriptor, () => stateOf(saved)),
  };
  if (!serve(served, handlers)) throw new DiedEarly(reap(child.pid));
  // Not by the process itself: it has no right to any more, and some of it no fork hands on.
  setScheduler(scheduler, child.pid);
  setFinalAffinity(affinity, child.pid, context.debugLog);
  beforeProgram?.();
  go(channel);
  serve(served, handlers);
}

/** The state that the seccomp agent is told. */
function stateOf({ id, init, bundle, config: { ociVersion, annotations } }: SavedState): State {
  return { ociVersion, id, status: "running", pid: init.pid, bundle, ...(annotations && { annotations }) };
}

/** It ended without a word. The kernel's OOM killer and a hostile container are the two that kill here. */
class DiedEarly extends RuntimeError {
  constructor(exit: ExitInfo | undefined) {
    const oom = exit?.signal === SIGKILL ? " (possibly OOM-killed)" : "";
    super("child", `exec process ended with status ${exit?.status} before its program ran${oom}`);
  }
}

/** How a child ended; undefined when that has been asked before. */
function reap(pid: Pid): ExitInfo | undefined {
  try {
    return waitFor(pid);
  } catch (error) {
    if (isErrno(error, "ECHILD")) return undefined;
    throw error;
  }
}
