/**
 * How an init process comes into a unit of systemd: the parent has it made around the process when that asks, since a
 * scope neither exists without a process nor outlives its last one. The process of a small memory limit goes out again
 * for the time in between (plan/cgroup/entry.ts); a placeholder then stays in its place.
 */
import { isErrno } from "../../syscalls/error.ts";
import { close } from "../../syscalls/open.ts";
import { PR_SET_DUMPABLE, prctl } from "../../syscalls/prctl.ts";
import { type Cloned, exitGroup, waitFor } from "../../syscalls/process.ts";
import { scope } from "../../syscalls/scope.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { messagePair, receiveMessage } from "../../syscalls/socket.ts";
import type { Fd, HostPath, Pid } from "../../syscalls/types.ts";
import { writeControl } from "../cgroup/control_file.ts";
import type { CgroupManager } from "../cgroup/manager.ts";
import type { CgroupRequest } from "../channel.ts";
import type { CgroupMoves } from "../init/context.ts";
import type { CgroupEntry } from "../plan/cgroup/entry.ts";
import type { CgroupPlan } from "../plan/cgroup/resources.ts";
import { handleOf, trySignal } from "../proc/process_handle.ts";
import { closeAllBut } from "../self/disinherit.ts";
import { fork } from "../self/fork.ts";

/** What the init process does instead of entering by itself. */
export function unitMoves(entry: CgroupEntry): CgroupMoves {
  const leaves = entry.leaveMemory.length > 0;
  return {
    join: "cgroup",
    leaveMemory: leaves ? "leave-cgroup" : [],
    rejoinMemory: leaves ? "rejoin-cgroup" : [],
  };
}

/** The parent's side of it. */
export class UnitEntry {
  private placeholder: { readonly process: Cloned; readonly channel: Fd } | undefined;

  constructor(
    private readonly cgroup: CgroupManager,
    private readonly entry: CgroupEntry,
    private readonly plan: CgroupPlan,
    private readonly pid: Pid,
  ) {}

  /** Does what the init process asks for; it waits meanwhile, and touches no memory. */
  answer(request: CgroupRequest): void {
    if (request === "cgroup") this.make();
    else if (request === "leave-cgroup") this.leave();
    else {
      for (const file of this.entry.rejoinMemory) move(this.pid, file);
      this.endPlaceholder();
    }
  }

  /** Ends the placeholder, if there is one; after that an empty scope is gone. */
  endPlaceholder(): void {
    if (this.placeholder === undefined) return;
    const { process, channel } = this.placeholder;
    this.placeholder = undefined;
    trySignal(handleOf(process), SIGKILL);
    waitFor(process.pid);
    for (const fd of [process.pidfd, channel]) close(fd);
  }

  /** Where a user has no right to move it out it stays, and what it uses until then is charged. */
  private leave(): void {
    for (const file of this.entry.leaveMemory) {
      try {
        move(this.pid, file);
      } catch (error) {
        if (!isErrno(error, "EACCES", "EPERM")) throw error;
      }
    }
  }

  private make(): void {
    if (this.entry.leaveMemory.length > 0) this.placeholder = forkPlaceholder();
    const pids = this.placeholder === undefined ? [this.pid] : [this.pid, this.placeholder.process.pid];
    this.cgroup.create(this.plan, pids);
    this.cgroup.apply(this.plan);
  }
}

function move(pid: Pid, file: HostPath): void {
  const slash = file.lastIndexOf("/");
  writeControl(file.slice(0, slash) as HostPath, file.slice(slash + 1), String(pid));
}

/** A process that waits for its end, or for the parent's. */
function forkPlaceholder(): { readonly process: Cloned; readonly channel: Fd } {
  return scope((owner) => {
    const [channel, other] = owner.ownBoth(messagePair());
    const process = fork(0, () => {
      closeAllBut([other]);
      prctl(PR_SET_DUMPABLE, 0);
      receiveMessage(other, 1);
      exitGroup(0);
    });
    return { process, channel: owner.handOn(channel) };
  });
}
