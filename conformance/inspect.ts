// Looks at a container from outside, through the host's /proc and cgroup files.
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

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

/** Where the process's cgroup of this v1 controller is on the host. */
export function cgroupDirectory(pid: number, controller: string): string {
  const line = readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .split("\n")
    .find((entry) => (entry.split(":")[1] ?? "").split(",").includes(controller));
  const path = line?.split(":").slice(2).join(":") ?? "";
  return join(hierarchy(controller), path);
}

function hierarchy(controller: string): string {
  const line = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((entry) => {
      const [, filesystem = ""] = entry.split(" - ");
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
