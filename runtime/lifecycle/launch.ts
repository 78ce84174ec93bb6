/**
 * The parent's half of making a container, shared by create and run: claim the id, plan, fork the init process,
 * make the cgroups while it sets up its root file system, answer its requests (channel.ts), and record it.
 */
import { asking } from "../../syscalls/asking.ts";
import { CLONE_NEWUSER } from "../../syscalls/namespace.ts";
import { type Cloned, waitFor } from "../../syscalls/process.ts";
import { type Owner, scope } from "../../syscalls/scope.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { messagePair } from "../../syscalls/socket.ts";
import type { Fd, Pid } from "../../syscalls/types.ts";
import { newCgroup } from "../cgroup/open.ts";
import type { RunnableSpec } from "../config/types.ts";
import type { RuntimeContext } from "../context.ts";
import { duringInit, startingProcess } from "../errors.ts";
import { containerInit } from "../init/container_init.ts";
import type { Stream } from "../init/context.ts";
import { createRdtGroups, joinRdtGroups, removeRdtGroups } from "../intel_rdt/groups.ts";
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
import { handleOf, trySignal } from "../proc/process_handle.ts";
import { prepareFilter } from "../seccomp/program.ts";
import { openCgroupFiles } from "../self/enter_cgroup.ts";
import type { OpenNamespace } from "../self/join_namespace.ts";
import { writeOomScore } from "../self/oom_score.ts";
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
import { cgroupField, type Making } from "./making.ts";
import { type CreateRequest, prepareLaunch } from "./prepare.ts";
import { firstRecord, streamNames, undoOf } from "./record.ts";
import { serveInit } from "./serve_init.ts";
import { hookState } from "./state.ts";
import { sharesPidNamespace } from "./status.ts";

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
    trySignal(handleOf(init), SIGKILL);
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
  duringInit(() => serveInit(making, init, channel, state, unitEntry));
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
function contextOf({ container, seccomp, view, parentHooks, order, mode, userFds, recorded }: Making) {
  return {
    plan: container,
    seccomp,
    cgroups: view,
    parentHooks,
    order,
    consoleSocket: mode.consoleSocket,
    streams: mode.streams,
    preservedFds: userFds,
    stateFor: (pid: number, status: "creating" | "created") => hookState(recorded, status, pid),
  };
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
