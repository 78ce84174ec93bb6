/** pause and resume: the freezer of the container's cgroup. */
import { openCgroup, requireCgroup } from "../cgroup/open.ts";
import type { RuntimeContext } from "../context.ts";
import { RuntimeError } from "../errors.ts";
import { lock, openStateDir, readState } from "../state/store.ts";
import { hasRest, statusOf } from "./status.ts";

/** Freezes every process of a created or running container, or what is left of one that has no init process any more. */
export function pauseContainer(context: RuntimeContext, id: string): void {
  const dir = openStateDir(context.root, id);
  lock(dir);
  const saved = readState(dir);
  const status = statusOf(dir, saved);
  if (status !== "created" && status !== "running" && !(status === "stopped" && hasRest(saved))) {
    throw new RuntimeError("wrong-status", `container not running: it is ${status}`);
  }
  requireCgroup(saved).freeze();
}

/** Thaws a paused container. */
export function resumeContainer(context: RuntimeContext, id: string): void {
  const dir = openStateDir(context.root, id);
  lock(dir);
  const saved = readState(dir);
  if (statusOf(dir, saved) !== "paused") throw new RuntimeError("wrong-status", "container not paused");
  openCgroup(saved).thaw();
}
