/** kill (runtime.md "Kill"): a signal for the init process, or for everything in the container. */
import { ESRCH } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import { closing } from "../../syscalls/scope.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { openCgroup } from "../cgroup/open.ts";
import type { RuntimeContext } from "../context.ts";
import { RuntimeError } from "../errors.ts";
import { type ProcessHandle, trySignal } from "../proc/process_handle.ts";
import { openProcess } from "../state/init_pid.ts";
import { openStateDir, readState, type SavedState } from "../state/store.ts";
import { sharesPidNamespace } from "./status.ts";

/** What kill is asked for. */
export interface KillRequest {
  readonly id: string;
  /** 0 asks only whether the container is there. */
  readonly signal: number;
  /** Every process in the container's cgroup. */
  readonly all: boolean;
}

/** Sends the signal. */
export function killContainer(context: RuntimeContext, { id, signal, all }: KillRequest): void {
  const saved = readState(openStateDir(context.root, id));
  const cgroup = openCgroup(saved);
  const init = openProcess(saved.init);
  // Without a pid namespace of its own nothing dies with the init process, and what it left behind has no other to be
  // signalled by. As in runc only SIGKILL is for all of them, whether or not the init process lives.
  const everyone = (all || (signal === SIGKILL && sharesPidNamespace(saved))) && cgroup.exists();
  if (everyone) cgroup.killAll(signal);
  if (init === undefined) {
    // With --all a container that has stopped is no error.
    if (all || everyone) return;
    throw new RuntimeError("wrong-status", "container not running");
  }
  closing(init.fd, () => {
    if (!everyone) sendSignal(init, signal);
  });
  // A frozen process takes SIGKILL only when it is thawed (cgroup v1); the init process waits for all others.
  if (signal === SIGKILL) cgroup.thawAll();
}

function sendSignal(init: ProcessHandle, signal: number): void {
  const result = trySignal(init, signal);
  if (result === -ESRCH) throw new RuntimeError("wrong-status", "container not running");
  if (result < 0) throw OpError.from("send signal", String(signal), -result);
}

/** SIGKILL for the init process of a container that must not go on; its being gone already is fine. */
export function killInit(saved: SavedState): void {
  const init = openProcess(saved.init);
  if (init !== undefined) closing(init.fd, () => trySignal(init, SIGKILL));
}
