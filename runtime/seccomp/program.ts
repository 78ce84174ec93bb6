/** The filter that a container gets: from the cache, or compiled and then kept there. */
import { monotonicNow } from "../../syscalls/clock.ts";
import { host } from "../../syscalls/engine/host.ts";
import { seccompVersion } from "../../syscalls/libseccomp.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { planProgram, type SeccompPlan } from "../plan/seccomp.ts";
import { stringifyJson } from "../spec/read.ts";
import type { LinuxSeccomp } from "../spec/types.ts";
import { CACHE_FORMAT, readCached, writeCached } from "./cache.ts";
import { compileProgram } from "./compile.ts";
import type { SeccompFilter } from "./filter.ts";

/** Makes the filter ready to be loaded. libseccomp itself is opened only when the cache does not have it. */
export function prepareFilter(
  plan: SeccompPlan,
  root: HostPath,
  debugLog: (message: string) => void,
): SeccompFilter {
  const began = monotonicNow();
  const key = keyOf(plan.config);
  const cached = readCached(root, key);
  const program = cached ?? compileAndKeep(plan.config, { root, key, debugLog });
  const micros = (monotonicNow() - began) / 1000n;
  const how = cached === undefined ? "compiled" : "read from the cache";
  debugLog(`seccomp program of ${program.length / 8} instructions ${how} in ${micros} us`);
  return { program, flags: plan.flags, notifies: plan.listener !== undefined };
}

interface Keeping {
  readonly root: HostPath;
  readonly key: string;
  readonly debugLog: (message: string) => void;
}

function compileAndKeep(config: LinuxSeccomp, { root, key, debugLog }: Keeping): Uint8Array {
  const native = host.architecture === "aarch64" ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64";
  const program = compileProgram(planProgram(config, native), debugLog);
  const problem = writeCached(root, key, program);
  if (problem !== undefined) debugLog(`the compiled seccomp profile is not kept: ${problem}`);
  return program;
}

/** SHA-256 of everything that the program depends on; how it is loaded is not part of that. */
function keyOf(config: LinuxSeccomp): string {
  const { defaultAction, defaultErrnoRet = null, architectures = [], syscalls = [] } = config;
  const rules = stringifyJson([defaultAction, defaultErrnoRet, architectures, syscalls]);
  const text = `${CACHE_FORMAT} ${host.architecture} ${seccompVersion()}\n${rules}`;
  return host.hash(encodeUtf8(text)).toString(16);
}
