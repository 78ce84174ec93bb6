/** Cgroup directories: made with their parents, joined, and removed with their children. */

import { monotonicNow } from "../../syscalls/clock.ts";
import { EBUSY, EEXIST, EINVAL, ENODEV, ENOENT, ENOTDIR, EROFS } from "../../syscalls/constants/errno.ts";
import { AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW } from "../../syscalls/constants/fcntl.ts";
import { tryMkdirat, tryUnlinkat } from "../../syscalls/directory.ts";
import { OpError } from "../../syscalls/error.ts";
import { CWD } from "../../syscalls/open.ts";
import { sleepMs } from "../../syscalls/poll.ts";
import { tryStatx } from "../../syscalls/stat.ts";
import type { HostPath, Pid } from "../../syscalls/types.ts";
import { tryWriteControl } from "./control_file.ts";
import { isBusy, processesBelow, tryRemoveTree } from "./tree.ts";

/** The path one level up. */
export function parentOf(path: HostPath): HostPath {
  return path.slice(0, Math.max(1, path.lastIndexOf("/"))) as HostPath;
}

/** Makes a directory and the missing ones above it; each one made is added to `made`, outermost first. */
export function makeDirectories(path: HostPath, made: HostPath[]): void {
  let result = tryMkdirat(CWD, path, 0o755);
  if (result === -ENOENT && parentOf(path) !== "/") {
    makeDirectories(parentOf(path), made);
    result = tryMkdirat(CWD, path, 0o755);
  }
  if (result === 0) made.push(path);
  else if (result !== -EEXIST) throw OpError.from("mkdir", path, -result);
}

/** Undoes makeDirectories; what somebody else uses by now stays. */
export function unmakeDirectories(made: readonly HostPath[]): void {
  for (const path of made.toReversed()) tryUnlinkat(CWD, path, AT_REMOVEDIR);
}

/** True when the directory is there. */
export function directoryExists(path: HostPath): boolean {
  const found = tryStatx(CWD, path, AT_SYMLINK_NOFOLLOW);
  if (typeof found !== "number") return true;
  if (found === -ENOENT || found === -ENOTDIR || found === -ENODEV) return false;
  throw OpError.from("statx", path, -found);
}

/** The path itself, or the first directory above it that is there. */
export function nearestDirectory(path: HostPath): HostPath {
  return path === "/" || directoryExists(path) ? path : nearestDirectory(parentOf(path));
}

/**
 * Moves a process by writing its pid. A process that is still being forked is refused with EINVAL for a moment
 * (kernel state TASK_NEW; runc met it with many CPUs), so that is tried again.
 */
export function tryJoin(path: HostPath, pid: Pid): number {
  for (let attempt = 0; ; attempt++) {
    const result = tryWriteControl(path, "cgroup.procs", String(pid));
    if (result !== -EINVAL || attempt === 5) return result;
    sleepMs(30);
  }
}

const REMOVAL_TIMEOUT = 10_000_000_000n;

/**
 * Removes cgroups with everything below. A process that was killed stays in its cgroup until it has exited,
 * so EBUSY means waiting: 1 ms at first, twice as long each time, 10 s in all.
 */
export function removeDirectories(paths: readonly HostPath[]): void {
  let left = paths.filter((path) => !tryRemove(path));
  const end = monotonicNow() + REMOVAL_TIMEOUT;
  for (let pause = 1; left.length > 0; pause = Math.min(2 * pause, 100)) {
    if (monotonicNow() > end) throw stillBusy(left);
    sleepMs(pause);
    left = left.filter((path) => !tryRemove(path));
  }
}

/** True when it is gone; false when it is busy. */
function tryRemove(path: HostPath): boolean {
  const result = tryRemoveTree(path);
  if (result === 0 || result === -ENOENT) return true;
  if (isBusy(result)) return false;
  // Told before anything is looked up.
  if (result === -EROFS && !directoryExists(path)) return true;
  throw OpError.from("rmdir", path, -result);
}

function stillBusy(paths: readonly HostPath[]): OpError {
  const [path = "" as HostPath] = paths;
  const pids = processesBelow(path);
  const who = pids.length === 0 ? "it lists no process" : `still in it: pid ${pids.slice(0, 10).join(", ")}`;
  return OpError.from("rmdir", path, EBUSY, `after 10 s of waiting; ${who}`);
}
