/** Capabilities (config.md "Linux Process"; capabilities(7), linux/capability.h): names to masks. */
import { capabilityNumbers, namesOf, numberOf } from "../config/names.ts";
import type { LinuxCapabilities } from "../config/types.ts";

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
 * Plans `process.capabilities`. An absent object means no capability at all, as in runc
 * (libcontainer/capabilities, New). Names that are unknown
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
      const number = numberOf(capabilityNumbers, name);
      if (number === undefined) continue;
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
  for (const name of namesIn(ambient & ~raisable))
    warnings.push(`can't raise ambient capability ${name}: operation not permitted (${whyNot(name)})`);
  return { plan, warnings };

  function whyNot(name: string): string {
    const { permitted: allowed = [] } = capabilities ?? {};
    return `it is not in the ${allowed.includes(name) ? "inheritable" : "permitted"} set`;
  }
}

function namesIn(mask: bigint): string[] {
  return namesOf(capabilityNumbers).filter((name) => (mask >> BigInt(capabilityNumbers[name] ?? 0)) & 1n);
}
