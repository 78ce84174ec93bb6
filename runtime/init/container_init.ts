/**
 * The container's init process, from the fork to the execve of the user's program, in the order of the kernel. runc's
 * is libcontainer/standard_init_linux.go, Init, after what nsexec.c has done. Each step stands where it does because a
 * later one takes away what it needs:
 *
 * - Descriptors of the parent are closed first, before this process is in a namespace with anybody who could use them.
 * - Namespaces come next, then the dumpable flag, then a procfs of this pid namespace, while mounting is still allowed.
 *   All that is written to /proc from then on goes through it, whatever the image has at that path.
 * - A new cgroup namespace has as its root the cgroup in which it is made, so the cgroups are entered before it. With a
 *   small memory limit the process leaves again, and comes back when it needs least.
 * - Mounts need the host's paths, or what the parent opened of them, and so come before pivot_root. So do the hooks
 *   createRuntime and createContainer, which are looked up on the host. Masked and read-only paths are named by the
 *   descriptor of the root, before anything in the container runs.
 * - Sysctls, labels, the scheduler, limits and the bounding set need capabilities, so they come before the change of
 *   user; the change of user needs CAP_SETUID and CAP_SETGID, so capabilities come after it.
 * - The program is looked up as its user, and before "ready", so that what is wrong with it is an error of create.
 * - Before the wait for start, which may take days, all is closed that something in the container could climb into.
 * - The filter of seccomp is last, so that a profile has to allow execve and nothing else of the runtime's; but one that
 *   notifies comes before "ready", as the parent has to take its listener.
 *
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
import { type Fd, failed } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { umask } from "../../syscalls/working_directory.ts";
import { type ChildFailure, failureOf, tellFailure, tellNote } from "../channel.ts";
import { runHooks } from "../hooks/run.ts";
import { labelNextExec, withKeyLabel } from "../lsm/labels.ts";
import type { ContainerPlan } from "../plan/plan.ts";
import { openProcfs, writeProc } from "../proc/procfs.ts";
import { clearParentDeathSignal, closeAllBut, closeAllFrom, disinherit } from "../self/disinherit.ts";
import { cgroupDescriptors, enterCgroups } from "../self/enter_cgroup.ts";
import { raiseHardLimits, setLimits } from "../self/rlimits.ts";
import { resetAffinity, setScheduler } from "../self/scheduling.ts";
import { isNullDevice } from "../self/standard_streams.ts";
import { askOrEnd } from "./ask_or_end.ts";
import { becomeTerminal } from "./console.ts";
import { type CgroupMove, descriptorsIn, type InitContext } from "./context.ts";
import { applyCapabilities, becomeUser, dropBoundingSet, fixStdioPermissions } from "./identity.ts";
import { joinSessionKeyring } from "./keyring.ts";
import { enterNamespaces } from "./namespaces.ts";
import { applyPersonality, setIoPriority, setMemoryPolicy } from "./scheduling.ts";
import { handOverListener, loadFilter } from "./seccomp.ts";
import { setUpRootfs } from "./set_up_rootfs.ts";
import { keepNullDevice, useStreams } from "./streams.ts";
import {
  enterCwd,
  execProgram,
  findUserProgram,
  prepareProgram,
  tryEnterCwd,
  type UserProgram,
  verifyCwd,
  withHome,
} from "./user_program.ts";
import { waitForStart } from "./wait_for_start.ts";

function descriptorsOfInit({ fifo, namespaces, cgroupMoves }: InitContext): readonly (Fd | undefined)[] {
  const moves = Object.values<CgroupMove>({ ...cgroupMoves });
  const files = moves.flatMap((move) => (typeof move === "string" ? [] : cgroupDescriptors(move)));
  return [fifo, ...namespaces.map(({ fd }) => fd), ...files];
}

/** Runs in the child; never returns to its caller. */
export function containerInit(context: InitContext): never {
  const { channel, fifo } = context;
  let report = (error: unknown): void => tellFailure(channel, error);
  try {
    const ready = getReady(context);
    // From the start on nobody listens on the channel.
    if (fifo !== undefined) report = (error) => reportLate(fifo, error);
    startProgram(context, ready);
  } catch (error) {
    report(error);
    exitGroup(1);
  }
}

/** What is left when nothing of the host is. */
interface Ready {
  readonly program: UserProgram;
  readonly env: readonly string[];
  /** Open only where hooks are still to be run. */
  readonly procfs: Fd;
}

/** All that does not wait for the start. */
function getReady(context: InitContext): Ready {
  const { plan, channel, order } = context;
  setTraceLabel("[init] ");
  leaveParent(context);
  enterNamespaces(plan.namespaces, context.namespaces);
  if (plan.netDevices.length > 0) askOrEnd(channel, "net-devices");
  // A container that this process may already share namespaces with must not look into it (CVE-2016-9962).
  prctl(PR_SET_DUMPABLE, 0);
  const procfs = openProcfs();
  lookDescriptorsUpIn(procfs);
  setHostname(plan);
  enterCgroupNamespace(context);
  const callersUmask = umask(0);
  const slave = setUpRootfs(context, procfs, callersUmask);
  writeSysctls(plan, procfs);
  if (slave !== undefined) asking("process.terminal", () => becomeTerminal(slave));
  else reopenNullStdio();
  setUmask(plan, callersUmask);
  labelNextExec(procfs, plan.lsm);
  if (plan.process.noNewPrivileges) asking("process.noNewPrivileges", () => prctl(PR_SET_NO_NEW_PRIVS, 1));
  if (order.cgroupsBeforeScheduling) settleInCgroups(context);
  schedule(plan);
  becomeProcess(context, procfs);
  const env = withHome(plan.process.env, plan.process.uid);
  const program = prepareProgram(findUserProgram(plan.process.args[0] ?? "", env), plan.process.args, env);
  if (!order.cgroupsBeforeScheduling) settleInCgroups(context);
  closeHostFiles(context, procfs);
  // Only now is there a parent to take the listener; the rest of this process is then subject to the filter.
  if (context.seccomp?.notifies) handOverListener(channel, context.seccomp);
  askOrEnd(channel, "ready");
  return { program, env, procfs };
}

/** From the start to the execve. */
function startProgram(context: InitContext, { program, env, procfs }: Ready): never {
  const { plan, channel, fifo, preservedFds } = context;
  const filter = context.seccomp?.notifies ? undefined : context.seccomp;
  if (fifo !== undefined) {
    close(channel);
    waitForStart(fifo);
  }
  const hooks = plan.hooks.startContainer ?? [];
  if (hooks.length > 0) {
    runHooks("startContainer", hooks, {
      state: context.stateFor(getpid(), "created"),
      defaultEnv: () => env,
      // A hook may be a program of the image: it must not be freer than the container.
      beforeExec: filter === undefined ? undefined : () => loadFilter(filter),
    });
    lookDescriptorsUpIn(undefined);
    close(procfs);
  }
  disinherit();
  setLimits(plan.process.rlimits);
  closeAllFrom(3 + preservedFds);
  // After the wait for start, unlike runc: the profile is the program's, and whatever the runtime does between
  // loading it and execve (poll, read, close, sigaction, prlimit) would have to be allowed in it.
  if (filter !== undefined) loadFilter(filter);
  execProgram(program);
}

/** A session, streams and a keyring of its own; of what the parent has open it keeps what is its own. */
function leaveParent(context: InitContext): void {
  const { plan } = context;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The state directory is the lock as well: kept open it would stay locked as long as the container waits. What is
  // not in the context besides: the parent's ends, its secrets, a descriptor of the cgroup in which clone3 has put the
  // process.
  closeAllBut([...descriptorsIn(context), ...descriptorsOfInit(context)], context.preservedFds);
  useStreams(context.streams);
  if (plan.keyring !== "") withKeyLabel(plan.lsm.processLabel, () => joinSessionKeyring(plan.keyring));
  trySetsid();
}

function setHostname({ hostname, domainname }: ContainerPlan): void {
  if (hostname !== "") asking("hostname", () => sethostname(hostname));
  if (domainname !== "") asking("domainname", () => setdomainname(domainname));
}

/** cgroup_namespaces(7): the root of the namespace is the cgroup that the process is in now. */
function enterCgroupNamespace(context: InitContext): void {
  const { plan, order, cgroupMoves } = context;
  if (order.joinsEarly) move(context, cgroupMoves.join);
  if (plan.namespaces.create & CLONE_NEWCGROUP) asking("linux.namespaces", () => unshare(CLONE_NEWCGROUP));
  move(context, cgroupMoves.leaveMemory);
}

function move({ channel, cgroupField }: InitContext, into: CgroupMove): void {
  if (typeof into === "string") askOrEnd(channel, into);
  else asking(cgroupField, () => enterCgroups(into, (note) => tellNote(channel, note)));
}

/** Into the cgroups to stay there, and onto all the CPUs that they allow. */
function settleInCgroups(context: InitContext): void {
  const { plan, channel, order, cgroupMoves } = context;
  if (plan.namespaces.own & CLONE_NEWUSER) askOrEnd(channel, "limits");
  if (!order.joinsEarly) move(context, cgroupMoves.join);
  move(context, cgroupMoves.rejoinMemory);
  resetAffinity((note) => tellNote(channel, note));
}

function setUmask({ process, namespaces }: ContainerPlan, callersUmask: number): void {
  // As runc: 0022 belongs to a container's own file system; without one the caller's umask stays.
  const ownMounts = (namespaces.own & CLONE_NEWNS) !== 0;
  asking(process.umask === undefined ? undefined : "process.user.umask", () =>
    umask(process.umask ?? (ownMounts ? 0o022 : callersUmask)),
  );
}

function schedule({ process, personality, memoryPolicy }: ContainerPlan): void {
  setScheduler(process.scheduler);
  setIoPriority(process.ioPriority);
  applyPersonality(personality);
  setMemoryPolicy(memoryPolicy);
}

/** Who the process is, what it may do, where it is. */
function becomeProcess({ plan, channel }: InitContext, procfs: Fd): void {
  const { process } = plan;
  // From within a user namespace no limit can be raised; the parent does it then.
  if ((plan.namespaces.own & CLONE_NEWUSER) === 0) raiseHardLimits(process.rlimits, 0);
  dropBoundingSet(process.capabilities);
  fixStdioPermissions(process.uid);
  // The directory may be open only to root (before) or only to the user (after).
  const entered = tryEnterCwd(process.cwd);
  becomeUser(process, procfs);
  if (!entered) enterCwd(process.cwd);
  for (const note of applyCapabilities(process.capabilities, plan.filterNeedsSysAdmin))
    tellNote(channel, note);
  verifyCwd();
}

/**
 * From here the parent may end at any time; what tells of its death before "go" is the channel. While it waits, perhaps
 * for days, the process holds no directory of ours that something in the container could climb into, no file of the
 * host's but the fifo, and nothing of the caller's that is not for the program.
 */
function closeHostFiles({ plan, channel, fifo, preservedFds }: InitContext, procfs: Fd): void {
  clearParentDeathSignal();
  const hooked = (plan.hooks.startContainer ?? []).length > 0;
  if (!hooked) lookDescriptorsUpIn(undefined);
  closeAllBut([channel, fifo, hooked ? procfs : undefined], preservedFds);
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

/** After the start `start` finds the error in the fifo, when this process has ended. */
function reportLate(fifo: Fd, error: unknown): void {
  const bytes = encodeUtf8(JSON.stringify(failureOf(error)));
  // A fifo holds 16 pages, and this one is empty.
  tryWrite(fifo, bytes.length <= 32 * 1024 ? bytes : encodeUtf8(JSON.stringify(TOO_LONG)));
}

const TOO_LONG: ChildFailure = { kind: "child", message: "an error too long to report" };
