/** Whom a container's cgroup belongs to: config-linux.md "Cgroup ownership". */
import type { Spec } from "../../config/types.ts";
import { cleanPath } from "../../path/clean_path.ts";
import { hostId } from "../host_ids.ts";

/**
 * The user on the host that `process.user.uid` is, when the container has a new cgroup namespace and its cgroup
 * mounted for writing; undefined leaves the cgroup to root. On v1 delegation is not safe, so only v2 asks.
 */
export function planCgroupOwner({ process, mounts = [], linux = {} }: Spec): number | undefined {
  const { namespaces = [], uidMappings = [] } = linux;
  const writable = mounts.some(
    ({ source, destination, options = [] }) =>
      source === "cgroup" && cleanPath(destination) === "sys/fs/cgroup" && !isReadOnly(options),
  );
  if (!writable || !namespaces.some(({ type, path = "" }) => type === "cgroup" && path === ""))
    return undefined;
  const uid = process?.user?.uid ?? 0;
  const mapped = namespaces.some(({ type }) => type === "user");
  return mapped ? hostId(uidMappings, uid) : uid || undefined;
}

/** The last of "ro" and "rw" counts, as for the mount. */
function isReadOnly(options: readonly string[]): boolean {
  return options.lastIndexOf("ro") > options.lastIndexOf("rw");
}
