/** Cgroup v1 and hybrid hosts: the same directory in each hierarchy, the unified one of a hybrid included. */

import { EACCES, EBUSY, ENOENT, EPERM } from "../../syscalls/constants/errno.ts";
import { O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { OpError } from "../../syscalls/error.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { tryWrite } from "../../syscalls/io.ts";
import { tryOpenat } from "../../syscalls/open.ts";
import { sleepMs } from "../../syscalls/poll.ts";
import { closing } from "../../syscalls/scope.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { type Fd, failed, type HostPath, type Pid } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import type { CgroupPaths } from "../plan/cgroup/hierarchies.ts";
import type { CgroupPlan, CgroupWrite } from "../plan/cgroup/write.ts";
import {
  gone,
  isMounted,
  performWrites,
  readControl,
  tryReadControl,
  tryWriteControl,
  writeControl,
} from "./control_file.ts";
import { explainCpuset } from "./cpuset.ts";
import {
  directoryExists,
  makeDirectories,
  nearestDirectory,
  parentOf,
  removeDirectories,
  tryJoin,
  unmakeDirectories,
} from "./directory.ts";
import type { CgroupManager, FreezerState } from "./manager.ts";
import { signalFrozen } from "./signal_all.ts";
import { processesBelow, walkTree } from "./tree.ts";
import { requireUsable } from "./usable.ts";

const FREEZE_ATTEMPTS = 1000;

/** One directory a hierarchy; co-mounted controllers share theirs. */
export class CgroupV1 implements CgroupManager {
  readonly driver = "cgroupfs";
  private readonly directories: readonly HostPath[];

  constructor(readonly paths: CgroupPaths) {
    this.directories = [...new Set(Object.values(paths))];
  }

  create(plan: CgroupPlan): void {
    const made: HostPath[] = [];
    try {
      for (const directory of this.directories) makeDirectories(directory, made);
      this.makeEnterable(plan);
    } catch (error) {
      unmakeDirectories(made);
      throw error;
    }
  }

  apply(plan: CgroupPlan): void {
    this.perform(plan.writes);
  }

  update(plan: CgroupPlan): void {
    this.apply(plan);
  }

  requireUsable(): void {
    const freezer = this.paths.freezer && nearestDirectory(this.paths.freezer);
    const state = freezer && tryReadControl(freezer, "freezer.state"); // the root has none
    requireUsable(this, state !== undefined && state !== "THAWED" ? freezer : undefined);
  }

  join(pid: Pid): void {
    for (const directory of this.directories) {
      const result = tryJoin(directory, pid);
      if (result < 0) throw OpError.from("write", `${directory}/cgroup.procs`, -result, `to move pid ${pid}`);
    }
  }

  processes(): readonly Pid[] {
    const directory = this.main();
    return directory === undefined ? [] : processesBelow(directory);
  }

  /** FREEZING counts as frozen: somebody asked for it and new processes stop at once. */
  freezerState(): FreezerState {
    const { freezer } = this.paths;
    return freezer !== undefined && tryReadControl(freezer, "freezer.self_freezing") === "1"
      ? "frozen"
      : "thawed";
  }

  /**
   * A task that forks while it is being frozen keeps the state at FREEZING; writing FROZEN again picks up the
   * new ones, and letting everything run for a moment gets tasks out of places where they cannot stop.
   */
  freeze(): void {
    const freezer = this.freezer();
    for (let attempt = 1; attempt <= FREEZE_ATTEMPTS; attempt++) {
      writeControl(freezer, "freezer.state", "FROZEN");
      if (readControl(freezer, "freezer.state") === "FROZEN") return;
      if (attempt % 50 === 0) {
        writeControl(freezer, "freezer.state", "THAWED");
        sleepMs(10);
      } else if (attempt > 10) sleepMs(0.1);
    }
    this.thaw();
    throw OpError.from("freeze", freezer, EBUSY, "unable to freeze; it was thawed again");
  }

  thaw(): void {
    const { freezer } = this.paths;
    if (freezer === undefined) return;
    const result = tryWriteControl(freezer, "freezer.state", "THAWED");
    if (result < 0 && !gone.includes(-result)) throw OpError.from("thaw", freezer, -result);
  }

  thawAll(): void {
    const { freezer } = this.paths;
    if (freezer !== undefined) walkTree(freezer, thawOne);
  }

  /** The unified hierarchy of a hybrid kills the whole subtree in one write, since kernel 5.14. */
  killAll(signal: number): void {
    const unified = this.paths[""];
    const kill = signal === SIGKILL && unified !== undefined;
    if (!kill || tryWriteControl(unified, "cgroup.kill", "1") < 0 || this.hasStrays(unified))
      signalFrozen(this, signal);
    if (signal === SIGKILL) this.thawAll();
  }

  /** Whether a process has left the unified hierarchy, as a privileged container can, but not the others. */
  private hasStrays(unified: HostPath): boolean {
    const processes = this.processes();
    const there = new Set(processesBelow(unified));
    return processes.some((pid) => !there.has(pid));
  }

  remove(): void {
    removeDirectories(this.directories);
  }

  exists(): boolean {
    const directory = this.main();
    return directory !== undefined && directoryExists(directory);
  }

  /**
   * cpuset(7): a new cpuset is empty, and nothing can be attached to an empty one. What the configuration says
   * comes first, as all that the parent has may include what a sibling has for itself. sched-rt-group.rst: a
   * cgroup without realtime takes no process that is scheduled so.
   */
  private makeEnterable({ writes }: CgroupPlan): void {
    const { cpuset } = this.paths;
    const files = ["cpuset.cpus", "cpuset.mems"];
    if (cpuset !== undefined) for (const file of files) inherit(parentOf(cpuset), file);
    this.perform(writes.filter(({ file }) => files.includes(file) || file.startsWith("cpu.rt_")));
    if (cpuset !== undefined) for (const file of files) inherit(cpuset, file);
  }

  private perform(writes: readonly CgroupWrite[]): void {
    performWrites(writes, (controller) => this.paths[controller], explain);
  }

  /** The hierarchy that is asked for its processes: the one that can stop them. */
  private main(): HostPath | undefined {
    return this.paths.freezer ?? this.paths.devices ?? this.directories[0];
  }

  private freezer(): HostPath {
    const { freezer } = this.paths;
    if (freezer !== undefined) return freezer;
    const reason = isMounted("freezer")
      ? "container could not join or create cgroup"
      : "the freezer controller is not mounted on this host";
    throw OpError.from("freeze", "cgroup", ENOENT, reason);
  }
}

/** The value of a cpuset file, copied from the nearest ancestor that has one into all below it. */
function inherit(directory: HostPath, file: string): string {
  const value = readControl(directory, file);
  if (value !== "") return value;
  const inherited = inherit(parentOf(directory), file);
  writeControl(directory, file, inherited);
  return inherited;
}

function thawOne(directory: Fd): void {
  const file = tryOpenat(directory, "freezer.state", O_WRONLY);
  if (failed(file)) return;
  closing(file, () => tryWrite(file, encodeUtf8("THAWED")));
}

function explain(directory: HostPath, { file, value }: CgroupWrite, errno: number): string | undefined {
  if (errno === ENOENT) return "this kernel does not have the file";
  const cpuset = file === "cpuset.cpus" || file === "cpuset.mems";
  // cpuset(7) "EACCES": not within the parent's; an open for writing is refused to others with the same errno.
  if (cpuset && (errno !== EACCES || geteuid() === 0))
    return explainCpuset(directory, file, file, value, errno);
  if (errno === EACCES || errno === EPERM) return "not delegated: the cgroup belongs to another user";
  if (errno === EBUSY && file === "memory.limit_in_bytes") {
    const usage = tryReadControl(directory, "memory.usage_in_bytes");
    const peak = tryReadControl(directory, "memory.max_usage_in_bytes");
    // The words are runc's.
    return `unable to set memory limit to ${value} (current usage: ${usage}, peak usage: ${peak})`;
  }
  return undefined;
}
