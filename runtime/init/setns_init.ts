/**
 * The two processes by which exec comes into a running container, where hostile processes already look for what they
 * can reach. The first joins every namespace and becomes all that the user's program is to be, but is never seen by
 * the container, as its pid namespace is still the runtime's; the second is forked inside. So at no moment is there a
 * process in the container's pid namespace that can do more than the user's program, or that has the host's root, its
 * working directory or a directory of it in reach: a container with CAP_SYS_PTRACE opens /proc/<pid>/root of whatever
 * it sees, and takes it over. Without that capability it is kept out by their not being dumpable (CVE-2016-9962), and
 * their program file is sealed (CVE-2019-5736).
 */

import { asking } from "../../syscalls/asking.ts";
import { capset } from "../../syscalls/capability.ts";
import { EINVAL, EPERM } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_PATH, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { STDIN } from "../../syscalls/descriptor.ts";
import { lookDescriptorsUpIn } from "../../syscalls/descriptor_name.ts";
import { OpError } from "../../syscalls/error.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { CLONE_NEWNS, CLONE_NEWUSER, trySetns } from "../../syscalls/namespace.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, prctl } from "../../syscalls/prctl.ts";
import { CLONE_PARENT, exitGroup, trySetsid } from "../../syscalls/process.ts";
import { closing, Owner, scope } from "../../syscalls/scope.ts";
import { SIGKILL, setSignalMask } from "../../syscalls/signal.ts";
import { setTraceLabel } from "../../syscalls/trace.ts";
import { setControllingTerminal } from "../../syscalls/tty.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { chroot, fchdir, umask } from "../../syscalls/working_directory.ts";
import { ask, tellFailure, tellForked, tellNote } from "../channel.ts";
import { namesOf, namespaceFiles, namespaceFlags } from "../config/names.ts";
import { labelNextExec, withKeyLabel } from "../lsm/labels.ts";
import type { LsmPlan } from "../plan/lsm.ts";
import type { MemoryPolicyPlan } from "../plan/memory_policy.ts";
import type { ProcessPlan } from "../plan/process.ts";
import { openDirectory, type ProcessHandle } from "../proc/process_handle.ts";
import { closeAllBut, closeAllFrom } from "../self/disinherit.ts";
import { enterAsRoot } from "../self/enter_as_root.ts";
import { type CgroupFile, enterCgroups, openCgroupFiles } from "../self/enter_cgroup.ts";
import { fork } from "../self/fork.ts";
import { hideArguments } from "../self/hide_arguments.ts";
import { resetIgnoredSignals } from "../self/ignored_signals.ts";
import { writeOomScore } from "../self/oom_score.ts";
import { raiseHardLimits, setLimits } from "../self/rlimits.ts";
import { openConsole, useForStdio } from "./console.ts";
import { type ChildContext, descriptorsIn } from "./context.ts";
import { applyCapabilities, becomeUser, dropBoundingSet, fixStdioPermissions } from "./identity.ts";
import { joinSessionKeyring } from "./keyring.ts";
import { applyPersonality, setIoPriority, setMemoryPolicy } from "./scheduling.ts";
import { handOverListener, loadFilter } from "./seccomp.ts";
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

/** What the parent hands to the children: plain values and descriptors, all made before the fork. */
export interface SetnsContext extends ChildContext {
  readonly process: ProcessPlan;
  /** Where the first process tells of the second. */
  readonly pidChannel: Fd;
  /** The container's init process, whose namespaces are joined. */
  readonly init: ProcessHandle;
  /** CLONE_NEW* of those to join. */
  readonly namespaces: number;
  /** Files by which the process enters the container's cgroups. */
  readonly cgroups: readonly HostPath[];
  /** Another one for the unified hierarchy, should it take no processes there. */
  readonly initCgroupFile: HostPath | undefined;
  /** Where there is no right to a cgroup the process stays in the runtime's. */
  readonly mayStayOut: boolean;
  readonly keyring: string;
  readonly lsm: LsmPlan;
  /** Of the plan (plan/exec.ts). */
  readonly filterNeedsSysAdmin: boolean;
  readonly loadsBeforeFork: boolean;
  /** Those of the container, which the process does not inherit as it is no child of its init. */
  readonly personality: number | undefined;
  readonly memoryPolicy: MemoryPolicyPlan | undefined;
}

/** The first process; never returns to its caller. */
export function enterContainer(context: SetnsContext): never {
  try {
    enter(context);
  } catch (error) {
    tellFailure(context.pidChannel, error);
    exitGroup(255);
  }
}

function enter(context: SetnsContext): never {
  const { process, pidChannel, init } = context;
  setTraceLabel("[enter] ");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  closeAllBut([...descriptorsIn(context), pidChannel, init.fd], context.preservedFds);
  useStreams(context.streams);
  keepNullDevice();
  const procfs = openat(CWD, "/proc", O_RDONLY | O_DIRECTORY);
  lookDescriptorsUpIn(procfs);
  const cgroupFiles = leaveHost(context, procfs);
  // Joining a mount namespace goes to its root; without one that is the runtime's own, and the container's a chroot.
  if ((context.namespaces & CLONE_NEWNS) === 0) changeRoot(procfs, context);
  joinNamespaces(context, procfs);
  close(init.fd);
  useContainerConsole(context);
  // A mask of memory nodes is one of the cgroup's; otherwise the second process joins, when it needs least.
  if (context.memoryPolicy !== undefined)
    enterCgroups(cgroupFiles.splice(0), (note) => tellNote(context.channel, note), context.mayStayOut);
  becomeProcess(context, procfs);
  const env = withHome(process.env, process.uid);
  const program = prepareProgram(findUserProgram(process.args[0] ?? "", env), process.args, env);
  closeAllFrom(3 + context.preservedFds);
  // Dispositions are inherited; the mask stays until the end, so that a signal does not come in between.
  resetIgnoredSignals();
  const child = fork(CLONE_PARENT, () => setnsInit(context, cgroupFiles, program), {
    filtered: context.loadsBeforeFork,
    lastly: () => {
      lookDescriptorsUpIn(undefined);
      close(procfs);
      if (context.loadsBeforeFork) loadAndDrop(context);
    },
  });
  tellForked(pidChannel, child.pid, child.pidfd);
  exitGroup(0);
}

/** Goes to the root of the container's init process; not what runc does, whose exec is at large on the host. */
function changeRoot(procfs: Fd, { init }: SetnsContext): void {
  scope((owner) => {
    const directory = owner.own(openDirectory(init, procfs));
    fchdir(owner.own(openat(directory, "root", O_PATH | O_DIRECTORY)));
    chroot(".");
  });
}

/** By one call: the rights to them are checked for who this process was before, whatever user namespaces own them. */
function joinNamespaces({ init, namespaces, process }: SetnsContext, procfs: Fd): void {
  const enter = () => {
    // Before Linux 5.8 it is EINVAL for every pidfd.
    const result = init.isPidfd ? trySetns(init.fd, namespaces) : -EINVAL;
    if (result >= 0) return;
    if (result === -EINVAL) return joinOneByOne(init, namespaces, procfs);
    const error = OpError.from("setns", "the container's namespaces", -result);
    if (result !== -EPERM || geteuid() === 0) throw error;
    throw error.because("an ordinary user can enter a container only when it has been started");
  };
  const from = { gid: "linux.gidMappings", uid: "linux.uidMappings" };
  if (namespaces & CLONE_NEWUSER) enterAsRoot(enter, from, process.keepGroups);
  else if (namespaces !== 0) enter();
}

/** What there is a right to before the user namespace is joined before it, the rest after it (setns(2)). */
function joinOneByOne(init: ProcessHandle, namespaces: number, procfs: Fd): void {
  scope((owner) => {
    const directory = owner.own(openDirectory(init, procfs));
    const types = namesOf(namespaceFlags)
      .filter((type) => namespaces & namespaceFlags[type])
      .map((type) => ({ type, fd: owner.own(openat(directory, `ns/${namespaceFiles[type]}`, O_RDONLY)) }));
    const join = ({ type, fd }: (typeof types)[number], later: number): boolean => {
      const result = trySetns(fd, namespaceFlags[type]);
      if (result < 0 && result !== later)
        throw OpError.from(`join ${type} namespace`, "of the container", -result);
      return result >= 0;
    };
    const left = types.filter((each) => each.type === "user" || !join(each, -EPERM));
    for (const each of left) join(each, 0);
  });
}

/** What can be done only while the host's files and rights are there; the rest of the host is left behind. */
function leaveHost(context: SetnsContext, procfs: Fd): CgroupFile[] {
  const { process, lsm } = context;
  if (context.keyring !== "") withKeyLabel(lsm.processLabel, () => joinSessionKeyring(context.keyring));
  writeOomScore(process.oomScoreAdj, "self");
  hideArguments(procfs);
  labelNextExec(procfs, lsm);
  prctl(PR_SET_DUMPABLE, 0);
  // From within a user namespace no limit can be raised.
  raiseHardLimits(process.rlimits, 0);
  return openCgroupFiles(context.cgroups, new Owner(), context.initCgroupFile, context.mayStayOut);
}

/** The pty comes from the container's own devpts; its /dev/console, if any, is the init process's. */
function useContainerConsole({ consoleSocket, process }: SetnsContext): void {
  if (consoleSocket === undefined) return;
  asking("process.terminal", () =>
    closing(openat(CWD, "/", O_PATH | O_DIRECTORY), (root) =>
      useForStdio(openConsole(root, consoleSocket, process.consoleSize)),
    ),
  );
}

/** Everything that a fork hands on: who the process is, what it may do, where it is. */
function becomeProcess(context: SetnsContext, procfs: Fd): void {
  const { process, personality, memoryPolicy, channel } = context;
  const { umask: mask } = process;
  if (mask !== undefined) asking("process.user.umask", () => umask(mask));
  if (process.noNewPrivileges) asking("process.noNewPrivileges", () => prctl(PR_SET_NO_NEW_PRIVS, 1));
  setIoPriority(process.ioPriority);
  applyPersonality(personality);
  setMemoryPolicy(memoryPolicy);
  dropBoundingSet(process.capabilities);
  fixStdioPermissions(process.uid);
  // The directory may be open only to root (before) or only to the user (after).
  const entered = tryEnterCwd(process.cwd);
  becomeUser(process, procfs);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!entered) enterCwd(process.cwd);
  for (const note of applyCapabilities(process.capabilities, context.filterNeedsSysAdmin))
    tellNote(channel, note);
  verifyCwd();
}

function loadAndDrop({ seccomp, process }: SetnsContext): void {
  if (seccomp !== undefined) loadFilter(seccomp);
  capset(process.capabilities);
}

/** The second process, which becomes the user's program. */
function setnsInit(context: SetnsContext, cgroupFiles: readonly CgroupFile[], program: UserProgram): never {
  try {
    start(context, cgroupFiles, program);
  } catch (error) {
    tellFailure(context.channel, error);
    exitGroup(255);
  }
}

/** What is not inherited. The parent's death ends it by the end of the channel. */
function start(context: SetnsContext, cgroupFiles: readonly CgroupFile[], program: UserProgram): never {
  const { process, channel, seccomp, consoleSocket } = context;
  setTraceLabel("[exec] ");
  trySetsid();
  if (consoleSocket !== undefined) asking("process.terminal", () => setControllingTerminal(STDIN));
  enterCgroups(cgroupFiles, (note) => tellNote(channel, note), context.mayStayOut);
  if (seccomp?.notifies) handOverListener(channel, seccomp);
  if (!ask(channel, "ready")) exitGroup(255);
  setSignalMask(0n);
  setLimits(process.rlimits);
  if (seccomp !== undefined && !seccomp.notifies && !context.loadsBeforeFork) loadFilter(seccomp);
  execProgram(program);
}
