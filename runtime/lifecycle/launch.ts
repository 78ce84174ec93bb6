/**
 * The parent's half of making a container, shared by create and run: claim the id, plan, fork the init process,
 * make the cgroups while it sets up its root file system, answer its requests (channel.ts), and record it.
 */
import { asking } from "../../syscalls/asking.ts";
import { WNOWAIT } from "../../syscalls/constants/wait.ts";
import { CLONE_NEWUSER } from "../../syscalls/namespace.ts";
import { type Cloned, tryPidfdSendSignal, waitFor } from "../../syscalls/process.ts";
import { closing, type Owner, scope } from "../../syscalls/scope.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { messagePair } from "../../syscalls/socket.ts";
import type { Fd, FieldName, Pid } from "../../syscalls/types.ts";
import type { CgroupManager } from "../cgroup/manager.ts";
import { newCgroup } from "../cgroup/open.ts";
import { errorOf, go, isCgroupRequest, nextMessage } from "../channel.ts";
import type { RunnableSpec, State } from "../config/types.ts";
import type { RuntimeContext } from "../context.ts";
import { duringInit, namingPid, RuntimeError, startingProcess } from "../errors.ts";
import { runHooks } from "../hooks/run.ts";
import { containerInit } from "../init/container_init.ts";
import type { Stream } from "../init/context.ts";
import { createRdtGroups, joinRdtGroups, removeRdtGroups } from "../intel_rdt/groups.ts";
import { moveNetDevices } from "../net_devices/move.ts";
import { BindSources } from "../parent/bind_sources.ts";
import { createExecFifo } from "../parent/exec_fifo.ts";
import { forkIntoNamespaces } from "../parent/fork_into_namespaces.ts";
import { makeNotifyDirectory } from "../parent/notify_socket.ts";
import { openNamespaces } from "../parent/open_namespaces.ts";
import { writePidFile } from "../parent/pid_file.ts";
import { openPidfdSocket, sendPidfd } from "../parent/pidfd_socket.ts";
import { UnitEntry, unitMoves } from "../parent/unit_entry.ts";
import { makeUserns, requireSameMaps } from "../parent/userns.ts";
import type { CgroupEntry } from "../plan/cgroup/entry.ts";
import type { ContainerPlan } from "../plan/plan.ts";
import type { SeccompFilter } from "../seccomp/filter.ts";
import { sendListener } from "../seccomp/listener.ts";
import { prepareFilter } from "../seccomp/program.ts";
import { openCgroupFiles } from "../self/enter_cgroup.ts";
import type { OpenNamespace } from "../self/join_namespace.ts";
import { writeOomScore } from "../self/oom_score.ts";
import { raiseHardLimits } from "../self/rlimits.ts";
import { wholeEnvironment } from "../self/seal.ts";
import { identify } from "../state/init_pid.ts";
import {
  createStateDir,
  lock,
  type SavedState,
  type StateDir,
  writeSavedConfig,
  writeState,
} from "../state/store.ts";
import { unmountHostMounts } from "./host_mount.ts";
import { type CreateRequest, type Prepared, prepareLaunch } from "./prepare.ts";
import { firstRecord, streamNames, undoOf } from "./record.ts";
import { hookState } from "./state.ts";
import { sharesPidNamespace } from "./status.ts";
import type { Undo } from "./undo.ts";

/** What differs between create and run. */
export interface LaunchMode {
  /** The init process waits for `start` after it is ready. */
  readonly waitForStart: boolean;
  /** Where the master of the pty goes: the caller's socket, or one of ours when attached. */
  readonly consoleSocket: Fd | undefined;
  /** What become its standard streams; the others are the caller's. */
  readonly streams: readonly Stream[];
}

/** A container whose init process is ready. */
export interface Launched {
  readonly dir: StateDir;
  readonly state: SavedState;
  readonly pid: Pid;
  readonly pidfd: Fd;
  readonly channel: Fd;
}

/** Makes the container up to its init process being ready; on failure nothing is left of it. */
export function launch(
  context: RuntimeContext,
  request: CreateRequest,
  spec: RunnableSpec,
  mode: LaunchMode,
): Launched {
  const prepared = prepareLaunch(context, request, spec);
  const { container: plan, rdt } = prepared;
  const cgroup = newCgroup(prepared.cgroup);
  const pidfdSocket = openPidfdSocket(request.pidfdSocket);
  const dir = createStateDir(context.root, request.id, context.rootMode);
  const streams = spec.process.terminal === true ? undefined : streamNames(mode.streams);
  const recorded = firstRecord(request, spec, { ...prepared, cgroup }, streams);
  const undo = undoOf(context, dir, recorded);
  try {
    lock(dir);
    makeNotifyDirectory(dir);
    cgroup.requireUsable();
    const seccomp = plan.seccomp && prepareFilter(plan.seccomp, context.root, context.debugLog);
    // Not before they are known to be nobody else's.
    undo.push("remove the cgroups", () => {
      // What a hook left running there; with a pid namespace it has ended together with the init process.
      if (sharesPidNamespace(recorded) && cgroup.exists()) cgroup.killAll(SIGKILL);
      cgroup.remove();
    });
    undo.push("unmount the root file system", () => unmountHostMounts(recorded));
    undo.push("remove the resctrl groups", () => removeRdtGroups(rdt?.remove ?? []));
    const making = {
      ...prepared,
      cgroup,
      context,
      request,
      mode,
      seccomp,
      pidfdSocket,
      dir,
      recorded,
      spec,
      undo,
    };
    return startingProcess(() => make(making));
  } catch (error) {
    undo.run(context.warn);
    throw error;
  }
}

interface Making extends Omit<Prepared, "cgroup"> {
  readonly cgroup: CgroupManager;
  readonly context: RuntimeContext;
  readonly request: CreateRequest;
  readonly mode: LaunchMode;
  readonly seccomp: SeccompFilter | undefined;
  readonly pidfdSocket: Fd | undefined;
  readonly dir: StateDir;
  /** The first record, of a container that has no process yet. */
  readonly recorded: SavedState;
  readonly spec: RunnableSpec;
  readonly undo: Undo;
}

function make(making: Making): Launched {
  const {
    request,
    container: plan,
    cgroup,
    limits,
    entry,
    rdt,
    pidfdSocket,
    dir,
    recorded,
    spec,
    undo,
  } = making;
  // Before the first cgroup exists: a runtime killed from here on leaves a record of what to remove.
  writeState(dir, recorded);
  writeSavedConfig(dir, spec);
  const { init, channel } = forkInit(making);
  undo.push("end the init process", () => {
    tryPidfdSendSignal(init.pidfd, SIGKILL);
    waitFor(init.pid);
  });
  requireSameMaps(plan.namespaces, spec.linux ?? {}, init.pid);
  const state: SavedState = { ...recorded, init: identify(init.pid) };
  // In another user namespace it has been written before (parent/fork_into_namespaces.ts).
  if ((plan.namespaces.own & CLONE_NEWUSER) === 0) writeOomScore(plan.process.oomScoreAdj, init.pid);
  const bySystemd = cgroup.driver === "systemd";
  const unitEntry = bySystemd ? new UnitEntry(cgroup, entry, limits, init.pid) : undefined;
  undo.push("end the keeper of the unit", () => unitEntry?.endPlaceholder());
  // While the child sets up its root file system on another core.
  if (!bySystemd) cgroup.apply(limits);
  if (plan.intelRdt !== undefined && rdt !== undefined) {
    createRdtGroups(plan.intelRdt, rdt);
    joinRdtGroups(rdt, init.pid);
  }
  duringInit(() => serve(making, init, channel, state, unitEntry));
  sendPidfd(pidfdSocket, "standard", init.pidfd);
  if (request.pidFile !== undefined) writePidFile(request.pidFile, init.pid);
  return { dir, state, pid: init.pid, pidfd: init.pidfd, channel };
}

/** Makes the cgroups and forks the init process into them; what is opened for it alone is closed here after that. */
function forkInit(making: Making): { readonly init: Cloned; readonly channel: Fd } {
  return scope((owner) => {
    const { mode, container: plan, cgroup, limits, entry, dir } = making;
    for (const fd of [mode.consoleSocket, ...mode.streams.map(({ end }) => end)])
      if (fd !== undefined) owner.own(fd);
    const namespaces = openNamespaces(plan.namespaces.join, owner);
    const fifo = mode.waitForStart ? owner.own(createExecFifo(dir.fd)) : undefined;
    const [channel, childChannel] = owner.ownBoth(messagePair());
    const bySystemd = cgroup.driver === "systemd";
    if (!bySystemd) asking(cgroupField(making), () => cgroup.create(limits));
    const userns = openUserns(plan, namespaces, owner);
    const moves = bySystemd ? undefined : openMoves(entry, owner);
    const { oomScoreAdj, keepGroups } = plan.process;
    const place = { plan: plan.namespaces, joins: namespaces, userns, entry, oomScoreAdj, keepGroups };
    const init = forkIntoNamespaces(place, (join) =>
      containerInit({
        ...contextOf(making),
        cgroupField: cgroupField(making),
        channel: childChannel,
        namespaces,
        fifo,
        cgroupMoves:
          moves === undefined
            ? unitMoves(entry)
            : { ...moves, join: moves.join.filter(({ path }) => join.includes(path)) },
      }),
    );
    return { init, channel: owner.handOn(channel) };
  });
}

/** What the init process gets besides what is opened for it. */
function contextOf({ container, seccomp, view, parentHooks, hooksLook, mode, userFds, recorded }: Making) {
  return {
    plan: container,
    seccomp,
    cgroups: view,
    parentHooks,
    hooksLook,
    consoleSocket: mode.consoleSocket,
    streams: mode.streams,
    preservedFds: userFds,
    stateFor: (pid: number, status: "creating" | "created") => hookState(recorded, status, pid),
  };
}

/** What asked for the cgroup's place; none when it is of the runtime's choice. */
function cgroupField({ spec }: Making): FieldName | undefined {
  return spec.linux?.cgroupsPath ? "linux.cgroupsPath" : undefined;
}

/** The files by which the init process moves itself. */
function openMoves({ joinAll, leaveMemory, rejoinMemory }: CgroupEntry, owner: Owner) {
  return {
    join: openCgroupFiles(joinAll, owner),
    // Where a user has no right to move it out it stays, and what it uses until then is charged.
    leaveMemory: openCgroupFiles(leaveMemory, owner, undefined, true),
    rejoinMemory: openCgroupFiles(rejoinMemory, owner),
  };
}

/** The container's user namespace, when it is not the runtime's: new with the maps of the plan, or one to join. */
function openUserns(
  { namespaces: { idMaps } }: ContainerPlan,
  joins: readonly OpenNamespace[],
  owner: Owner,
): Fd | undefined {
  if (idMaps !== undefined) return owner.own(asking("linux.namespaces", () => makeUserns(idMaps)));
  return joins.find(({ join }) => join.flag === CLONE_NEWUSER)?.fd;
}

/** Answers the child until it is ready; its failure is thrown here. */
function serve(
  making: Making,
  init: Cloned,
  channel: Fd,
  state: SavedState,
  unitEntry: UnitEntry | undefined,
): void {
  const { context, container: plan, dir } = making;
  const sources = new BindSources(init.pid, plan.rootfs.hostPropagation);
  for (;;) {
    const message = nextMessage(channel);
    if (message === undefined) throw diedEarly(init);
    if ("failure" in message) throw namingPid(errorOf(message.failure), init.pid);
    if ("note" in message) {
      context.debugLog(message.note);
      continue;
    }
    if (message.request === "source") {
      const step = plan.mounts[message.mount ?? -1];
      const source = step?.kind === "bind" ? sources.open(step) : undefined;
      if (source === undefined) go(channel);
      else closing(source, () => go(channel, source));
      continue;
    }
    const { request } = message;
    if (isCgroupRequest(request)) asking(cgroupField(making), () => unitEntry?.answer(request));
    if (message.request === "net-devices") moveNetDevices(plan.netDevices, init.pid);
    if (message.request === "limits") raiseHardLimits(plan.process.rlimits, init.pid);
    if (message.request === "hooks") {
      const hooks = { state: hookState(state, "creating", init.pid), defaultEnv: wholeEnvironment };
      runHooks("prestart", plan.hooks.prestart, hooks);
      runHooks("createRuntime", plan.hooks.createRuntime, hooks);
    }
    if (message.request === "listener" && message.descriptor !== undefined && plan.seccomp?.listener) {
      const document = JSON.parse(hookState(state, "creating", init.pid)) as State;
      sendListener(plan.seccomp.listener, init, message.descriptor, document);
    }
    if (message.request === "ready") {
      sources.close();
      writeState(dir, state);
      return;
    }
    go(channel);
  }
}

/** The channel ended without a word: the init process was killed, by a signal or by the OOM killer. */
function diedEarly(init: Cloned): RuntimeError {
  // Left to be reaped by who undoes the fork.
  const exit = waitFor(init.pid, WNOWAIT);
  const how =
    exit === undefined || exit.signal === 0 ? `with status ${exit?.status}` : `by signal ${exit.signal}`;
  const hint = exit?.signal === SIGKILL ? " (out of memory? the memory limit may be too low)" : "";
  return new RuntimeError("child", `container init ended ${how} before it was ready${hint}`);
}
