/** restore: a container made by CRIU from the images of a checkpoint, beside create and run the third way to one. */
import { tryUnlinkat } from "../../syscalls/directory.ts";
import { close } from "../../syscalls/open.ts";
import { PR_SET_CHILD_SUBREAPER, prctl } from "../../syscalls/prctl.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { sendMessage } from "../../syscalls/socket.ts";
import type { Fd } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { newCgroup } from "../cgroup/open.ts";
import type { RunnableSpec } from "../config/types.ts";
import type { RuntimeContext } from "../context.ts";
import { closeDirectories, openDirectories } from "../criu/directories.ts";
import { externalSince, logDirectory, requireKnown } from "../criu/options.ts";
import { inheritedNamespaces, RESTORE_LOG, type RestoreOptions } from "../criu/restore_request.ts";
import { readStreamNames } from "../criu/stream_names.ts";
import { type Criu, findCriu, requireVersion } from "../criu/version.ts";
import { RuntimeError } from "../errors.ts";
import { attach } from "../foreground/attach.ts";
import { queueSignals } from "../foreground/signals.ts";
import { StreamRelay } from "../foreground/streams.ts";
import { TerminalRelay } from "../foreground/terminal.ts";
import { removeRdtGroups } from "../intel_rdt/groups.ts";
import { makeNotifyDirectory } from "../parent/notify_socket.ts";
import { writePidFile } from "../parent/pid_file.ts";
import { rootOnHost } from "../plan/host_ids.ts";
import { createStateDir, lock, unlock } from "../state/store.ts";
import { warnRootless } from "./checkpoint.ts";
import { destroyUnlessGone } from "./delete.ts";
import { type CreateRequest, openConsoleSocket, type Prepared, prepare, prepareLaunch } from "./prepare.ts";
import { firstRecord, streamNames, undoOf } from "./record.ts";
import { type RestoredContainer, type RestoreMode, restoreByCriu } from "./restore_by_criu.ts";

/** What restore is asked for. */
export interface RestoreRequest extends CreateRequest {
  readonly detach: boolean;
  readonly noSubreaper: boolean;
  readonly criu: RestoreOptions;
}

/** The first criu that restores PR_SET_NO_NEW_PRIVS. */
const KEEPS_NO_NEW_PRIVS = 31900;

/** The first criu in which the LSM's part can be changed. */
const CHANGES_LSM = 31600;

/** Restores the container; returns its exit status, or 0 at once when detached. */
export function restoreContainer(context: RuntimeContext, asked: RestoreRequest): number {
  warnRootless(context, "restore");
  requireKnown(asked.criu);
  const { request, spec } = prepare(context, asked);
  const terminal = spec.process.terminal === true;
  const consoleSocket = openConsoleSocket(terminal, request.consoleSocket, request.detach);
  return request.detach
    ? restoreDetached(context, request, spec, consoleSocket)
    : restoreAttached(context, request, spec);
}

function restoreDetached(
  context: RuntimeContext,
  request: RestoreRequest,
  spec: RunnableSpec,
  consoleSocket: Fd | undefined,
): number {
  restore(context, request, spec, {
    streams: consoleSocket === undefined ? [] : undefined,
    takeTerminal(master) {
      // The payload must not be empty; the receivers look at the descriptor.
      if (consoleSocket !== undefined) sendMessage(consoleSocket, encodeUtf8("orphan-pts-master"), master);
      close(master);
    },
  });
  return 0;
}

function restoreAttached(context: RuntimeContext, request: RestoreRequest, spec: RunnableSpec): number {
  if (!request.noSubreaper) prctl(PR_SET_CHILD_SUBREAPER, 1);
  const signals = queueSignals();
  const relay = spec.process.terminal === true ? undefined : new StreamRelay(rootOnHost(spec.linux ?? {}));
  let terminal: TerminalRelay | undefined;
  try {
    const { init, dir, state } = restore(context, request, spec, {
      streams: relay?.streams,
      takeTerminal(master) {
        if (relay === undefined && terminal === undefined) terminal = new TerminalRelay(master);
        else close(master);
      },
    });
    // criu has given it the size that it had.
    terminal?.resize();
    try {
      return attach(init, signals, terminal ?? relay);
    } finally {
      terminal?.restore();
      destroyUnlessGone(context, dir, state);
    }
  } finally {
    terminal?.restore();
    signals.end();
  }
}

/** Restores the container, and gives back its lock; on failure nothing is left of it. */
function restore(
  context: RuntimeContext,
  request: RestoreRequest,
  spec: RunnableSpec,
  mode: RestoreMode,
): RestoredContainer {
  // What it warns of has been told at the creation: criu gives the process what it had.
  const prepared = prepareLaunch({ ...context, warn: context.debugLog }, request, spec);
  const { rdt } = prepared;
  const cgroup = newCgroup(prepared.cgroup);
  const dir = createStateDir(context.root, request.id, context.rootMode);
  const recorded = firstRecord(
    request,
    spec,
    { ...prepared, cgroup },
    mode.streams && streamNames(mode.streams),
  );
  const undo = undoOf(context, dir, recorded);
  try {
    lock(dir);
    makeNotifyDirectory(dir);
    cgroup.requireUsable();
    const criu = findCriu();
    warnLost(context, prepared, criu);
    requireVersions(criu, request.criu, prepared);
    const directories = openDirectories(request.criu);
    undo.push("close the directories", () => closeDirectories(directories));
    const descriptors = readStreamNames(directories.images);
    undo.push("remove the cgroups", () => cgroup.remove());
    // What criu has made so far, should it have been killed.
    undo.push("end the processes in the cgroups", () => {
      if (cgroup.exists()) cgroup.killAll(SIGKILL);
    });
    undo.push("remove the resctrl groups", () => removeRdtGroups(rdt?.remove ?? []));
    const making = {
      ...prepared,
      cgroup,
      asked: request.criu,
      mode,
      dir,
      recorded,
      spec,
      undo,
      criu,
      directories,
      descriptors,
    };
    tryUnlinkat(logDirectory(directories).fd, RESTORE_LOG); // that of another time tells nothing
    const restored = restoreByCriu(making);
    if (request.pidFile !== undefined) writePidFile(request.pidFile, restored.init.pid);
    closeDirectories(directories);
    // What follows may take as long as the container lives, and another command may want to delete it.
    unlock(dir);
    return restored;
  } catch (error) {
    undo.run(context.warn);
    throw error;
  }
}

function requireVersions(
  criu: Criu,
  { lsmProfile, lsmMountContext }: RestoreOptions,
  { container }: Prepared,
): void {
  for (const [option, value] of Object.entries({
    "--lsm-profile": lsmProfile,
    "--lsm-mount-context": lsmMountContext,
  }))
    if (value !== "" && criu.version < CHANGES_LSM)
      throw new RuntimeError("unsupported", `${option} requires at least CRIU 3.16`);
  for (const { type } of inheritedNamespaces(container.namespaces.join))
    requireVersion(criu, externalSince[type]);
}

/** What the container has no more, as with runc: criu makes bind mounts by their sources alone, for one. */
function warnLost({ warn }: RuntimeContext, { container }: Prepared, { version }: Criu): void {
  if (container.process.noNewPrivileges && version < KEEPS_NO_NEW_PRIVS)
    warn("process.noNewPrivileges: not restored by CRIU before 3.19");
  for (const step of container.mounts)
    if (step.kind === "bind" && step.idmap !== undefined) warn(`${step.from}: restored without its id map`);
}
