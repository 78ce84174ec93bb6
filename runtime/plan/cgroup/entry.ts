/**
 * How the init process comes into its cgroups. Moving a process from outside waits for an RCU grace period in the
 * kernel, 5 to 20 ms, which is more than all the rest of a start. Two ways do not: clone3 with CLONE_INTO_CGROUP, for
 * the unified hierarchy, and on v1 a process of a single thread that writes "0" to `tasks` itself, which skips the
 * lock over all thread groups.
 *
 * Memory is charged to the cgroup in which a page is first touched, and until its execve the init process is a
 * JavaScript engine. Under a small limit it therefore leaves the memory cgroup again and comes back in the end.
 */
import type { HostPath } from "../../../syscalls/types.ts";
import { RuntimeError } from "../../errors.ts";
import type { CgroupDriver, CgroupLayout, CgroupPaths } from "./hierarchies.ts";

/** Files to which the init process writes "0", at which moment. With neither namespace nor hooks it joins at the end. */
export interface CgroupEntry {
  /** For clone3; undefined without a unified hierarchy. */
  readonly cloneInto: HostPath | undefined;
  /** Into all that clone3 does not do. */
  readonly join: readonly HostPath[];
  /** The same when the kernel has no CLONE_INTO_CGROUP (before 5.7). */
  readonly joinAll: readonly HostPath[];
  /** Out of the cgroup that charges memory, back to the runtime's own. */
  readonly leaveMemory: readonly HostPath[];
  /** Into it again. */
  readonly rejoinMemory: readonly HostPath[];
}

/** A limit below this is small beside the engine, some megabytes of which are its own until the execve. */
export const SMALL_MEMORY = 64n << 20n;

/**
 * Why a process has to be in its cgroups long before its program runs: for the root of a cgroup namespace it must have
 * been there, and hooks of the runtime look it up there.
 */
export interface EarlyEntry {
  readonly namespace: boolean;
  readonly hooks: boolean;
}

/**
 * Plans the entry; `memoryLimit` in bytes, undefined or not above 0 for none. A unit of systemd takes no
 * process by clone3, nor by its own writing: systemd makes the unit around it.
 */
export function planCgroupEntry(
  layout: CgroupLayout,
  paths: CgroupPaths,
  memoryLimit: number | bigint | undefined,
  early: EarlyEntry,
  driver: CgroupDriver = "cgroupfs",
): CgroupEntry {
  const unified = paths[""];
  const join: HostPath[] = [];
  let leave: HostPath | undefined;
  let rejoin: HostPath | undefined;
  for (const { controllers, mountPoint, own } of layout.hierarchies) {
    const path = paths[controllers[0] ?? ""];
    if (path === undefined) continue;
    const file = path === unified ? "cgroup.procs" : "tasks";
    if (path !== unified) join.push(`${path}/${file}` as HostPath);
    if (controllers.includes("memory") || layout.kind === "v2") {
      leave = `${mountPoint}${own === "/" ? "" : own}/${file}` as HostPath;
      rejoin = `${path}/${file}` as HostPath;
    }
  }
  const limit = BigInt(memoryLimit ?? 0);
  const small = limit > 0n && limit < SMALL_MEMORY && leave !== undefined && rejoin !== undefined;
  const joinAll = unified === undefined ? join : [...join, `${unified}/cgroup.procs` as HostPath];
  // What clone3 puts there is charged at once; on v1 memory has a hierarchy of its own, which is joined later.
  const atClone = layout.kind !== "v2" || !small || early.hooks;
  const leaves = small && !early.hooks && (early.namespace || driver === "systemd");
  return {
    ...(driver === "systemd"
      ? { cloneInto: undefined, join: [], joinAll: [] }
      : { cloneInto: atClone ? unified : undefined, join: atClone ? join : joinAll, joinAll }),
    leaveMemory: leaves && leave !== undefined ? [leave] : [],
    rejoinMemory: leaves && rejoin !== undefined ? [rejoin] : [],
  };
}

/** The part of an entry that a process of exec needs. */
export type ExecEntry = Pick<CgroupEntry, "cloneInto" | "join" | "joinAll">;

/**
 * The entry of a process of exec: into the container's cgroups as state.json remembers them, or into sub-cgroups of
 * them, as --cgroup names them. With `smallLimits` nothing is made there, but joins at the last moment.
 */
export function execEntry(
  paths: CgroupPaths,
  subCgroups: readonly string[],
  smallLimits: boolean,
): ExecEntry {
  const below = parseSubCgroups(paths, subCgroups);
  const inside = (path: HostPath): HostPath => {
    const sub = below.get(path) ?? "";
    return sub === "" ? path : (`${path}/${sub}` as HostPath);
  };
  const unified = paths[""];
  // Controllers of one hierarchy have one path.
  const others = [...new Set(Object.values(paths))].filter((path) => path !== unified);
  const join = others.map((path) => `${inside(path)}/tasks` as HostPath);
  if (unified === undefined) return { cloneInto: undefined, join, joinAll: join };
  const cgroup = inside(unified);
  return {
    cloneInto: smallLimits ? undefined : cgroup,
    join,
    joinAll: [...join, `${cgroup}/cgroup.procs` as HostPath],
  };
}

/**
 * What is below the container's cgroups: one PATH for all, or any number of CONTROLLER[,CONTROLLER]:PATH with no
 * hierarchy twice. They must exist, and may not lead out. The words are runc's.
 */
function parseSubCgroups(paths: CgroupPaths, given: readonly string[]): ReadonlyMap<HostPath, string> {
  const below = new Map<HostPath, string>();
  const named = new Set<string>();
  for (const text of given) {
    const colon = text.indexOf(":");
    if (colon < 0 && given.length > 1) throw refused(`${text} (missing <controller>: prefix)`);
    const path = text.slice(colon + 1);
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    if (parts.includes("..")) {
      throw new RuntimeError("invalid-argument", `bad sub cgroup path: ${path}`);
    }
    const controllers = colon < 0 ? Object.keys(paths) : text.slice(0, colon).split(",");
    for (const controller of controllers) {
      const base = Object.hasOwn(paths, controller) ? paths[controller] : undefined;
      if (colon >= 0 && controller === "") throw refused(`${text} (empty <controller> prefix)`);
      if (base === undefined) {
        throw new RuntimeError("invalid-argument", `unknown controller ${controller} in --cgroup ${text}`);
      }
      const sub = parts.join("/");
      if (named.has(controller) || (below.get(base) ?? sub) !== sub) {
        throw refused(`controller ${controller} specified multiple times`);
      }
      named.add(controller);
      below.set(base, sub);
    }
  }
  return below;
}

function refused(why: string): RuntimeError {
  return new RuntimeError("invalid-argument", `invalid --cgroup argument: ${why}`);
}
