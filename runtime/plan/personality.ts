/** The execution domain (config-linux.md "Personality"). No flag is defined; validation has warned of any. */
import { PER_LINUX, PER_LINUX32 } from "../../syscalls/constants/personality.ts";
import type { LinuxPersonality } from "../config/types.ts";

const domains: Readonly<Record<LinuxPersonality["domain"], number>> = {
  LINUX: PER_LINUX,
  LINUX32: PER_LINUX32,
};

/** The argument of personality(2); undefined leaves what the caller has. */
export function planPersonality(personality: LinuxPersonality | undefined): number | undefined {
  return personality === undefined ? undefined : domains[personality.domain];
}
