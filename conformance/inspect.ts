// Looks at a container from outside, through the host's /proc and cgroup files.
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "./command.ts";
import { cgroupVersion } from "./needs.ts";

/** One field of /proc/PID/status, such as "CapBnd". */
export function statusField(pid: number | "self", name: string): string | undefined {
  const lines = readFileSync(`/proc/${pid}/status`, "utf8").split("\n");
  return lines
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1)
    .trim();
}

export const isAlive = (pid: number): boolean => {
  try {
    return !/^[ZX]/.test(statusField(pid, "State") ?? "X");
  } catch {
    return false;
  }
};

export const namespaceOf = (pid: number | "self", type: string): string =>
  readlinkSync(`/proc/${pid}/ns/${type}`);

/** Waits for half a second in which the process sleeps: one that spins has none, however busy the machine. */
export async function assertSleeps(pid: number): Promise<void> {
  let states = "";
  for (let tries = 0; tries < 20; tries++) {
    states = "";
    for (let i = 0; i < 25; i++) {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      states += stat.charAt(stat.lastIndexOf(")") + 2);
      await sleep(0.02);
    }
    if (states.replaceAll("S", "").length <= 7) return;
  }
  throw new Error(`process ${pid} is busy: ${states}`);
}

/** Where the process's cgroup of this controller is on the host: of v1, "" for the unified one; on v2 alone its only one. */
export function cgroupDirectory(pid: number, controller: string): string {
  const named = cgroupVersion === 2 ? "" : controller;
  const line = readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .split("\n")
    .find((entry) => (entry.split(":")[1] ?? "").split(",").includes(named));
  const path = line?.split(":").slice(2).join(":") ?? "";
  return join(cgroupVersion === 2 ? "/sys/fs/cgroup" : hierarchy(controller), path);
}

function hierarchy(controller: string): string {
  const line = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((entry) => {
      const [, filesystem = ""] = entry.split(" - ");
      if (controller === "") return filesystem.startsWith("cgroup2 ");
      return (
        filesystem.startsWith("cgroup ") && (filesystem.split(" ")[2] ?? "").split(",").includes(controller)
      );
    });
  return line?.split(" ")[4] ?? "";
}

/** A cgroup file's value, or undefined when this kernel does not have it. */
export function cgroupValue(pid: number, controller: string, file: string): string | undefined {
  const path = join(cgroupDirectory(pid, controller), file);
  return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
}
