/**
 * Who has no right to make cgroups goes on without, as runc does (cgroups/fs/fs.go, isIgnorableError): an ordinary
 * user, and root of a user namespace in which only a part of the hierarchies, or none, was delegated.
 */
import { AT_EACCESS, W_OK, X_OK } from "../../syscalls/constants/fcntl.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { CWD } from "../../syscalls/open.ts";
import { tryAccess } from "../../syscalls/stat.ts";
import type { HostPath } from "../../syscalls/types.ts";
import type { CgroupLayout, SystemdPlace } from "../plan/cgroup/hierarchies.ts";
import { defaultParent } from "../plan/cgroup/path.ts";
import { inUserNamespace } from "./user_namespace.ts";

/** What --rootless comes to; "auto" is decided by who we are, with systemd by whose it is. */
export function isRootless(rootless: boolean | "auto", systemd: SystemdPlace | undefined): boolean {
  if (rootless !== "auto") return rootless;
  if (geteuid() !== 0) return true;
  return systemd === undefined ? inUserNamespace() : systemd.bus === "user";
}

/** The mount points of the hierarchies in which this process may make a cgroup where containers have theirs by default. */
export function readCgroupRights(layout: CgroupLayout): ReadonlySet<HostPath> {
  const usable = layout.hierarchies.filter((hierarchy) => {
    const parent = defaultParent(hierarchy, layout.kind);
    // cgroups(7), "Delegating": who is moved must be allowed out of the cgroup around both.
    return mayWrite(parent, W_OK | X_OK) && mayWrite(`${parent}/cgroup.procs`, W_OK);
  });
  return new Set(usable.map(({ mountPoint }) => mountPoint));
}

function mayWrite(path: string, mode: number): boolean {
  return tryAccess(CWD, path, mode, AT_EACCESS) === 0;
}
