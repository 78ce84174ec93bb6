/** Capabilities (config.md "Linux Process"; capabilities(7), linux/capability.h): names to masks. */
import type { LinuxCapabilities } from "../config/types.ts";

/** Names in the order of their numbers: CAP_CHOWN is 0. */
export const capabilityNames = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
] as const;

/** What the root of a user namespace has. */
export const ALL_CAPABILITIES = 0xffffffffffffffffn;

/** The five sets as masks, bit n for capability number n. */
export interface CapabilityPlan {
  readonly bounding: bigint;
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
}

/**
 * Plans `process.capabilities`. An absent object means no capability at all, as in runc. Names that are unknown
 * are left out (validation has warned), and so is what is not `available` to this runtime itself, with a warning.
 * With a warning of its own, since the specification lets a container start without: an ambient capability that is
 * not permitted and inheritable as well, which no kernel grants (capabilities(7)).
 */
export function planCapabilities(
  capabilities: LinuxCapabilities | undefined,
  available: bigint,
): { readonly plan: CapabilityPlan; readonly warnings: readonly string[] } {
  const missing = new Set<string>();
  const mask = (names: readonly string[] = []): bigint => {
    let bits = 0n;
    for (const name of names) {
      const number = capabilityNames.indexOf(name as (typeof capabilityNames)[number]);
      if (number < 0) continue;
      if ((available >> BigInt(number)) & 1n) bits |= 1n << BigInt(number);
      else missing.add(name);
    }
    return bits;
  };
  const permitted = mask(capabilities?.permitted);
  const inheritable = mask(capabilities?.inheritable);
  const ambient = mask(capabilities?.ambient);
  const raisable = permitted & inheritable;
  const plan = {
    bounding: mask(capabilities?.bounding),
    effective: mask(capabilities?.effective),
    permitted,
    inheritable,
    ambient: ambient & raisable,
  };
  const list = [...missing].join(", ");
  const warnings = list === "" ? [] : [`this runtime lacks, and so does the container: ${list}`];
  // prctl(2) "PR_CAP_AMBIENT_RAISE"; runc's words for the kernel's answer.
  for (const name of namesOf(ambient & ~raisable))
    warnings.push(`can't raise ambient capability ${name}: operation not permitted (${whyNot(name)})`);
  return { plan, warnings };

  function whyNot(name: string): string {
    const { permitted: allowed = [] } = capabilities ?? {};
    return `it is not in the ${allowed.includes(name) ? "inheritable" : "permitted"} set`;
  }
}

function namesOf(mask: bigint): string[] {
  return capabilityNames.filter((_, number) => (mask >> BigInt(number)) & 1n);
}
