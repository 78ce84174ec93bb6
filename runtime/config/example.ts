/**
 * The configuration that `spec` prints: the same content as runc's (libcontainer/specconv/example.go), so that what
 * people know about it holds.
 */
import type { LinuxNamespaceType, Mount, Spec } from "./types.ts";
import { ociVersion } from "./version.ts";

export interface ExampleOptions {
  readonly rootless: boolean;
  /** The caller, who becomes root of a rootless container. */
  readonly euid: number;
  readonly egid: number;
  /** Whether this host has cgroup v2 only: then the container gets a cgroup namespace too. */
  readonly cgroup2: boolean;
}

const capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

/** A small, valid configuration (config.md "Configuration Schema Example") that runs a shell. */
export function exampleSpec({ rootless, euid, egid, cgroup2 }: ExampleOptions): Spec {
  const namespaces: LinuxNamespaceType[] = rootless
    ? ["pid", "ipc", "uts", "mount"]
    : ["pid", "network", "ipc", "uts", "mount"];
  if (cgroup2) namespaces.push("cgroup");
  if (rootless) namespaces.push("user");
  return {
    ociVersion,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ["sh"],
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
      cwd: "/",
      capabilities: {
        bounding: capabilities,
        effective: capabilities,
        permitted: capabilities,
      },
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "runc",
    mounts: mounts(rootless),
    linux: {
      ...(rootless
        ? {
            uidMappings: [{ containerID: 0, hostID: euid, size: 1 }],
            gidMappings: [{ containerID: 0, hostID: egid, size: 1 }],
          }
        : { resources: { devices: [{ allow: false, access: "rwm" }] } }),
      namespaces: namespaces.map((type) => ({ type })),
      maskedPaths: [
        "/proc/acpi",
        "/proc/asound",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/sys/firmware",
        "/proc/scsi",
      ],
      readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
  };
}

function mounts(rootless: boolean): readonly Mount[] {
  const still = ["nosuid", "noexec", "nodev"];
  const pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
  return [
    mount("/proc", "proc", "proc"),
    mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
    // Group 5 is tty's, which one mapped id does not reach.
    mount("/dev/pts", "devpts", "devpts", rootless ? pts : [...pts, "gid=5"]),
    mount("/dev/shm", "tmpfs", "shm", [...still, "mode=1777", "size=65536k"]),
    mount("/dev/mqueue", "mqueue", "mqueue", still),
    // The host's network namespace belongs to another user namespace: mounting sysfs would be refused.
    rootless
      ? mount("/sys", "none", "/sys", ["rbind", ...still, "ro"])
      : mount("/sys", "sysfs", "sysfs", [...still, "ro"]),
    mount("/sys/fs/cgroup", "cgroup", "cgroup", [...still, "relatime", "ro"]),
  ];
}

function mount(destination: string, type: string, source: string, options?: readonly string[]): Mount {
  return options === undefined ? { destination, type, source } : { destination, type, source, options };
}
