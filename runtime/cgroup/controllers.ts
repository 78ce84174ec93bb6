/** cgroup v2: a controller works in a cgroup when every ancestor's cgroup.subtree_control names it. */
import { EBUSY, EOPNOTSUPP } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { readControl, tryReadControl, tryWriteControl } from "./control_file.ts";
import { parentOf } from "./directory.ts";

/**
 * Enables downward whatever the top offers. What stays disabled is no failure here: a limit that needs it will
 * say so by name, and a container without that limit can live without it.
 */
export function enableControllers(directory: HostPath): void {
  const ancestors = ancestorsOf(directory);
  const [top] = ancestors;
  if (top === undefined) return;
  const offered = words(readControl(top, "cgroup.controllers"));
  if (missing(directory, offered).length === 0) return;
  for (const ancestor of ancestors) enableIn(ancestor);
  requireDomain(directory);
}

/** From the root of the hierarchy to the parent: the directories that have a subtree_control. */
function ancestorsOf(directory: HostPath): HostPath[] {
  const parent = parentOf(directory);
  if (tryReadControl(parent, "cgroup.subtree_control") === undefined) return [];
  return [...ancestorsOf(parent), parent];
}

/**
 * All at once, which is one walk over the subtree; one by one when one of them spoils it for the others. EBUSY
 * means that the ancestor has processes (cgroups(7) "no internal processes"): one by one would then enable just
 * the threaded controllers, and with them turn the ancestor into a threaded domain in which nothing can start.
 */
function enableIn(ancestor: HostPath): void {
  const enabled = words(tryReadControl(ancestor, "cgroup.subtree_control") ?? "");
  const offered = words(tryReadControl(ancestor, "cgroup.controllers") ?? "");
  const wanted = offered.filter((name) => !enabled.includes(name)).map((name) => `+${name}`);
  if (wanted.length === 0) return;
  const result = tryWriteControl(ancestor, "cgroup.subtree_control", wanted.join(" "));
  if (result === 0 || result === -EBUSY) return;
  for (const one of wanted) tryWriteControl(ancestor, "cgroup.subtree_control", one);
}

function missing(directory: HostPath, offered: readonly string[]): string[] {
  const available = words(readControl(directory, "cgroup.controllers"));
  return offered.filter((name) => !available.includes(name));
}

/** cgroups(7) "Thread mode": below a threaded cgroup a new one is "domain invalid" and takes no process. */
function requireDomain(directory: HostPath): void {
  const type = tryReadControl(directory, "cgroup.type");
  if (type === undefined || type === "domain" || type === "domain threaded") return;
  const hint = `it is of type "${type}" because a parent is threaded; choose a cgroupsPath outside of it`;
  throw OpError.from("use cgroup", directory, EOPNOTSUPP, hint);
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
