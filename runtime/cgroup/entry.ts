/**
 * How the init process comes into its cgroups. Moving a process from outside waits for an RCU grace period in the
 * kernel, 5 to 20 ms, which is more than all the rest of a start. Two ways do not: clone3 with CLONE_INTO_CGROUP, for
 * the unified hierarchy, and on v1 a process of a single thread that writes "0" to `tasks` itself, which skips the
 * lock over all thread groups.
 *
 * Memory is charged to the cgroup in which a page is first touched, and until its execve the init process is a
 * JavaScript engine. Under a small limit it therefore leaves the memory cgroup again and comes back in the end.
 */
import type { HostPath } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { CgroupDriver, CgroupLayout, CgroupPaths } from "./types.ts";

/** Files to which the init process writes "0", at which moment. */
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
const SMALL_MEMORY = 64n << 20n;

/**
 * Plans the entry; `memoryLimit` in bytes, undefined or not above 0 for none. Into a unit of systemd no process can be
 * born, nor go by itself: the unit is made around it.
 */
export function planCgroupEntry(
  layout: CgroupLayout,
  paths: CgroupPaths,
  memoryLimit: number | bigint | undefined,
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
  const byItself = {
    cloneInto: unified,
    join,
    joinAll: unified === undefined ? join : [...join, `${unified}/cgroup.procs` as HostPath],
  };
  return {
    ...(driver === "cgroupfs" ? byItself : { cloneInto: undefined, join: [], joinAll: [] }),
    leaveMemory: small && leave !== undefined ? [leave] : [],
    rejoinMemory: small && rejoin !== undefined ? [rejoin] : [],
  };
}

/**
 * The entry of a process of exec: into the container's cgroups as state.json remembers them, or into sub-cgroups of
 * them, each given as [CONTROLLER[,CONTROLLER]:]PATH, which must exist and may not lead out. `memoryLimit` is that of
 * the unified hierarchy, if it has one.
 */
export function execEntry(
  paths: CgroupPaths,
  subCgroups: readonly string[],
  memoryLimit?: bigint,
): Pick<CgroupEntry, "cloneInto" | "join" | "joinAll"> {
  const below = new Map<string, string>();
  for (const text of subCgroups) {
    const colon = text.indexOf(":");
    const path = colon < 0 ? text : text.slice(colon + 1);
    const controllers = colon < 0 ? Object.keys(paths) : text.slice(0, colon).split(",");
    if (path.split("/").includes("..")) throw badSubCgroup(path);
    for (const controller of controllers) {
      if (paths[controller] === undefined) {
        throw new RuntimeError("invalid-argument", `unknown controller ${controller} in --cgroup ${text}`);
      }
      below.set(
        controller,
        path
          .split("/")
          .filter((part) => part !== "" && part !== ".")
          .join("/"),
      );
    }
  }
  const files = new Map<string, HostPath>();
  for (const [controller, path] of Object.entries(paths)) {
    const sub = below.get(controller) ?? "";
    const directory = sub === "" ? path : `${path}/${sub}`;
    const file = controller === "" ? "cgroup.procs" : "tasks";
    files.set(`${directory}/${file}`, directory as HostPath);
  }
  const all = [...files.keys()] as HostPath[];
  const join = all.filter((file) => !file.endsWith("/cgroup.procs"));
  const unified = all.find((file) => file.endsWith("/cgroup.procs"));
  // Under a small limit it is not born there, but joins at the last moment.
  const small = memoryLimit !== undefined && memoryLimit < SMALL_MEMORY;
  const cloneInto = unified === undefined || small ? undefined : files.get(unified);
  return { cloneInto, join, joinAll: all };
}

function badSubCgroup(path: string): RuntimeError {
  return new RuntimeError("invalid-argument", `bad sub cgroup path: ${path}`);
}
