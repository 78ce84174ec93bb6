/** What CRIU and this process do together at a restore. */
import { AT_REMOVEDIR, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { STREAMS } from "../../syscalls/descriptor.ts";
import { mkdirat, readlinkat, tryUnlinkat } from "../../syscalls/directory.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { tryPidfdSendSignal, waitFor } from "../../syscalls/process.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import type { Fd, HostPath, Pid } from "../../syscalls/types.ts";
import type { CgroupManager } from "../cgroup/manager.ts";
import type { RunnableSpec } from "../config/types.ts";
import { openAgain } from "../criu/directories.ts";
import { mountsToRestore } from "../criu/external_mounts.ts";
import { withLog } from "../criu/log.ts";
import { type Directories, logDirectory } from "../criu/options.ts";
import {
  inheritedNamespaces,
  RESTORE_LOG,
  type RestoreOptions,
  restoreRequest,
} from "../criu/restore_request.ts";
import { makeRestoreRoot } from "../criu/restore_root.ts";
import { restrictMounts } from "../criu/restrict_mounts.ts";
import { RequestType } from "../criu/rpc.ts";
import { type Notification, Swrk } from "../criu/swrk.ts";
import type { Criu } from "../criu/version.ts";
import { RuntimeError } from "../errors.ts";
import { runHooks } from "../hooks/run.ts";
import type { Stream } from "../init/context.ts";
import { createRdtGroups, joinRdtGroups } from "../intel_rdt/groups.ts";
import { moveNetDevices } from "../net_devices/move.ts";
import { readCgroups } from "../proc/cgroup.ts";
import { wholeEnvironment } from "../self/seal.ts";
import { type SavedState, type StateDir, writeSavedConfig, writeState } from "../state/store.ts";
import { endedBadly } from "./checkpoint.ts";
import type { Prepared } from "./prepare.ts";
import { openInit, type RestoredInit, restoredState, withTimeNamespace } from "./restored_init.ts";
import { hookState } from "./state.ts";
import type { Undo } from "./undo.ts";

/** The mount of the root file system that criu gets, below the state directory. */
const CRIU_ROOT = "criu-root";

/** What differs between a container in the foreground and one that is left alone. */
export interface RestoreMode {
  /** What become the standard streams, the others being the caller's; undefined with a terminal. */
  readonly streams: readonly Stream[] | undefined;
  /** Takes over the master of the pty, before the program goes on. */
  readonly takeTerminal: (master: Fd) => void;
}

/** A container that runs. */
export interface RestoredContainer {
  readonly init: RestoredInit;
  readonly dir: StateDir;
  readonly state: SavedState;
}

/** What is to be restored, and where. */
export interface Restore extends Omit<Prepared, "cgroup"> {
  readonly cgroup: CgroupManager;
  readonly asked: RestoreOptions;
  readonly mode: RestoreMode;
  readonly dir: StateDir;
  readonly recorded: SavedState;
  readonly spec: RunnableSpec;
  readonly undo: Undo;
  readonly criu: Criu;
  readonly directories: Directories;
  /** Of the images. */
  readonly descriptors: readonly string[];
}

/** Has criu restore it; what there is then to undo is pushed. */
export function restoreByCriu(making: Restore): RestoredContainer {
  const { container, view, asked, dir, recorded, undo, directories, descriptors } = making;
  writeState(dir, recorded);
  mkdirat(dir.fd, CRIU_ROOT, 0o755);
  const root = `${readlinkat(CWD, `/proc/self/fd/${dir.fd}`)}/${CRIU_ROOT}` as HostPath;
  const swrk = startCriu(making, root);
  undo.push("end criu", () => swrk.end());
  enterCgroups(making, swrk);
  const rootfs = openat(CWD, container.rootfs.path, O_RDONLY);
  const outside = {
    mounts: container.mounts,
    devices: container.devices,
    maskedPaths: container.maskedPaths.map(({ path }) => path),
    cgroups: view,
  };
  const opts = restoreRequest(asked, directories, {
    root,
    annotations: recorded.config.annotations,
    join: container.namespaces.join,
    cgroups: readCgroups(swrk.pid),
    mounts: mountsToRestore(outside, rootfs),
    descriptors,
  });
  close(rootfs);
  const restoring = new Restoring(making);
  try {
    swrk.request({ type: RequestType.RESTORE, opts }, (notification) => restoring.notified(notification));
    const exit = swrk.end();
    if (exit?.status !== 0) throw endedBadly(exit?.status);
  } catch (error) {
    throw withLog(error, logDirectory(directories), RESTORE_LOG);
  }
  const restored = restoring.done();
  tryUnlinkat(dir.fd, CRIU_ROOT, AT_REMOVEDIR);
  return restored;
}

/** The namespaces and streams that it is to hand on are open no longer than it needs them. */
function startCriu({ container, mode, criu, directories }: Restore, root: HostPath): Swrk {
  const namespaces = inheritedNamespaces(container.namespaces.join).map(({ path }) =>
    openat(CWD, path, O_RDONLY),
  );
  const standard = mode.streams && STREAMS.map((fd) => endFor(fd, mode.streams ?? []));
  try {
    return Swrk.start(criu, {
      descriptors() {
        makeRestoreRoot(container.rootfs.path, root, container.mounts);
        return [...openAgain(directories), ...namespaces];
      },
      ...(standard === undefined ? {} : { streams: standard }),
    });
  } finally {
    for (const fd of [...namespaces, ...(mode.streams ?? []).map(({ end }) => end)]) close(fd);
  }
}

const endFor = (standard: Fd, streams: readonly Stream[]): Fd =>
  streams.find(({ standards }) => standards.includes(standard))?.end ?? standard;

/** criu restores into the cgroups that it is in. */
function enterCgroups({ container, cgroup, limits, rdt }: Restore, { pid }: Swrk): void {
  cgroup.create(limits, [pid]);
  if (cgroup.driver !== "systemd") cgroup.join(pid);
  cgroup.apply(limits);
  if (container.intelRdt === undefined || rdt === undefined) return;
  createRdtGroups(container.intelRdt, rdt);
  joinRdtGroups(rdt, pid);
}

/** What is done while criu restores. */
class Restoring {
  #restored: RestoredContainer | undefined;
  #hasTerminal = false;

  constructor(private readonly making: Restore) {}

  notified({ script, pid, descriptor }: Notification): void {
    const { container, mode, recorded } = this.making;
    if (descriptor !== undefined && script === "orphan-pts-master") {
      mode.takeTerminal(descriptor);
      this.#hasTerminal = true;
    } else if (descriptor !== undefined) close(descriptor);
    if (script === "setup-namespaces" && pid !== undefined) {
      if (container.netDevices.length > 0) moveNetDevices(container.netDevices, pid);
      const hooks = { state: hookState(recorded, "creating", pid), defaultEnv: wholeEnvironment };
      runHooks("prestart", container.hooks.prestart, hooks);
      runHooks("createRuntime", container.hooks.createRuntime, hooks);
    }
    if (script === "post-restore" && pid !== undefined) this.record(pid);
  }

  done(): RestoredContainer {
    if (this.#restored === undefined) throw new RuntimeError("child", "criu restored no process");
    if (this.making.mode.streams === undefined && !this.#hasTerminal)
      throw new RuntimeError("child", "criu did not hand over the terminal of the container");
    return this.#restored;
  }

  private record(pid: Pid): void {
    const { container, recorded, spec, undo, dir } = this.making;
    const init = openInit(pid);
    undo.push("end the init process", () => {
      tryPidfdSendSignal(init.pidfd, SIGKILL);
      waitFor(pid);
    });
    restrictMounts(pid, container);
    const config = withTimeNamespace(spec, pid);
    const state = restoredState(recorded, config, pid);
    writeSavedConfig(dir, config);
    writeState(dir, state);
    this.#restored = { init, dir, state };
  }
}
