/** The status of a container (runtime.md "State"): never stored, always computed from what is there. */
import { openCgroup } from "../cgroup/open.ts";
import { isWaiting } from "../process/exec_fifo.ts";
import type { ContainerStatus } from "../spec/types.ts";
import { isAlive } from "../state/init_pid.ts";
import { isLocked, type SavedState, type StateDir } from "../state/store.ts";

/** The status as engines know it: the specification's four and runc's "paused". */
export type Status = ContainerStatus | "paused";

/** Computes the status. */
export function statusOf(dir: StateDir, state: SavedState): Status {
  // Between the first record and the init process only who creates can say more, and it holds the lock.
  if (state.init.pid === 0) return isLocked(dir) ? "creating" : "stopped";
  if (!isAlive(state.init)) return "stopped";
  if (openCgroup(state).freezerState() === "frozen") return "paused";
  return isWaiting(dir.fd) ? "created" : "running";
}
