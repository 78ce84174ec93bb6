/** cgroup v2: a controller works in a cgroup when every ancestor's cgroup.subtree_control names it. */
import { EBUSY, EOPNOTSUPP } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { readControl, tryReadControl, tryWriteControl } from "./control_file.ts";
import { parentOf } from "./directory.ts";

/** cgroups(7) "Thread mode": what a threaded cgroup can be limited by. */
const THREADED = ["cpu", "cpuset", "perf_event", "pids"];

/**
 * Enables downward whatever the top offers. What stays disabled is no failure here: a limit that needs it will
 * say so by name, and a container without that limit can live without it. `wanted` are the controllers that the
 * configuration sets limits of.
 */
export function enableControllers(directory: HostPath, wanted: readonly string[]): void {
  const ancestors = ancestorsOf(directory);
  const [top, ...middle] = ancestors;
  if (top === undefined) return;
  const offered = words(readControl(top, "cgroup.controllers"));
  if (missing(directory, offered).length === 0) return;
  const limited = wanted.filter((name) => offered.includes(name));
  const domain = limited.find((name) => !THREADED.includes(name));
  for (const ancestor of ancestors) enableIn(ancestor, limited.length > 0 && domain === undefined);
  for (const path of [...middle, directory]) makeValid(path, domain);
}

/** From the root of the hierarchy to the parent: the directories that have a subtree_control. */
function ancestorsOf(directory: HostPath): HostPath[] {
  const parent = parentOf(directory);
  if (tryReadControl(parent, "cgroup.subtree_control") === undefined) return [];
  return [...ancestorsOf(parent), parent];
}

/**
 * All at once, which is one walk over the subtree; one by one when one of them spoils it for the others. EBUSY
 * means that the ancestor has processes (cgroups(7) "no internal processes"): one by one then enables just the
 * threaded controllers, and with them turns the ancestor into a threaded domain in which no domain can be any more.
 * That is done only for limits that can be had in no other way.
 */
function enableIn(ancestor: HostPath, threaded: boolean): void {
  const enabled = words(tryReadControl(ancestor, "cgroup.subtree_control") ?? "");
  const offered = words(tryReadControl(ancestor, "cgroup.controllers") ?? "");
  const wanted = offered.filter((name) => !enabled.includes(name)).map((name) => `+${name}`);
  if (wanted.length === 0) return;
  const result = tryWriteControl(ancestor, "cgroup.subtree_control", wanted.join(" "));
  if (result === 0 || (result === -EBUSY && !threaded)) return;
  for (const one of wanted) tryWriteControl(ancestor, "cgroup.subtree_control", one);
}

function missing(directory: HostPath, offered: readonly string[]): string[] {
  const available = words(readControl(directory, "cgroup.controllers"));
  return offered.filter((name) => !available.includes(name));
}

/**
 * cgroups(7) "Thread mode": below a threaded cgroup a new one is "domain invalid" and takes no process until it is
 * threaded too. As in runc it is made so, unless there is a limit that needs a domain.
 */
function makeValid(path: HostPath, domainController: string | undefined): void {
  if (tryReadControl(path, "cgroup.type") !== "domain invalid") return;
  const result =
    domainController === undefined ? tryWriteControl(path, "cgroup.type", "threaded") : -EOPNOTSUPP;
  if (result === 0) return;
  const why = domainController === undefined ? "" : `, in which controller ${domainController} cannot work`;
  const hint = `it is of type "domain invalid" because a parent is threaded${why}; choose a cgroupsPath outside of it`;
  throw OpError.from("use cgroup", path, -result, hint);
}

/** Why a cgroup does not have the files of a controller. */
export function whyUnavailable(directory: HostPath, controller: string): string {
  const ancestors = ancestorsOf(directory);
  const [top] = ancestors;
  if (top === undefined || !lists(top, "cgroup.controllers", controller))
    return top === undefined || isRootOfAll(top)
      ? "the controller is missing: this kernel does not have it, or has it in cgroup v1"
      : "the controller is not delegated to this cgroup namespace";
  const stop = ancestors.find((ancestor) => !lists(ancestor, "cgroup.subtree_control", controller));
  if (stop === undefined) return "this kernel does not have the file";
  const crowded = !isRootOfAll(stop) && (tryReadControl(stop, "cgroup.procs") ?? "") !== "";
  const threaded = !crowded && (tryReadControl(stop, "cgroup.type") ?? "domain") !== "domain";
  const why = crowded ? ", which has processes" : threaded ? ", which is threaded" : "";
  return `the controller is not delegated: it is not in cgroup.subtree_control of ${stop}${why}`;
}

/** It has no such file, unlike the root of a cgroup namespace, and may have both processes and children with limits. */
function isRootOfAll(directory: HostPath): boolean {
  return tryReadControl(directory, "cgroup.events") === undefined;
}

function lists(directory: HostPath, file: string, controller: string): boolean {
  return words(tryReadControl(directory, file) ?? "").includes(controller);
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
