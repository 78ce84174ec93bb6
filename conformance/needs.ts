// What a test needs of the machine. A need that is not met skips the test, and always with a printed reason;
// scripts/test.ts counts those lines.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { availableParallelism, release } from "node:os";
import { basename, delimiter, join } from "node:path";

export type Need =
  | "root"
  | "cgroup1"
  | "cgroup2"
  | "systemd"
  | "test machine"
  | "built"
  | "apparmor"
  | "cni"
  | "update"
  | "systemd files"
  | "overlay"
  | "musl"
  | "faults"
  | "two-cpus"
  | "criu"
  | "criu pre-dump"
  | "criu lazy-pages"
  | "criu tcp"
  | "CAP_SYS_RESOURCE"
  | CommandName;
type CommandName =
  | "cc"
  | "containerd"
  | "ctr"
  | "containerd-shim"
  | "containerd-shim-runc-v1"
  | "podman"
  | "conmon"
  | "netavark"
  | "aardvark-dns"
  | "catatonit"
  | "podman-compose"
  | "dockerd"
  | "docker"
  | "docker-compose"
  | "iptables"
  | "dpkg"
  | "dpkg-deb"
  | "npm"
  | "qemu-aarch64-static"
  | "aarch64-linux-gnu-gcc"
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
  | "newuidmap"
  | "slirp4netns"
  | "apparmor_parser";

/** The runtime under test: the path in RUNT, the command named in RUNTIME, or what the build made. */
export const runtimePath =
  process.env.RUNT ?? named(process.env.RUNTIME) ?? new URL("../dist/runt", import.meta.url).pathname;

/** The same runtime in a build in which the environment can make system calls fail (syscalls/faults.ts). */
export const faultsPath = new URL("../dist/runt-faults", import.meta.url).pathname;

/** Whether the runtime under test is runc itself, which the suite is tried against. */
export const testingRunc = existsSync(runtimePath) && basename(realpathSync(runtimePath)) === "runc";

function named(command: string | undefined): string | undefined {
  if (command === undefined) return undefined;
  const path = findCommand(command);
  if (path === undefined) throw new Error(`RUNTIME=${command}: there is no such command`);
  return path;
}

export function findCommand(name: string): string | undefined {
  const path = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;
  return path
    .split(delimiter)
    .map((dir) => join(dir, name))
    .find((file) => existsSync(file));
}

/** Of Debian's package musl. */
export const muslLibrary = "/lib/x86_64-linux-musl/libc.so";

/** Where Podman looks for programs of its own. */
const helperDirectories = ["/usr/lib/podman", "/usr/libexec/podman"];

/** The reason why a need is not met, or undefined when it is. */
export function missing(need: Need): string | undefined {
  if (need === "root") return process.getuid?.() === 0 ? undefined : "not running as root";
  if (need === "cgroup1") return cgroupV1() ? undefined : "no cgroup v1 memory hierarchy is mounted";
  if (need === "cgroup2")
    return cgroupVersion === 2 ? undefined : "cgroup v2 is not all that this host mounts";
  if (need === "systemd")
    return existsSync("/run/systemd/system") ? undefined : "this host does not run systemd"; // sd_booted(3)
  if (need === "test machine") return inTestMachine ? undefined : "this is not the test machine (docs/vm.md)";
  if (need === "apparmor")
    return existsSync("/sys/kernel/security/apparmor") ? undefined : "AppArmor is not enabled on this host";
  if (need === "cni")
    return existsSync("/usr/lib/cni/loopback") ? undefined : "no CNI plugins in /usr/lib/cni";
  if (need === "update")
    return execute(runtimePath, ["update", "--help"]).includes("--resources")
      ? undefined
      : "the runtime has no update --resources";
  if (need === "musl") return existsSync(muslLibrary) ? undefined : `there is no ${muslLibrary}`;
  if (need === "systemd files")
    return existsSync("/usr/lib/systemd/systemd") ? undefined : "there is no systemd in /usr";
  if (need === "overlay")
    return /\boverlay$/m.test(readFileSync("/proc/filesystems", "utf8"))
      ? undefined
      : "the kernel has no overlayfs";
  if (need === "faults")
    return existsSync(faultsPath) ? undefined : "no build with fault injection (scripts/build.ts --faults)";
  if (need === "two-cpus") return availableParallelism() > 1 ? undefined : "there is only one CPU";
  if (need === "criu") return criuTrouble();
  if (need === "criu pre-dump") return criuTrouble() ?? criuTrouble("--feature", "mem_dirty_track");
  if (need === "criu lazy-pages") return criuTrouble() ?? lazyTrouble();
  if (need === "criu tcp") return criuTrouble() ?? tcpTrouble();
  if (need === "CAP_SYS_RESOURCE") return hasCapability(24) ? undefined : "root lacks CAP_SYS_RESOURCE here";
  if (need === "built") return testingRunc ? "is about the executable that is built here" : undefined;
  if (need === "netavark" || need === "aardvark-dns")
    return helperDirectories.some((dir) => existsSync(join(dir, need)))
      ? undefined
      : `Podman has no ${need} in ${helperDirectories.join(" or ")}`;
  return findCommand(need) ? undefined : `the command ${need} is not installed`;
}

/** By its number (linux/capability.h). */
function hasCapability(number: number): boolean {
  const [, effective = "0"] = /^CapEff:\s*(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return ((BigInt(`0x${effective}`) >> BigInt(number)) & 1n) === 1n;
}

/** Why criu is of no use on this kernel; it is asked once for each thing. */
function criuTrouble(...more: readonly string[]): string | undefined {
  const words = ["check", ...more];
  const key = words.join(" ");
  if (!criuChecks.has(key)) criuChecks.set(key, checkCriu(words));
  return criuChecks.get(key);
}

const criuChecks = new Map<string, string | undefined>();

/** 3.17 for criu 3.17.1. */
export function criuVersion(): number {
  const said = execute(findCommand("criu") ?? "", ["--version"]);
  return Number(/^Version: (\d+\.\d+)/m.exec(said)?.[1] ?? 0);
}

function lazyTrouble(): string | undefined {
  // "page-pipe: splice: -1: Bad file descriptor" in its dump.log, with runc as well.
  const version = criuVersion();
  if (version === 4.1 || version === 4.2) return `criu ${version} does not serve lazy pages`;
  return criuTrouble("--feature", "uffd-noncoop");
}

function tcpTrouble(): string | undefined {
  // "sockets: Can't get 1:16 opt: Operation not supported" in its dump.log, with runc as well.
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const refuses = major > 6 || (major === 6 && minor >= 16);
  return refuses && criuVersion() === 4.1
    ? "criu 4.1 asks a TCP socket for SO_PASSCRED, which Linux 6.16 refuses"
    : undefined;
}

function checkCriu(words: readonly string[]): string | undefined {
  const path = findCommand("criu");
  if (path === undefined) return "the command criu is not installed";
  const { status, stderr } = spawnSync(path, words, { encoding: "utf8" });
  if (status === 0) return undefined;
  const error = stderr.split("\n").find((line) => line.includes("Error")) ?? stderr.trim();
  return `criu ${words.join(" ")} fails on this kernel: ${error}`;
}

const execute = (file: string, args: readonly string[]): string =>
  spawnSync(file, args, { encoding: "utf8" }).stdout ?? "";

/** True when all are met; otherwise prints why the test is skipped. */
export function needs(title: string, ...all: readonly Need[]): boolean {
  const reasons = all.map(missing).filter((reason) => reason !== undefined);
  if (reasons.length > 0) console.log(`skip: ${title}: ${reasons.join("; ")}`);
  return reasons.length === 0;
}

/** Of which nothing stays: a test may do with it what it likes. */
export const inTestMachine: boolean = existsSync("/usr/local/sbin/vm-agent");

/** 2 on a host with nothing but the unified hierarchy, else 1; a hybrid is limited by its v1 controllers. */
export const cgroupVersion: 1 | 2 = existsSync("/sys/fs/cgroup/cgroup.controllers") ? 2 : 1;

function cgroupV1(): boolean {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => / - cgroup \S+ \S*\bmemory\b/.test(line));
}
