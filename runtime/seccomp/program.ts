/** The filter that a container gets: from the cache, or compiled and then kept there. */
import { asking } from "../../syscalls/asking.ts";
import { monotonicNow } from "../../syscalls/clock.ts";
import { nativeArchitecture, seccompVersion } from "../../syscalls/libseccomp.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { stringifyJson } from "../config/json.ts";
import type { LinuxSeccomp } from "../config/types.ts";
import { planSeccompProgram, type SeccompPlan } from "../plan/seccomp/filter.ts";
import { CACHE_FORMAT, readCached, writeCached } from "./cache.ts";
import { compileProgram } from "./compile.ts";
import type { SeccompFilter } from "./filter.ts";

/** Makes the filter ready to be loaded. libseccomp is asked only when the cache does not have it. */
export function prepareFilter(
  plan: SeccompPlan,
  root: HostPath,
  debugLog: (message: string) => void,
): SeccompFilter {
  const began = monotonicNow();
  const text = canonicalText(plan.config, seccompVersion());
  const { cached, program } = asking("linux.seccomp", () => {
    const cached = readCached(root, text);
    return { cached, program: cached ?? compileAndKeep(plan.config, { root, text, debugLog }) };
  });
  const micros = (monotonicNow() - began) / 1000n;
  const how = cached === undefined ? "compiled" : "read from the cache";
  debugLog(`seccomp program of ${program.length / 8} instructions ${how} in ${micros} us`);
  return { program, flags: plan.flags, notifies: plan.listener !== undefined };
}

interface Keeping {
  readonly root: HostPath;
  readonly text: string;
  readonly debugLog: (message: string) => void;
}

function compileAndKeep(config: LinuxSeccomp, { root, text, debugLog }: Keeping): Uint8Array {
  const program = compileProgram(planSeccompProgram(config, nativeArchitecture), debugLog);
  const problem = writeCached(root, text, program);
  if (problem !== undefined) debugLog(`the compiled seccomp profile is not kept: ${problem}`);
  return program;
}

/**
 * Everything that the program depends on, the same text for the same rules; how it is loaded is not part of that.
 * `identity` is what differs whenever libseccomp does.
 */
export function canonicalText(config: LinuxSeccomp, identity: string): string {
  const { defaultAction, defaultErrnoRet = null, architectures = [], syscalls = [] } = config;
  const rules = stringifyJson([defaultAction, defaultErrnoRet, architectures, syscalls]);
  return `${CACHE_FORMAT} ${nativeArchitecture} ${identity}\n${rules}`;
}
