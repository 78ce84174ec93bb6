/** delete (runtime.md "Delete"): takes away everything that create made, and can be repeated when cut short. */
import { closing } from "../../syscalls/scope.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { openCgroup } from "../cgroup/open.ts";
import type { RuntimeContext } from "../context.ts";
import { notFound, RuntimeError } from "../errors.ts";
import { removeRdtGroups } from "../intel_rdt/groups.ts";
import { pollOrEnd, trySignal } from "../proc/process_handle.ts";
import { sealSelf } from "../self/seal.ts";
import { isAlive, openProcess } from "../state/init_pid.ts";
import {
  lock,
  readState,
  removeStateDir,
  type SavedState,
  type StateDir,
  tryOpenStateDir,
} from "../state/store.ts";
import { unmountHostMounts } from "./host_mount.ts";
import { runPoststop } from "./poststop.ts";
import { sharesPidNamespace, statusOf } from "./status.ts";

/** How long a killed init process may take to die. */
const DEATH_TIMEOUT_MS = 10_000;

/** Deletes a stopped or created container, with `force` any. */
export function deleteContainer(
  context: RuntimeContext,
  request: { readonly id: string; readonly force: boolean },
): void {
  const { id, force } = request;
  const dir = tryOpenStateDir(context.root, id);
  if (dir === undefined) {
    if (force) return;
    throw notFound();
  }
  const unlocked = tryRead(dir, force);
  if ((unlocked?.config.hooks?.poststop?.length ?? 0) > 0) sealSelf();
  lock(dir);
  // Who held the lock may have deleted the container, or made it: look again.
  const saved = tryRead(dir, force);
  if (saved === undefined) {
    removeStateDir(dir);
    if (force) return;
    throw notFound();
  }
  const status = statusOf(dir, saved);
  if (status !== "stopped" && status !== "created" && !force) {
    throw new RuntimeError("wrong-status", `cannot delete container ${id} that is not stopped: ${status}`);
  }
  destroy(context, dir, saved);
}

/** The state; undefined when there is none, and with `force` also when it is beyond reading. */
function tryRead(dir: StateDir, force: boolean): SavedState | undefined {
  try {
    return readState(dir);
  } catch (error) {
    if (force || (error instanceof RuntimeError && error.kind === "not-found")) return undefined;
    throw error;
  }
}

/** Ends what still runs, removes cgroups and state, then runs the poststop hooks, whose failures are only told. */
export function destroy(context: RuntimeContext, dir: StateDir, saved: SavedState): void {
  const cgroup = openCgroup(saved);
  endInit(saved, cgroup);
  if (sharesPidNamespace(saved) && cgroup.exists()) cgroup.killAll(SIGKILL);
  cgroup.remove();
  unmountHostMounts(saved);
  removeRdtGroups(saved.resctrl?.remove ?? []);
  removeStateDir(dir);
  runPoststop(context, saved);
}

/** The same for a command that had given the lock back: another command may have deleted it meanwhile, poststop hooks included. */
export function destroyUnlessGone(context: RuntimeContext, dir: StateDir, saved: SavedState): void {
  lock(dir);
  if (tryRead(dir, true) !== undefined) destroy(context, dir, saved);
}

function endInit(saved: SavedState, cgroup: ReturnType<typeof openCgroup>): void {
  const init = openProcess(saved.init);
  if (init === undefined) return;
  const { ended } = closing(init.fd, () => {
    trySignal(init, SIGKILL);
    cgroup.thawAll();
    return pollOrEnd([], init, DEATH_TIMEOUT_MS);
  });
  if (!ended && isAlive(saved.init)) throw new RuntimeError("wrong-status", "container init still running");
}
