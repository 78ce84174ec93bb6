/** The status of a container (runtime.md "State"): never stored, always computed from what is there. */
import { openCgroup } from "../cgroup/open.ts";
import type { ContainerStatus } from "../config/types.ts";
import { isWaiting } from "../parent/exec_fifo.ts";
import { isAlive, isEnding } from "../state/init_pid.ts";
import { isLocked, type SavedState, type StateDir } from "../state/store.ts";

/** The status as engines know it: the specification's four and runc's "paused". */
export type Status = ContainerStatus | "paused";

/** Computes the status. */
export function statusOf(dir: StateDir, state: SavedState): Status {
  // Between the first record and the init process only who creates can say more, and it holds the lock.
  if (state.init.pid === 0) return isLocked(dir) ? "creating" : "stopped";
  if (!isAlive(state.init)) return hasFrozenRest(state) ? "paused" : "stopped";
  if (openCgroup(state).freezerState() === "frozen") return "paused";
  if (isWaiting(dir.fd)) return "created";
  // Who ends has closed the fifo before he is dead: he waits no longer, but nobody has started him.
  return isEnding(state.init) ? "stopped" : "running";
}

/** What the init process left running: nothing, unless the container has no pid namespace of its own. */
export function hasRest(state: SavedState): boolean {
  return sharesPidNamespace(state) && openCgroup(state).processes().length > 0;
}

/**
 * As runc (libcontainer/container_linux.go, refreshState), to which a container whose processes are frozen is paused,
 * whoever of them is left.
 */
function hasFrozenRest(state: SavedState): boolean {
  return sharesPidNamespace(state) && openCgroup(state).freezerState() === "frozen" && hasRest(state);
}

/** True when the container has no pid namespace of its own, or one that existed before it. */
export function sharesPidNamespace(saved: SavedState): boolean {
  const namespace = saved.config.linux?.namespaces?.find(({ type }) => type === "pid");
  return namespace === undefined || (namespace.path ?? "") !== "";
}
