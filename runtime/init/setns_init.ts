/**
 * The two processes by which exec comes into a running container, where hostile processes already look for what they
 * can reach. The first joins every namespace but is never seen by the container, as its pid namespace is still the
 * runtime's; the second is born inside. So at no moment is there a process in the container's pid namespace that
 * has the host's root, its working directory or a directory of it in reach: with CAP_SYS_PTRACE a container opens
 * /proc/<pid>/root of whatever it sees. Without that capability it is kept out by their not being dumpable
 * (CVE-2016-9962), and their program file is sealed (CVE-2019-5736).
 */
import {
  CWD,
  close,
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  openat,
  readTextAt,
  seekTo,
  umask,
  writeAll,
  writeTextAt,
} from "../../syscalls/file.ts";
import { CLONE_NEWUSER, setns } from "../../syscalls/namespace.ts";
import { PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, prctl } from "../../syscalls/prctl.ts";
import { CLONE_PARENT, exitGroup, trySetsid } from "../../syscalls/process.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { setTraceLabel, traceDescriptor } from "../../syscalls/trace.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { openProcfs } from "../path/procfs.ts";
import type { LsmPlan } from "../plan/lsm.ts";
import type { MemoryPolicyPlan } from "../plan/memory_policy.ts";
import type { ProcessPlan } from "../plan/process.ts";
import { fork } from "../process/fork.ts";
import type { SeccompFilter } from "../seccomp/filter.ts";
import { becomeTerminal, openConsole } from "./console.ts";
import {
  clearParentDeathSignal,
  closeAllBut,
  closeAllFrom,
  raiseHardLimits,
  resetSignals,
  setLimits,
} from "./disinherit.ts";
import { type CgroupDoor, goThrough, openCgroupDoors } from "./enter_cgroup.ts";
import { applyCapabilities, becomeRoot, becomeUser, dropBoundingSet, ownStdio } from "./identity.ts";
import { joinSessionKeyring } from "./keyring.ts";

import { labelNextExec, withKeyLabel } from "./lsm.ts";
import { setDomain, setIoPriority, setMemoryPolicy, setScheduler } from "./scheduling.ts";

import { ableToLoad, handOverListener, loadFilter } from "./seccomp.ts";
import { ask, tellFailure, tellForked, tellNote } from "./sync.ts";

import {
  enterCwd,
  execProgram,
  findProgram,
  prepareProgram,
  requireCwdInside,
  tryEnterCwd,
  withHome,
} from "./user_program.ts";

/** What the parent hands to the children: plain values and descriptors, all made before the fork. */
export interface SetnsContext {
  readonly process: ProcessPlan;
  /** Where the first process tells of the second. */
  readonly birth: Fd;
  /** Where the second process and the parent talk. */
  readonly channel: Fd;
  /** The container's init process, whose namespaces are joined. */
  readonly init: Fd;
  /** CLONE_NEW* of those to join. */
  readonly namespaces: number;
  /** Files by which the process enters the container's cgroups. */
  readonly cgroups: readonly HostPath[];
  readonly keyring: string;
  readonly lsm: LsmPlan;
  /** The container's filter, compiled; every process in it is subject to it. */
  readonly seccomp: SeccompFilter | undefined;
  /** Those of the container, which the process does not inherit as it is no child of its init. */
  readonly personality: number | undefined;
  readonly memoryPolicy: MemoryPolicyPlan | undefined;
  readonly consoleSocket: Fd | undefined;
  /** Descriptors 3 to 2+N are the user's. */
  readonly preservedFds: number;
}

/** The first process; never returns to its caller. */
export function enterContainer(context: SetnsContext): never {
  try {
    enter(context);
  } catch (error) {
    tellFailure(context.birth, error);
    exitGroup(255);
  }
}

function enter(context: SetnsContext): never {
  const { process, birth, channel, init, consoleSocket } = context;
  setTraceLabel("[enter] ");
  prctl(PR_SET_PDEATHSIG, SIGKILL, "PR_SET_PDEATHSIG");
  if (context.keyring !== "")
    withKeyLabel(context.lsm.processLabel, () => joinSessionKeyring(context.keyring));
  const procfs = openat(CWD, "/proc", O_RDONLY | O_DIRECTORY);
  if (process.oomScoreAdj !== undefined)
    writeTextAt(procfs, "self/oom_score_adj", O_WRONLY, String(process.oomScoreAdj));
  hideArguments(procfs);
  const doors = openCgroupDoors(context.cgroups);
  const kept = [birth, channel, init, procfs, consoleSocket ?? channel, ...doors.map(({ fd }) => fd)];
  const users = Array.from({ length: context.preservedFds }, (_, i) => (3 + i) as Fd);
  closeAllBut([...kept, ...users, ...(traceDescriptor() < 0 ? [] : [traceDescriptor() as Fd])]);
  if (context.namespaces !== 0) setns(init, context.namespaces, "the container's namespaces");
  if (context.namespaces & CLONE_NEWUSER) becomeRoot();
  close(init);
  const child = fork(CLONE_PARENT, () => setnsInit(context, doors), {
    procfs: { directory: procfs, prefix: "" },
    lastly: () => close(procfs),
  });
  tellForked(birth, child.pid, child.pidfd);
  exitGroup(0);
}

/** /proc/<pid>/cmdline is for everybody to read, and ours names paths of the host: it is overwritten in memory. */
function hideArguments(procfs: Fd): void {
  const stat = readTextAt(procfs, "self/stat");
  // Fields 48 and 49 of proc_pid_stat(5); the second may hold blanks.
  const [start = "0", end = "0"] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(45, 47);
  const memory = openat(procfs, "self/mem", O_WRONLY);
  seekTo(memory, Number(start));
  writeAll(memory, new Uint8Array(Number(end) - Number(start)), "/proc/self/mem");
  close(memory);
}

/** The second process, which becomes the user's program. */
function setnsInit(context: SetnsContext, doors: readonly CgroupDoor[]): never {
  try {
    start(context, doors);
  } catch (error) {
    tellFailure(context.channel, error);
    exitGroup(255);
  }
}

function start(context: SetnsContext, doors: readonly CgroupDoor[]): never {
  const { process, channel, seccomp } = context;
  setTraceLabel("[exec] ");
  close(context.birth);
  // Not inherited across fork, unlike the state of not being dumpable.
  prctl(PR_SET_PDEATHSIG, SIGKILL, "PR_SET_PDEATHSIG");
  labelBeforeEntering(context.lsm);
  trySetsid();
  const slave =
    context.consoleSocket === undefined ? undefined : openContainerConsole(context.consoleSocket, process);
  if (slave !== undefined) becomeTerminal(slave);
  if (process.umask !== undefined) umask(process.umask);
  if (process.noNewPrivileges) prctl(PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS");
  // Which CPUs and nodes the process may use is its cgroup's to say first; else it joins last.
  const settled = process.scheduler !== undefined || context.memoryPolicy !== undefined;
  if (settled) goThrough(doors);
  setScheduler(process.scheduler);
  setIoPriority(process.ioPriority);
  setDomain(context.personality);
  setMemoryPolicy(context.memoryPolicy);
  raiseHardLimits(process.rlimits, 0);
  dropBoundingSet(process.capabilities);
  ownStdio(process.uid);
  // The directory may be open only to root (before) or only to the user (after).
  const entered = tryEnterCwd(process.cwd);
  becomeUser(process);
  // A change of ids undoes both (prctl(2)): with the sysctl fs.suid_dumpable the process could be looked into.
  prctl(PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE");
  prctl(PR_SET_PDEATHSIG, SIGKILL, "PR_SET_PDEATHSIG");
  if (!entered) enterCwd(process.cwd);
  // As in container_init.ts: the right to load the filter, which execve takes away again.
  const needsRight = seccomp !== undefined && !process.noNewPrivileges;
  const capabilities = needsRight ? ableToLoad(process.capabilities) : process.capabilities;
  for (const note of applyCapabilities(capabilities)) tellNote(channel, note);
  requireCwdInside();

  const env = withHome(process.env, process.uid);
  const program = prepareProgram(findProgram(process.args[0] ?? "", env), process.args, env);
  // Last, so that a small memory or pids limit need not hold the engine longer than it must.
  if (!settled) goThrough(doors);
  clearParentDeathSignal();
  if (seccomp?.notifies) handOverListener(channel, seccomp);
  if (!ask(channel, "ready")) exitGroup(255);
  resetSignals();
  setLimits(process.rlimits);
  closeAllFrom(3 + context.preservedFds);
  if (seccomp !== undefined && !seccomp.notifies) loadFilter(seccomp);
  execProgram(program);
}

/** The labels of the next execve are written through a procfs of our own, which is closed at once. */
function labelBeforeEntering(lsm: LsmPlan): void {
  if (lsm.apparmorProfile === "" && lsm.processLabel === "") return;
  const procfs = openProcfs();
  labelNextExec(procfs, lsm);
  close(procfs);
}

/** The pty comes from the container's own devpts; its /dev/console, if any, is the init process's. */
function openContainerConsole(socket: Fd, process: ProcessPlan): Fd {
  const root = openat(CWD, "/", O_PATH | O_DIRECTORY);
  const slave = openConsole(root, socket, process.consoleSize);
  close(root);
  return slave;
}
