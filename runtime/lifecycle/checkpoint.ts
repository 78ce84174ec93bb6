/** checkpoint: the processes of a container, saved by CRIU into files. */
import { F_GETFL, O_DIRECTORY, O_PATH, O_RDWR, O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { CLONE_NEWUSER } from "../../syscalls/constants/sched.ts";
import { fdAt, tryFcntl } from "../../syscalls/descriptor.ts";
import { tryUnlinkat } from "../../syscalls/directory.ts";
import { OpError } from "../../syscalls/error.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { tryWrite } from "../../syscalls/io.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { statx } from "../../syscalls/stat.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { openCgroup } from "../cgroup/open.ts";
import { namespaceFiles } from "../config/names.ts";
import type { RunnableSpec } from "../config/types.ts";
import type { RuntimeContext } from "../context.ts";
import {
  closeDirectories,
  makeImageDirectory,
  openAgain,
  openDirectories,
  requireParent,
} from "../criu/directories.ts";
import { DUMP_LOG, type Dumped, type DumpOptions, dumpRequest } from "../criu/dump_request.ts";
import { type ExternalMounts, mountsToDump } from "../criu/external_mounts.ts";
import { withLog } from "../criu/log.ts";
import {
  type Directories,
  type externalKey,
  externalSince,
  logDirectory,
  requireKnown,
} from "../criu/options.ts";
import { RequestType } from "../criu/rpc.ts";
import { writeStreamNames } from "../criu/stream_names.ts";
import { type Notification, Swrk } from "../criu/swrk.ts";
import { type Criu, findCriu, requireFeature, requireVersion } from "../criu/version.ts";
import { RuntimeError } from "../errors.ts";
import { detectCgroups } from "../host/cgroup_layout.ts";
import { inUserNamespace } from "../host/user_namespace.ts";
import { notifyMount } from "../parent/notify_socket.ts";
import { cgroupView } from "../plan/cgroup/view.ts";
import { planDevices } from "../plan/mounts/device_nodes.ts";
import { planMounts } from "../plan/mounts/mounts.ts";
import { planNamespaces } from "../plan/namespaces.ts";
import { usernsOf } from "../plan/plan.ts";
import { sealSelf } from "../self/seal.ts";
import {
  lock,
  openStateDir,
  readSavedConfig,
  readState,
  type SavedState,
  type StateDir,
} from "../state/store.ts";
import { destroy } from "./delete.ts";
import { statusOf } from "./status.ts";

/** The first criu that stops processes by the freezer of cgroup v2. */
const FREEZES_V2 = 31400;
/** The first that notifies when lazy pages can be had. */
const NOTIFIES_LAZY = 31500;

/** Saves the container; unless it is to go on, nothing is left of it but the images. On failure it goes on as it was. */
export function checkpointContainer(context: RuntimeContext, id: string, asked: DumpOptions): void {
  warnRootless(context, "checkpoint");
  const dir = openStateDir(context.root, id);
  readState(dir);
  // Programs of the host are run, criu and hooks, with all of the caller's environment.
  sealSelf();
  lock(dir);
  const saved = readState(dir);
  const status = statusOf(dir, saved);
  if (status !== "running" && status !== "paused")
    throw new RuntimeError("wrong-status", `Container cannot be checkpointed in ${status} state`);
  requireKnown(asked);
  makeImageDirectory(asked.imagePath, ownsUsers(saved));
  requireParent(asked.imagePath, asked.parentPath);
  const criu = findCriu();
  const directories = openDirectories(asked);
  tryUnlinkat(logDirectory(directories).fd, DUMP_LOG); // that of another time tells nothing
  try {
    dump(criu, asked, directories, dir, saved);
  } catch (error) {
    // A criu that was killed may not have let them go on.
    if (status === "running") openCgroup(saved).thaw();
    throw withLog(error, logDirectory(directories), DUMP_LOG);
  } finally {
    closeDirectories(directories);
  }
  if (!asked.leaveRunning && !asked.preDump) destroy(context, dir, saved);
}

const ownsUsers = ({ config }: SavedState): boolean =>
  (planNamespaces(config.linux ?? {}).own & CLONE_NEWUSER) !== 0;

/** As runc: who is not root of the host may try. */
export function warnRootless(context: RuntimeContext, command: string): void {
  if (geteuid() !== 0 || inUserNamespace())
    context.warn(`runt ${command} is untested with rootless containers`);
}

function dump(
  criu: Criu,
  asked: DumpOptions,
  directories: Directories,
  dir: StateDir,
  saved: SavedState,
): void {
  const { preDump, lazyPages } = asked;
  if (preDump) requireFeature(criu, "mem_track");
  if (lazyPages) requireFeature(criu, "lazy_pages");
  const statusFd = lazyPages && asked.statusFd !== -1 ? writable(asked.statusFd) : undefined;
  if (statusFd !== undefined) requireVersion(criu, NOTIFIES_LAZY);
  const dumped: Dumped = {
    pid: saved.init.pid,
    rootfs: saved.rootfs,
    annotations: saved.config.annotations,
    freezer: freezerFor(criu, saved),
    external: externalNamespaces(criu, saved),
    mounts: preDump ? [] : externalMounts(dir, saved, readSavedConfig(dir)),
  };
  if (!preDump) writeStreamNames(directories.images, saved.standardStreams ?? []);
  const opts = dumpRequest(asked, directories, dumped);
  const swrk = Swrk.start(criu, { descriptors: () => openAgain(directories), ownGroup: true });
  const notified = ({ script, descriptor }: Notification): void => {
    if (descriptor !== undefined) close(descriptor);
    if (script !== "status-ready" || statusFd === undefined) return;
    tryWrite(statusFd, new Uint8Array(1));
    close(statusFd);
  };
  try {
    swrk.request({ type: preDump ? RequestType.PRE_DUMP : RequestType.DUMP, opts }, notified);
    const exit = swrk.end();
    // After a PRE_DUMP criu waits for the next, and does not like to be left.
    if (!preDump && exit?.status !== 0) throw endedBadly(exit?.status);
  } finally {
    swrk.end();
  }
}

/** Of a criu that had answered. */
export const endedBadly = (status: number | undefined): RuntimeError =>
  new RuntimeError("child", `criu failed: exit status ${status}`);

/** The words are runc's. */
function writable(fd: number): Fd {
  const flags = tryFcntl(fdAt(fd), F_GETFL);
  if (flags < 0) throw OpError.from(`invalid --status-fd argument ${fd}: fcntl`, `fd ${fd}`, -flags);
  if ((flags & O_WRONLY) === 0 && (flags & O_RDWR) === 0)
    throw new RuntimeError("invalid-argument", `invalid --status-fd argument ${fd}: not writable`);
  return fdAt(fd);
}

function freezerFor({ version }: Criu, { cgroupPaths }: SavedState): HostPath | undefined {
  if (cgroupPaths.freezer !== undefined) return cgroupPaths.freezer;
  return detectCgroups().kind === "v2" && version >= FREEZES_V2 ? cgroupPaths[""] : undefined;
}

/** Namespaces that were there before the container: by the inode of the one that its init process is in. */
function externalNamespaces(criu: Criu, { config, init }: SavedState): Dumped["external"] {
  return (["network", "pid"] as const satisfies (keyof typeof externalKey)[]).flatMap((type) => {
    const namespace = config.linux?.namespaces?.find((one) => one.type === type);
    if ((namespace?.path ?? "") === "") return [];
    requireVersion(criu, externalSince[type]);
    return [{ type, inode: statx(CWD, `/proc/${init.pid}/ns/${namespaceFiles[type]}`, 0).ino }];
  });
}

function externalMounts(
  dir: StateDir,
  { rootfs, bundle, init, cgroupPaths }: SavedState,
  { mounts = [], linux = {} }: RunnableSpec,
): ExternalMounts {
  const given = [...mounts, ...notifyMount(dir)];
  const outside = {
    mounts: planMounts(given, { bundle, rootfs, userns: usernsOf(linux) }, () => {}),
    devices: planDevices(linux.devices ?? []),
    maskedPaths: linux.maskedPaths ?? [],
    cgroups: cgroupView(detectCgroups(), cgroupPaths, planNamespaces(linux).own),
  };
  const root = openat(CWD, rootfs, O_PATH | O_DIRECTORY);
  const inside = openat(CWD, `/proc/${init.pid}/root`, O_PATH | O_DIRECTORY);
  try {
    return mountsToDump(outside, root, inside);
  } finally {
    for (const fd of [root, inside]) close(fd);
  }
}
