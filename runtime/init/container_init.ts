/**
 * The container's init process, from the fork to the execve of the user's program, in the order of the kernel.
 * It runs in a forked JavaScript engine that is about to be inside a hostile root file system: nothing here may
 * load a library, import, touch Date, Intl, console or the event loop.
 */

import { asking } from "../../syscalls/asking.ts";
import { O_RDWR } from "../../syscalls/constants/fcntl.ts";
import { dup3, STREAMS } from "../../syscalls/descriptor.ts";
import { lookDescriptorsUpIn } from "../../syscalls/descriptor_name.ts";
import { tryWrite } from "../../syscalls/io.ts";
import {
  CLONE_NEWCGROUP,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUSER,
  setdomainname,
  sethostname,
  unshare,
} from "../../syscalls/namespace.ts";
import { CWD, close, tryOpenat } from "../../syscalls/open.ts";
import { PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, prctl } from "../../syscalls/prctl.ts";
import { exitGroup, getpid, trySetsid } from "../../syscalls/process.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { fstat } from "../../syscalls/stat.ts";
import { setTraceLabel } from "../../syscalls/trace.ts";
import { type Fd, type FieldName, failed } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { umask } from "../../syscalls/working_directory.ts";
import {
  ask,
  askForSource,
  type ChildFailure,
  failureOf,
  type Request,
  tellFailure,
  tellNote,
} from "../channel.ts";
import { runHooks } from "../hooks/run.ts";
import { labelNextExec, withKeyLabel } from "../lsm/labels.ts";
import type { CgroupView } from "../plan/cgroup/view.ts";
import type { ContainerPlan } from "../plan/plan.ts";
import { openProcfs, writeProc } from "../proc/procfs.ts";
import { clearParentDeathSignal, closeAllBut, closeAllFrom, disinherit } from "../self/disinherit.ts";
import { cgroupDescriptors, enterCgroups } from "../self/enter_cgroup.ts";
import type { OpenNamespace } from "../self/join_namespace.ts";
import { raiseHardLimits, setLimits } from "../self/rlimits.ts";
import { resetAffinity, setScheduler } from "../self/scheduling.ts";
import { isNullDevice } from "../self/standard_streams.ts";
import { becomeTerminal, createConsole } from "./console.ts";
import { type CgroupMove, type CgroupMoves, type ChildContext, descriptorsIn } from "./context.ts";
import { chooseMountApi, closeStaging } from "./detached.ts";
import { createDevices, createDevLinks } from "./devices.ts";
import { applyCapabilities, becomeUser, dropBoundingSet, fixStdioPermissions } from "./identity.ts";
import { joinSessionKeyring } from "./keyring.ts";
import { mountAll } from "./mount.ts";
import { enterNamespaces } from "./namespaces.ts";
import { moveRoot } from "./no_pivot.ts";
import {
  chrootInto,
  finalizeRootfs,
  makeReadonly,
  makeReadonlyNow,
  maskPaths,
  openRootfs,
  pivotInto,
  prepareOnHost,
  prepareRootfs,
} from "./rootfs.ts";
import { applyPersonality, setIoPriority, setMemoryPolicy } from "./scheduling.ts";
import { handOverListener, loadFilter, withSysAdmin } from "./seccomp.ts";
import { keepNullDevice, useStreams } from "./streams.ts";
import {
  createCwd,
  enterCwd,
  execProgram,
  findUserProgram,
  prepareProgram,
  tryEnterCwd,
  verifyCwd,
  withHome,
} from "./user_program.ts";
import { waitForStart } from "./wait_for_start.ts";

/** What the parent hands to the child: plain values and descriptors, all made before the fork. */
export interface InitContext extends ChildContext {
  readonly plan: ContainerPlan;
  readonly namespaces: readonly OpenNamespace[];
  readonly cgroups: CgroupView;
  /** Opened by the parent: in a user namespace the init process has no right to them. */
  readonly cgroupMoves: CgroupMoves;
  /** What asked for the cgroups. */
  readonly cgroupField: FieldName | undefined;
  /** The parent has hooks to run when the mounts are done. */
  readonly parentHooks: boolean;
  /** Some hook looks the process up in its cgroups (EarlyEntry). */
  readonly hooksLook: boolean;
  /** Create: the fifo to wait on, which takes an error after that. Run: undefined, the parent says go. */
  readonly fifo: Fd | undefined;
  /** The state document for hooks, with this pid and status. */
  readonly stateFor: (pid: number, status: "creating" | "created") => string;
}

function descriptorsOfInit({ fifo, namespaces, cgroupMoves }: InitContext): readonly (Fd | undefined)[] {
  const moves = Object.values<CgroupMove>({ ...cgroupMoves });
  const files = moves.flatMap((move) => (typeof move === "string" ? [] : cgroupDescriptors(move)));
  return [fifo, ...namespaces.map(({ fd }) => fd), ...files];
}

/** Runs in the child; never returns to its caller. */
export function containerInit(context: InitContext): never {
  try {
    initialise(context);
  } catch (error) {
    if (context.fifo !== undefined && started) reportLate(context.fifo, error);
    else tellFailure(context.channel, error);
    exitGroup(1);
  }
}

/** From the start on nobody listens on the channel. */
let started = false;

function initialise(context: InitContext): never {
  const { plan, channel, seccomp } = context;
  const { process } = plan;
  setTraceLabel("[init] ");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The state directory is the lock as well: kept open it would stay locked as long as the container waits. What is
  // not in the context besides: the parent's ends, its secrets, a descriptor of the cgroup in which clone3 has put the
  // process.
  closeAllBut([...descriptorsIn(context), ...descriptorsOfInit(context)], context.preservedFds);
  useStreams(context.streams);
  if (plan.keyring !== "") withKeyLabel(plan.lsm.processLabel, () => joinSessionKeyring(plan.keyring));
  trySetsid();
  const { cgroupMoves } = context;
  enterNamespaces(plan.namespaces, context.namespaces);
  if (plan.netDevices.length > 0) askOrEnd(channel, "net-devices");
  // A container that this process may already share namespaces with must not look into it (CVE-2016-9962).
  prctl(PR_SET_DUMPABLE, 0);
  const procfs = openProcfs();
  lookDescriptorsUpIn(procfs);
  const { hostname, domainname } = plan;
  if (hostname !== "") asking("hostname", () => sethostname(hostname));
  if (domainname !== "") asking("domainname", () => setdomainname(domainname));
  // cgroup_namespaces(7): the root of the namespace is the cgroup that the process is in now. Hooks
  // look the process up in its cgroups as well, and what systemd makes is not there before. Else it joins last, when
  // it needs least.
  const ownCgroupNamespace = (plan.namespaces.create & CLONE_NEWCGROUP) !== 0;
  const early = ownCgroupNamespace || context.hooksLook || typeof cgroupMoves.join === "string";
  const move = (into: CgroupMove): void => {
    if (typeof into === "string") askOrEnd(channel, into);
    else asking(context.cgroupField, () => enterCgroups(into));
  };
  if (early) move(cgroupMoves.join);
  if (ownCgroupNamespace) asking("linux.namespaces", () => unshare(CLONE_NEWCGROUP));
  move(cgroupMoves.leaveMemory);

  const callersUmask = umask(0);
  const ownMounts = (plan.namespaces.own & CLONE_NEWNS) !== 0;
  const slave = setUpRootfs(context, procfs, callersUmask);

  writeSysctls(plan, procfs);
  if (slave !== undefined) asking("process.terminal", () => becomeTerminal(slave));
  else reopenNullStdio();
  // As runc: 0022 belongs to a container's own file system; without one the caller's umask stays.
  asking(process.umask === undefined ? undefined : "process.user.umask", () =>
    umask(process.umask ?? (ownMounts ? 0o022 : callersUmask)),
  );

  labelNextExec(procfs, plan.lsm);
  if (process.noNewPrivileges) asking("process.noNewPrivileges", () => prctl(PR_SET_NO_NEW_PRIVS, 1));
  const ownUserNamespace = (plan.namespaces.own & CLONE_NEWUSER) !== 0;
  const joinCgroups = (): void => {
    if (ownUserNamespace) askOrEnd(channel, "limits");
    if (!early) move(cgroupMoves.join);
    move(cgroupMoves.rejoinMemory);
    resetAffinity((note) => tellNote(channel, note));
  };
  // Which CPUs and nodes the process may use is its cgroup's to say first; else it joins last.
  const settled = process.scheduler !== undefined || plan.memoryPolicy !== undefined;
  if (settled) joinCgroups();
  setScheduler(process.scheduler);
  setIoPriority(process.ioPriority);
  applyPersonality(plan.personality);
  setMemoryPolicy(plan.memoryPolicy);
  // From within a user namespace no limit can be raised; the parent does it then.
  if (!ownUserNamespace) raiseHardLimits(process.rlimits, 0);
  dropBoundingSet(process.capabilities);
  fixStdioPermissions(process.uid);
  // The directory may be open only to root (before) or only to the user (after).
  const entered = tryEnterCwd(process.cwd);
  becomeUser(process, procfs);
  if (!entered) enterCwd(process.cwd);
  const needsRight = seccomp !== undefined && !process.noNewPrivileges;
  const capabilities = needsRight ? withSysAdmin(process.capabilities) : process.capabilities;
  for (const note of applyCapabilities(capabilities)) tellNote(channel, note);
  verifyCwd();

  const env = withHome(process.env, process.uid);
  const program = prepareProgram(findUserProgram(process.args[0] ?? "", env), process.args, env);
  if (!settled) joinCgroups();
  // From here the parent may end at any time; what tells of its death before "go" is the channel.
  clearParentDeathSignal();
  const hooks = plan.hooks.startContainer ?? [];
  // While it waits, perhaps for days, the process holds no directory of ours that something in the container could
  // climb into, no file of the host's but the fifo, and nothing of the caller's that is not for the program.
  if (hooks.length === 0) lookDescriptorsUpIn(undefined);
  closeAllBut([channel, context.fifo, hooks.length === 0 ? undefined : procfs], context.preservedFds);
  // Only now is there a parent to take the listener; the rest of this function is then subject to the filter.
  if (seccomp?.notifies) handOverListener(channel, seccomp);
  const late = seccomp?.notifies ? undefined : seccomp;
  askOrEnd(channel, "ready");
  if (context.fifo !== undefined) {
    started = true;
    close(channel);
    waitForStart(context.fifo);
  }
  if (hooks.length > 0) {
    runHooks("startContainer", hooks, {
      state: context.stateFor(getpid(), "created"),
      defaultEnv: () => env,
      // A hook may be a program of the image: it must not be freer than the container.
      beforeExec: late === undefined ? undefined : () => loadFilter(late),
    });
    lookDescriptorsUpIn(undefined);
    close(procfs);
  }
  disinherit();
  setLimits(process.rlimits);
  closeAllFrom(3 + context.preservedFds);
  // After the wait for start, unlike runc: the profile is the program's, and whatever the runtime does between
  // loading it and execve (poll, read, close, sigaction, prlimit) would have to be allowed in it.
  if (late !== undefined) loadFilter(late);
  execProgram(program);
}

/** Everything about the root file system, from the host's "/" to the container's own. */
function setUpRootfs(context: InitContext, procfs: Fd, callersUmask: number): Fd | undefined {
  const { plan, channel } = context;
  const ownMounts = (plan.namespaces.own & CLONE_NEWNS) !== 0;
  const needsStaging = chooseMountApi(procfs) || plan.needsMount2;
  const base = asking("root.path", () => openRoot(plan, needsStaging));
  const { root, rootPropagation, readOnlyLater } = mountAll(base, plan.mounts, {
    cgroups: context.cgroups,
    askForSource: (mount) => askForSource(channel, mount),
    parentReaches: plan.parentReaches,
    inUserNamespace: plan.inUserNamespace,
    ownPids: (plan.namespaces.own & CLONE_NEWPID) !== 0,
    propagation: plan.mountsOnHost ? [plan.rootfs.hostPropagation] : [],
  });
  if (plan.setUpDev) {
    createDevices(root, plan.devices);
    createDevLinks(root);
  }
  const { consoleSocket } = context;
  const slave =
    consoleSocket &&
    asking("process.terminal", () => createConsole(root, consoleSocket, plan.process.consoleSize));
  if (context.parentHooks) askOrEnd(channel, "hooks");
  runHooks("createContainer", plan.hooks.createContainer, {
    state: context.stateFor(getpid(), "creating"),
    defaultEnv: () => [],
    directory: root,
    umask: callersUmask,
  });
  createCwd(root, plan.process.cwd);
  makeReadonly(root, plan.readonlyPaths);
  maskPaths(root, plan.maskedPaths, plan.lsm.mountLabel);
  makeReadonlyNow(readOnlyLater);
  asking("root.path", () => {
    // Not as runc, which unmounts the host's /proc and /sys for --no-pivot without a mount namespace.
    if (!ownMounts) chrootInto(root);
    else if (plan.noPivot) moveRoot(root, procfs);
    else pivotInto(root);
  });
  if (ownMounts || plan.mountsOnHost) finalizeRootfs(root, plan.rootfs, rootPropagation);
  close(root);
  closeStaging();
  return slave;
}

/** The root file system as a mount of its own, where there is anything to be mounted in it. */
function openRoot({ namespaces, rootfs, mountsOnHost }: ContainerPlan, needsStaging: boolean): Fd {
  if (namespaces.own & CLONE_NEWNS) return prepareRootfs(rootfs, needsStaging);
  return mountsOnHost ? prepareOnHost(rootfs, needsStaging) : openRootfs(rootfs);
}

function writeSysctls(plan: ContainerPlan, procfs: Fd): void {
  for (const { file, value, from } of plan.sysctl)
    asking(from, () => writeProc(procfs, `sys/${file}`, value));
}

/** Standard streams on the host's null device become the container's, so that no device node of the host is held. */
function reopenNullStdio(): void {
  const inside = tryOpenat(CWD, "/dev/null", O_RDWR);
  if (!failed(inside)) {
    const fd = inside;
    if (isNullDevice(fstat(fd)))
      for (const stream of STREAMS) if (isNullDevice(fstat(stream))) dup3(fd, stream, 0);
    close(fd);
  }
  // In a container without one.
  keepNullDevice();
}

/** Asks the parent; when it is gone this process has no reason to go on. */
function askOrEnd(channel: Fd, request: Request): void {
  if (!ask(channel, request)) exitGroup(1);
}

/** After the start `start` finds the error in the fifo, when this process has ended. */
function reportLate(fifo: Fd, error: unknown): void {
  const bytes = encodeUtf8(JSON.stringify(failureOf(error)));
  // A fifo holds 16 pages, and this one is empty.
  tryWrite(fifo, bytes.length <= 32 * 1024 ? bytes : encodeUtf8(JSON.stringify(TOO_LONG)));
}

const TOO_LONG: ChildFailure = { kind: "child", message: "an error too long to report" };
