/** The execution domain (config-linux.md "Personality"). No flag is defined; validation has warned of any. */
import { personalityDomains } from "../config/names.ts";
import type { LinuxPersonality } from "../config/types.ts";

/** The argument of personality(2); undefined leaves what the caller has. */
export function planPersonality(personality: LinuxPersonality | undefined): number | undefined {
  return personality === undefined ? undefined : personalityDomains[personality.domain];
}
