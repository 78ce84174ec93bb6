// The limits in force on a process, read from the cgroup files of whichever version the host has.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type Limits = {
  /** Bytes; undefined when unlimited. */
  readonly memory: number | undefined;
  /** Microseconds per period; undefined when unlimited. */
  readonly quota: number | undefined;
  readonly period: number;
  readonly cpus: string;
  /** cpu.shares of v1, or cpu.weight of v2. */
  readonly weight: number;
  readonly pids: number | undefined;
};

/** `cgroups` is the text of the process's /proc/PID/cgroup. */
export function limitsIn(cgroups: string): Limits {
  const v1 = (controller: string, name: string): string | undefined =>
    read(join(v1Path(cgroups, controller), name));
  const v2 = (name: string): string => read(join(v2Path(cgroups), name)) ?? "";
  const [quota, period] = v2("cpu.max").split(" ");
  return {
    memory: number(v1("memory", "memory.limit_in_bytes") ?? v2("memory.max")),
    quota: number(v1("cpu", "cpu.cfs_quota_us") ?? quota ?? ""),
    period: Number(v1("cpu", "cpu.cfs_period_us") ?? period),
    cpus: v1("cpuset", "cpuset.cpus") ?? v2("cpuset.cpus"),
    weight: Number(v1("cpu", "cpu.shares") ?? v2("cpu.weight")),
    pids: number(v1("pids", "pids.max") ?? v2("pids.max")),
  };
}

/** How many processes of the cgroup, which is of version 2, the kernel has killed because of its limit. */
export function oomKills(cgroups: string): number {
  const events = read(join(v2Path(cgroups), "memory.events")) ?? "";
  return Number(/^oom_kill (\d+)$/m.exec(events)?.[1]);
}

/** "max", -1, and v1's number just below 2^63 mean that there is no limit. */
function number(text: string): number | undefined {
  const value = Number(text);
  return text === "" || Number.isNaN(value) || value < 0 || value > 2 ** 62 ? undefined : value;
}

const read = (path: string): string | undefined =>
  existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;

function v1Path(cgroups: string, controller: string): string {
  const mount = mounts().find(({ type, options }) => type === "cgroup" && options.includes(controller));
  const line = cgroups.split("\n").find((entry) => entry.split(":")[1]?.split(",").includes(controller));
  return join(mount?.directory ?? "/nonexistent", line?.split(":").slice(2).join(":") ?? "");
}

function v2Path(cgroups: string): string {
  const mount = mounts().find(({ type }) => type === "cgroup2");
  const line = cgroups.split("\n").find((entry) => entry.startsWith("0::"));
  return join(mount?.directory ?? "/nonexistent", line?.slice(3) ?? "");
}

const mounts = () =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [before = "", after = ""] = line.split(" - ");
      const [type = "", , options = ""] = after.split(" ");
      return { type, options: options.split(","), directory: before.split(" ")[4] ?? "" };
    });
