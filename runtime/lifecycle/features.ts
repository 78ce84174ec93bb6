/**
 * What this build can do (features.md of the runtime specification; `features`). One table to be kept true by hand:
 * engines decide by it what they may ask for, so nothing may stand here that a configuration could not have.
 */
import { seccompVersion } from "../../syscalls/libseccomp.ts";
import { ociVersion, ociVersionMin } from "../config/version.ts";
import { capabilityNames } from "../plan/capabilities.ts";
import { knownMountOptions } from "../plan/mounts/options.ts";

/** The first Linux with all that nothing stands in for: clone with a pidfd (5.2), pidfd_open (5.3). */
const oldestKernel = "5.3";

const hooks = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
] as const;

const namespaces = ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"] as const;

const cgroup = { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true } as const;

const words = (prefix: string, names: string): string[] => names.split(" ").map((name) => prefix + name);

const seccomp = {
  enabled: true,
  actions: words("SCMP_ACT_", "ALLOW ERRNO KILL KILL_PROCESS KILL_THREAD LOG NOTIFY TRACE TRAP"),
  operators: words("SCMP_CMP_", "EQ GE GT LE LT MASKED_EQ NE"),
  archs: words(
    "SCMP_ARCH_",
    "AARCH64 ARM LOONGARCH64 MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PARISC PARISC64 PPC PPC64 PPC64LE RISCV64 S390 S390X X32 X86 X86_64",
  ),
  knownFlags: words("SECCOMP_FILTER_FLAG_", "LOG SPEC_ALLOW TSYNC WAIT_KILLABLE_RECV"),
  supportedFlags: words("SECCOMP_FILTER_FLAG_", "LOG SPEC_ALLOW TSYNC WAIT_KILLABLE_RECV"),
};

const memoryPolicy = {
  modes: words("MPOL_", "BIND DEFAULT INTERLEAVE LOCAL PREFERRED PREFERRED_MANY WEIGHTED_INTERLEAVE"),
  flags: words("MPOL_F_", "NUMA_BALANCING RELATIVE_NODES STATIC_NODES"),
};

/** Annotations that change what a container may do, "x." standing for all that begin so. */
const potentiallyUnsafeConfigAnnotations: readonly string[] = ["org.criu.config", "org.systemd.property."];

/** Of which build the features are. */
export interface Build {
  readonly version: string;
  readonly commit: string;
  readonly quickjs: string;
}

/** The features structure, its members in the order in which runc prints them. */
export function features({ version, commit, quickjs }: Build): object {
  return {
    ociVersionMin,
    ociVersionMax: ociVersion,
    hooks,
    mountOptions: knownMountOptions(),
    linux: {
      namespaces,
      capabilities: capabilityNames,
      cgroup,
      seccomp,
      apparmor: { enabled: true },
      selinux: { enabled: true },
      intelRdt: { enabled: true, schemata: true, monitoring: true },
      memoryPolicy,
      mountExtensions: { idmap: { enabled: true } },
      netDevices: { enabled: true },
    },
    annotations: {
      // containerd asks under this name; whether there is a criu is not asked, as by runc.
      "org.opencontainers.runc.checkpoint.enabled": "true",
      "io.github.seccomp.libseccomp.version": seccompVersion(),
      "runt.commit": commit,
      "runt.kernel.oldest": oldestKernel,
      "runt.quickjs": quickjs,
      "runt.version": version,
    },
    potentiallyUnsafeConfigAnnotations,
  };
}
