/**
 * What an ordinary user cannot ask for (runc's configs/validate/rootless.go, in its words), told before anything is
 * made.
 */
import type { Linux, Mount, Spec } from "../config/types.ts";
import { RuntimeError } from "../errors.ts";
import type { ProgramFacts } from "./host_facts.ts";
import { hostId, mapsOwnIdOnly } from "./host_ids.ts";

/** Throws RuntimeError, with the field, when the caller's user has not got what the configuration needs. */
export function refuseRootless(
  { mounts = [], linux = {} }: Spec,
  { euid }: Pick<ProgramFacts, "euid">,
): void {
  if (euid === 0) return;
  const user = linux.namespaces?.find(({ type }) => type === "user");
  if (user === undefined) throw refused("linux.namespaces: rootless container requires user namespaces");
  if (!user.path) {
    for (const kind of ["uid", "gid"] as const)
      if ((linux[`${kind}Mappings`] ?? []).length === 0)
        throw refused(
          `linux.${kind}Mappings: rootless containers requires at least one ${kind.toUpperCase()} mapping`,
        );
    for (const [i, mount] of mounts.entries()) refuseUnmappedOption(mount, i, linux);
  }
}

/** Where the map is one that the user writes without help, setgroups(2) is denied for good. */
export function refuseGroups(
  groups: readonly number[] | undefined,
  { gidMappings = [] }: Linux,
  { euid, egid }: Pick<ProgramFacts, "euid" | "egid">,
): void {
  if (euid === 0 || (groups ?? []).length === 0 || !mapsOwnIdOnly(gidMappings, egid)) return;
  throw refused("process.user.additionalGids: cannot set any additional groups in a rootless container");
}

/** The owner of a new file system: the kernel's EINVAL does not tell which of its options it means. */
function refuseUnmappedOption({ options = [] }: Mount, i: number, linux: Linux): void {
  for (const option of options) {
    const [, kind, id] = /^([ug]id)=(\d+)$/.exec(option) ?? [];
    if (id === undefined) continue;
    const mappings = (kind === "uid" ? linux.uidMappings : linux.gidMappings) ?? [];
    if (hostId(mappings, Number(id)) !== undefined) continue;
    const why = `user namespaces enabled, but no mapping found for ${kind} ${id}`;
    throw refused(
      `mounts[${i}].options: cannot specify ${option} mount option for rootless container: ${why}`,
    );
  }
}

function refused(text: string): RuntimeError {
  return new RuntimeError("invalid-argument", text);
}
