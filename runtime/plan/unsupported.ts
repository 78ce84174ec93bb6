/** Properties of config.json that this version does not implement: none may be ignored in silence. */
import type { Spec } from "../spec/types.ts";

/** What a container would lack, with what to do about it: refuse to start, or start and say so. */
export interface Unsupported {
  readonly field: string;
  readonly verdict: "refuse" | "warn";
}

/** Everything in the configuration that this version cannot do. */
export function findUnsupported(spec: Spec): Unsupported[] {
  const { linux = {} } = spec;
  const found: Unsupported[] = [];
  const check = (present: unknown, field: string, verdict: Unsupported["verdict"]): void => {
    if (present !== undefined && present !== "" && present !== false) found.push({ field, verdict });
  };
  (linux.namespaces ?? []).forEach(({ type }, i) => {
    if (type === "user") found.push({ field: `linux.namespaces[${i}] (${type})`, verdict: "refuse" });
  });
  check(linux.seccomp, "linux.seccomp", "warn");
  return found;
}
