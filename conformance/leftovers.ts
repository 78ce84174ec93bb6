// What a test left on the machine, found by the token that is in the name of everything it made: its
// directory, its container ids, and so its cgroups, mounts, keyrings and command lines.
import { readdirSync, readFileSync, readlinkSync, rmdirSync } from "node:fs";
import { join } from "node:path";

export type Leftovers = {
  readonly processes: readonly number[];
  readonly mounts: readonly string[];
  readonly cgroups: readonly string[];
  readonly keyrings: readonly string[];
};

export function findLeftovers(token: string): Leftovers {
  return {
    processes: processesOf(token),
    mounts: mountsOf(token),
    cgroups: cgroupsOf(token),
    keyrings: textOf("/proc/keys")
      .split("\n")
      .filter((line) => line.includes(token)),
  };
}

/** Keyrings are not counted: a dead process holds its own until whoever adopted it reaps it. */
export const nothingLeft = (left: Leftovers): boolean =>
  left.processes.length + left.mounts.length + left.cgroups.length === 0;

/** Pids of live processes which run in, below, or on behalf of what the token names. Zombies are not alive. */
export function processesOf(token: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && !isZombie(pid) && mentions(pid, token));
}

function mentions(pid: number, token: string): boolean {
  const ofFile = (name: string): boolean => textOf(`/proc/${pid}/${name}`).includes(token);
  const ofLink = (name: string): boolean => linkOf(`/proc/${pid}/${name}`).includes(token);
  return ofFile("cgroup") || ofFile("cmdline") || ofLink("cwd") || ofLink("root") || hasRootMount(pid, token);
}

/** Every process of this mount namespace sees the test's mounts; only a container has one as its root. */
function hasRootMount(pid: number, token: string): boolean {
  if (linkOf(`/proc/${pid}/ns/mnt`) === linkOf("/proc/self/ns/mnt")) return false;
  const mounts = textOf(`/proc/${pid}/mountinfo`).split("\n");
  return (mounts.find((line) => line.split(" ")[4] === "/") ?? "").includes(token);
}

const isZombie = (pid: number): boolean => {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat === "" || /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
};

function mountsOf(token: string): string[] {
  return textOf("/proc/self/mountinfo")
    .split("\n")
    .filter((line) => (line.split(" ")[4] ?? "").includes(token));
}

export function cgroupsOf(token: string): string[] {
  const mounted = textOf("/proc/self/mountinfo")
    .split("\n")
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(" ")[4] ?? "");
  return mounted.flatMap((top) => directoriesBelow(top)).filter((dir) => dir.includes(token));
}

function directoriesBelow(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap((entry) => [join(dir, entry.name), ...directoriesBelow(join(dir, entry.name))]);
  } catch {
    return []; // removed while we looked
  }
}

/** Removes cgroup directories, the deepest first. Says nothing when one is still busy; a later look tells. */
export function removeCgroups(token: string): void {
  for (const dir of cgroupsOf(token).sort((a, b) => b.length - a.length))
    try {
      rmdirSync(dir);
    } catch {}
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process ended, or the file is not there on this kernel
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
