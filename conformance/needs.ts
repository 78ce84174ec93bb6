// What a test needs of the machine. A need that is not met skips the test, and always with a printed reason;
// scripts/test.ts counts those lines.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, delimiter, join } from "node:path";

export type Need = "root" | "cgroup1" | "built" | "apparmor" | "faults" | "two-cpus" | CommandName;
type CommandName =
  | "cc"
  | "containerd"
  | "runc"
  | "crun"
  | "unshare"
  | "nsenter"
  | "strace"
  | "busybox"
  | "mount"
  | "ip"
  | "taskset"
  | "setpriv"
  | "apparmor_parser";

/** The runtime under test. */
export const runtimePath = process.env.RUNT ?? new URL("../dist/runt", import.meta.url).pathname;

/** The same runtime in a build in which the environment can make system calls fail (syscalls/faults.ts). */
export const faultsPath = new URL("../dist/runt-faults", import.meta.url).pathname;

/** Whether the runtime under test is runc itself, which the suite is tried against. */
export const testingRunc = existsSync(runtimePath) && basename(realpathSync(runtimePath)) === "runc";

export function findCommand(name: string): string | undefined {
  const path = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;
  return path
    .split(delimiter)
    .map((dir) => join(dir, name))
    .find((file) => existsSync(file));
}

/** The reason why a need is not met, or undefined when it is. */
export function missing(need: Need): string | undefined {
  if (need === "root") return process.getuid?.() === 0 ? undefined : "not running as root";
  if (need === "cgroup1") return cgroupV1() ? undefined : "no cgroup v1 memory hierarchy is mounted";
  if (need === "apparmor")
    return existsSync("/sys/kernel/security/apparmor") ? undefined : "AppArmor is not enabled on this host";
  if (need === "faults")
    return existsSync(faultsPath) ? undefined : "no build with fault injection (scripts/build.ts --faults)";
  if (need === "two-cpus") return availableParallelism() > 1 ? undefined : "there is only one CPU";
  if (need === "built") return testingRunc ? "is about the executable built by Bun" : undefined;
  return findCommand(need) ? undefined : `the command ${need} is not installed`;
}

/** True when all are met; otherwise prints why the test is skipped. */
export function needs(title: string, ...all: readonly Need[]): boolean {
  const reasons = all.map(missing).filter((reason) => reason !== undefined);
  if (reasons.length > 0) console.log(`skip: ${title}: ${reasons.join("; ")}`);
  return reasons.length === 0;
}

function cgroupV1(): boolean {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => / - cgroup \S+ \S*\bmemory\b/.test(line));
}
