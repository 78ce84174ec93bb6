/** start (runtime.md "Start"): lets the waiting init process go on to the user's program. */

import { type ChildFailure, errorOf } from "../channel.ts";
import type { RuntimeContext } from "../context.ts";
import { RuntimeError } from "../errors.ts";
import { runHooks } from "../hooks/run.ts";
import { openStarter, releaseInit } from "../parent/exec_fifo.ts";
import { NotifySocket } from "../parent/notify_socket.ts";
import type { ProcessHandle } from "../proc/process_handle.ts";
import { sealSelf, wholeEnvironment } from "../self/seal.ts";
import { openProcess } from "../state/init_pid.ts";
import { lock, openStateDir, readState, type SavedState, type StateDir, unlock } from "../state/store.ts";
import { killInit } from "./kill.ts";
import { hookState } from "./state.ts";
import { type Status, statusOf } from "./status.ts";

const refusals: Partial<Record<Status, string>> = {
  stopped: "cannot start a container that has stopped",
  running: "cannot start an already running container",
  paused: "cannot start a container in the paused state",
};

/** Starts a created container and runs its poststart hooks. */
export function startContainer(context: RuntimeContext, id: string): void {
  const dir = openStateDir(context.root, id);
  const saved = readState(dir);
  const hooks = saved.config.hooks?.poststart;
  // Running a hook is a fork, which only the sealed, single-threaded start of this program may do.
  if (hooks !== undefined && hooks.length > 0) sealSelf();
  lock(dir);
  const init = openProcess(saved.init);
  const notify = release(dir, saved, init);
  poststart(saved);
  // From here on it is a wait that another command may end, by deleting the container.
  unlock(dir);
  if (init !== undefined) notify?.waitForReady(init);
}

function release(
  dir: StateDir,
  saved: SavedState,
  init: ProcessHandle | undefined,
): NotifySocket | undefined {
  const status = statusOf(dir, saved);
  const starter = status === "created" ? openStarter(dir.fd) : undefined;
  if (starter === undefined || init === undefined) {
    throw new RuntimeError("wrong-status", refusals[status] ?? "cannot start a container that has stopped");
  }
  const notify = NotifySocket.open(dir);
  const failure = releaseInit(dir.fd, starter, init);
  if (failure !== "") throw errorOf(JSON.parse(failure) as ChildFailure);
  return notify;
}

/** Runs the poststart hooks; a failing one ends the container (runtime.md "Lifecycle", step 10). */
export function poststart(saved: SavedState): void {
  try {
    runHooks("poststart", saved.config.hooks?.poststart, {
      state: hookState(saved, "running", saved.init.pid),
      defaultEnv: wholeEnvironment,
    });
  } catch (error) {
    killInit(saved);
    throw error;
  }
}
