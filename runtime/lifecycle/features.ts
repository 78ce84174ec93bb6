/**
 * What this build can do (features.md of the runtime specification; `features`). Engines decide by it what they may ask
 * for: names come from the tables that validation reads, so that both know the same.
 */
import { seccompVersion } from "../../syscalls/libseccomp.ts";
import { knownMountOptions } from "../config/mount_options.ts";
import * as N from "../config/names.ts";
import type { Features } from "../config/types.ts";
import { ociVersion, ociVersionMin } from "../config/version.ts";

/** The first Linux with all that nothing stands in for: pidfds by clone(2), and poll(2) of them (docs/kernels.md). */
const oldestKernel = "5.3";

const cgroup = { v1: true, v2: true, systemd: true, systemdUser: true, rdma: true } as const;

/** As from runc, where the order means nothing. */
const sorted = <T extends string>(table: Readonly<Record<T, number>>): T[] => N.namesOf(table).sort();

const seccomp = {
  enabled: true,
  actions: sorted(N.seccompActions),
  operators: sorted(N.seccompOperators),
  archs: sorted(N.seccompArchitectures),
  knownFlags: sorted(N.seccompFlags),
  supportedFlags: sorted(N.seccompFlags),
};

const memoryPolicy = { modes: sorted(N.memoryPolicyModes), flags: sorted(N.memoryPolicyFlags) };

/** Annotations that change what a container may do, "x." standing for all that begin so. */
const potentiallyUnsafeConfigAnnotations: readonly string[] = [
  "org.criu.config",
  "org.systemd.property.",
  "run.oci.keep_original_groups",
];

/** Of which build the features are. */
export interface Build {
  readonly version: string;
  readonly commit: string;
  readonly quickjs: string;
}

/** The features structure, its members in the order in which runc prints them. */
export function features({ version, commit, quickjs }: Build): Features {
  return {
    ociVersionMin,
    ociVersionMax: ociVersion,
    hooks: N.hookKinds,
    mountOptions: knownMountOptions(),
    linux: {
      namespaces: sorted(N.namespaceFlags),
      capabilities: N.namesOf(N.capabilityNumbers),
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
