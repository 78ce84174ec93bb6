/**
 * The process that exec puts into a running container, from the fork to the execve. It enters a place where hostile
 * processes already run: it is not dumpable before it is there (CVE-2016-9962), its program file is sealed
 * (CVE-2019-5736), and it holds no directory of the host.
 */
import { CWD, close, O_DIRECTORY, O_PATH, openat, umask } from "../../syscalls/file.ts";
import { setns } from "../../syscalls/namespace.ts";
import { PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, prctl } from "../../syscalls/prctl.ts";
import { exitGroup, trySetsid } from "../../syscalls/process.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { setTraceLabel } from "../../syscalls/trace.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { openProcfs } from "../path/procfs.ts";
import type { LsmPlan } from "../plan/lsm.ts";
import type { MemoryPolicyPlan } from "../plan/memory_policy.ts";
import type { ProcessPlan } from "../plan/process.ts";
import { becomeTerminal, openConsole } from "./console.ts";
import {
  clearParentDeathSignal,
  closeAllFrom,
  raiseHardLimits,
  resetSignals,
  setLimits,
} from "./disinherit.ts";
import { goThrough, openCgroupDoors } from "./enter_cgroup.ts";
import { applyCapabilities, becomeUser, dropBoundingSet, ownStdio } from "./identity.ts";
import { joinSessionKeyring } from "./keyring.ts";
import { labelNextExec, withKeyLabel } from "./lsm.ts";
import { setDomain, setIoPriority, setMemoryPolicy, setScheduler } from "./scheduling.ts";
import { ask, tellFailure, tellNote } from "./sync.ts";
import {
  enterCwd,
  execProgram,
  findProgram,
  prepareProgram,
  requireCwdInside,
  tryEnterCwd,
  withHome,
} from "./user_program.ts";

/** What the parent hands to the child: plain values and descriptors, all made before the fork. */
export interface SetnsContext {
  readonly process: ProcessPlan;
  readonly channel: Fd;
  /** The container's init process, whose namespaces are joined. */
  readonly init: Fd;
  /** CLONE_NEW* of those to join; the pid namespace came with the fork. */
  readonly namespaces: number;
  /** Files by which the process enters the container's cgroups. */
  readonly cgroups: readonly HostPath[];
  readonly keyring: string;
  readonly lsm: LsmPlan;
  /** Those of the container, which the process does not inherit as it is no child of its init. */
  readonly personality: number | undefined;
  readonly memoryPolicy: MemoryPolicyPlan | undefined;
  readonly consoleSocket: Fd | undefined;
  readonly preservedFds: number;
}

/** Runs in the child; never returns to its caller. */
export function setnsInit(context: SetnsContext): never {
  try {
    enter(context);
  } catch (error) {
    tellFailure(context.channel, error);
    exitGroup(255);
  }
}

function enter(context: SetnsContext): never {
  const { process, channel } = context;
  setTraceLabel("[exec] ");
  prctl(PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE");
  prctl(PR_SET_PDEATHSIG, SIGKILL, "PR_SET_PDEATHSIG");
  if (context.keyring !== "")
    withKeyLabel(context.lsm.processLabel, () => joinSessionKeyring(context.keyring));
  labelBeforeEntering(context.lsm);
  trySetsid();
  const cgroups = openCgroupDoors(context.cgroups);
  if (context.namespaces !== 0) setns(context.init, context.namespaces, "the container's namespaces");
  close(context.init);

  const slave =
    context.consoleSocket === undefined ? undefined : openContainerConsole(context.consoleSocket, process);
  if (slave !== undefined) becomeTerminal(slave);
  if (process.umask !== undefined) umask(process.umask);
  if (process.noNewPrivileges) prctl(PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS");
  // Which CPUs and nodes the process may use is its cgroup's to say first; else it joins last.
  const settled = process.scheduler !== undefined || context.memoryPolicy !== undefined;
  if (settled) goThrough(cgroups);
  setScheduler(process.scheduler);
  setIoPriority(process.ioPriority);
  setDomain(context.personality);
  setMemoryPolicy(context.memoryPolicy);
  raiseHardLimits(process.rlimits, 0);
  dropBoundingSet(process.capabilities);
  ownStdio(process.uid);
  const entered = tryEnterCwd(process.cwd);
  becomeUser(process);
  if (!entered) enterCwd(process.cwd);
  for (const note of applyCapabilities(process.capabilities)) tellNote(channel, note);
  requireCwdInside();

  const env = withHome(process.env, process.uid);
  const program = prepareProgram(findProgram(process.args[0] ?? "", env), process.args, env);
  // Last, so that a small memory or pids limit need not hold the engine longer than it must.
  if (!settled) goThrough(cgroups);
  clearParentDeathSignal();
  if (!ask(channel, "ready")) exitGroup(255);
  resetSignals();
  setLimits(process.rlimits);
  closeAllFrom(3 + context.preservedFds);
  execProgram(program);
}

/** The labels of the next execve are written while the procfs is surely ours and no directory of it is carried in. */
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
