/** Properties of config.json that this version does not implement: none may be ignored in silence. */
import type { Spec } from "../spec/types.ts";

/** What a container would lack, with what to do about it: refuse to start, or start and say so. */
export interface Unsupported {
  readonly field: string;
  readonly verdict: "refuse" | "warn";
}

/** Everything in the configuration that this version cannot do. */
export function findUnsupported(spec: Pick<Spec, "linux" | "process" | "mounts">): Unsupported[] {
  const { linux = {}, process } = spec;
  const found: Unsupported[] = [];
  const check = (present: unknown, field: string, verdict: Unsupported["verdict"]): void => {
    if (present !== undefined && present !== "" && present !== false) found.push({ field, verdict });
  };
  (linux.namespaces ?? []).forEach(({ type }, i) => {
    if (type === "user" || type === "time")
      found.push({ field: `linux.namespaces[${i}] (${type})`, verdict: "refuse" });
  });
  (spec.mounts ?? []).forEach((mount, i) => {
    const special = mount.options?.some((option) => /^r?idmap$/.test(option));
    check(special || mount.uidMappings, `mounts[${i}] (idmap)`, "refuse");
  });
  check(linux.netDevices, "linux.netDevices", "refuse");
  check(linux.memoryPolicy, "linux.memoryPolicy", "refuse");
  check(linux.intelRdt, "linux.intelRdt", "refuse");
  check(linux.personality, "linux.personality", "refuse");
  check(linux.mountLabel, "linux.mountLabel", "refuse");
  check(process?.apparmorProfile, "process.apparmorProfile", "refuse");
  check(process?.selinuxLabel, "process.selinuxLabel", "refuse");
  check(process?.scheduler, "process.scheduler", "refuse");
  check(process?.ioPriority, "process.ioPriority", "refuse");
  check(linux.seccomp, "linux.seccomp", "warn");
  return found;
}
