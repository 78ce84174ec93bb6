/**
 * config-linux.md: a runtime may refuse a cgroup that is not fit for a new container; engines match runc's words
 * (libcontainer/factory_linux.go, Create).
 */
import type { HostPath } from "../../syscalls/types.ts";
import { CgroupInUse, type CgroupManager } from "./manager.ts";

/**
 * Throws when there are processes in it, or when whatever is put into it would stand still: because of itself, or of
 * `frozen`, a cgroup around it.
 */
export function requireUsable(cgroup: CgroupManager, frozen: HostPath | undefined): void {
  const { length } = cgroup.processes();
  if (length > 0) throw new CgroupInUse(`container's cgroup is not empty: ${length} process(es) found`);
  if (cgroup.freezerState() === "frozen") throw new CgroupInUse("container's cgroup unexpectedly frozen");
  if (frozen !== undefined)
    throw new CgroupInUse(`container's cgroup unexpectedly frozen, together with ${frozen}`);
}
