/** Pure cgroup v2, made and written by ourselves (the cgroupfs driver). */
import { EACCES, EBUSY, ENOENT, EOPNOTSUPP, EPERM, ETIMEDOUT } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import { sleepMs } from "../../syscalls/poll.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import type { HostPath, Pid } from "../../syscalls/types.ts";
import type { CgroupPaths } from "../plan/cgroup/hierarchies.ts";
import type { CgroupPlan, CgroupWrite } from "../plan/cgroup/write.ts";
import { gone, performWrites, tryReadControl, tryWriteControl, writeControl } from "./control_file.ts";
import { enableControllers, whyUnavailable } from "./controllers.ts";
import { explainCpuset } from "./cpuset.ts";
import { delegateTo } from "./delegate.ts";
import { attachDeviceProgram } from "./device_filter.ts";
import {
  directoryExists,
  makeDirectories,
  nearestDirectory,
  removeDirectories,
  tryJoin,
  unmakeDirectories,
} from "./directory.ts";
import type { CgroupManager, FreezerState } from "./manager.ts";
import { signalFrozen } from "./signal_all.ts";
import { processesBelow } from "./tree.ts";
import { requireUsable } from "./usable.ts";

const FREEZE_TIMEOUT_MS = 5000;

/** One directory in the one hierarchy. */
export class CgroupV2 implements CgroupManager {
  readonly driver = "cgroupfs";
  readonly paths: CgroupPaths;

  constructor(private readonly directory: HostPath) {
    this.paths = { "": directory };
  }

  create({ writes, owner }: CgroupPlan): void {
    const made: HostPath[] = [];
    try {
      makeDirectories(this.directory, made);
      enableControllers(this.directory, [...new Set(writes.map(({ controller }) => controller))]);
      if (owner !== undefined) delegateTo(this.directory, owner);
    } catch (error) {
      unmakeDirectories(made);
      throw error;
    }
  }

  apply(plan: CgroupPlan): void {
    performWrites(plan.writes, () => this.directory, explain);
    if (plan.devices !== undefined) attachDeviceProgram(this.directory, plan.devices);
  }

  update(plan: CgroupPlan): void {
    this.apply(plan);
  }

  requireUsable(): void {
    const nearest = nearestDirectory(this.directory);
    requireUsable(this, isFrozen(nearest) ? nearest : undefined);
  }

  join(pid: Pid): void {
    const result = tryJoin(this.directory, pid);
    if (result >= 0) return;
    const domain = tryReadControl(this.directory, "cgroup.type");
    const why = result === -EOPNOTSUPP || result === -EBUSY ? `; it is of type "${domain}"` : "";
    throw OpError.from("write", `${this.directory}/cgroup.procs`, -result, `to move pid ${pid}${why}`);
  }

  processes(): readonly Pid[] {
    return processesBelow(this.directory);
  }

  freezerState(): FreezerState {
    return tryReadControl(this.directory, "cgroup.freeze") === "1" ? "frozen" : "thawed";
  }

  /** Returns when the kernel says that all of them stand still, which a task in an uninterruptible wait delays. */
  freeze(): void {
    writeControl(this.directory, "cgroup.freeze", "1");
    for (let waited = 0, pause = 0.1; waited < FREEZE_TIMEOUT_MS; waited += pause) {
      if (isFrozen(this.directory)) return;
      sleepMs(pause);
      pause = Math.min(2 * pause, 10);
    }
    this.thaw();
    throw OpError.from("freeze", this.directory, ETIMEDOUT, "unable to freeze; it was thawed again");
  }

  thaw(): void {
    const result = tryWriteControl(this.directory, "cgroup.freeze", "0");
    if (result < 0 && !gone.includes(-result)) throw OpError.from("thaw", this.directory, -result);
  }

  thawAll(): void {
    // What is frozen below takes SIGKILL as it is.
    if (this.freezerState() === "frozen") this.thaw();
  }

  /** cgroup.kill (since kernel 5.14) reaches the whole subtree, forks included; SIGKILL works on frozen tasks here. */
  killAll(signal: number): void {
    if (signal === SIGKILL && tryWriteControl(this.directory, "cgroup.kill", "1") === 0) this.thaw();
    else signalFrozen(this, signal);
  }

  remove(): void {
    removeDirectories([this.directory]);
  }

  exists(): boolean {
    return directoryExists(this.directory);
  }
}

/** True when it stands still, because of itself or of a cgroup around it. */
function isFrozen(directory: HostPath): boolean {
  return /^frozen 1$/m.test(tryReadControl(directory, "cgroup.events") ?? "");
}

function explain(
  directory: HostPath,
  { controller, file, value }: CgroupWrite,
  errno: number,
): string | undefined {
  // The first word of the core files; they are there whatever is delegated.
  if (errno === ENOENT)
    return controller === "cgroup"
      ? "this kernel does not have the file"
      : whyUnavailable(directory, controller);
  if (errno === EACCES || errno === EPERM) return "not delegated: the cgroup belongs to another user";
  if (errno === EBUSY && file === "memory.max")
    return `current usage: ${tryReadControl(directory, "memory.current")}`;
  if (file === "cpuset.cpus" || file === "cpuset.mems")
    return explainCpuset(directory, file, `${file}.effective`, value, errno);
  if (file === "cpu.weight" && tryReadControl(directory, "cpu.idle") === "1")
    return "cpu.idle is 1, which excludes a weight";
  return undefined;
}
