/**
 * Where a container's cgroup lies: linux.cgroupsPath by the rules of runc (specconv/spec_linux.go,
 * CreateCgroupConfig).
 */
import { OpError } from "../../../syscalls/error.ts";
import type { HostPath, SpecField } from "../../../syscalls/types.ts";
import { cleanPath } from "../../path/clean_path.ts";
import type { CgroupHierarchy, CgroupLayout, CgroupPaths } from "./hierarchies.ts";

/**
 * An absolute path counts from the mount point of each hierarchy, a relative one from this process's own cgroup
 * there (on v2 from its parent, because a cgroup with processes cannot have limited children). Without a path it
 * is the container's id, relative. ".." never leads out: the path is cleaned as if "/" were above it.
 */
export function planCgroupPaths(
  cgroupsPath: string | undefined,
  id: string,
  layout: CgroupLayout,
): CgroupPaths {
  const wanted = cgroupsPath || id;
  const inner = cleanPath(wanted);
  if (inner === "") throw isRoot(wanted);
  const absolute = wanted.startsWith("/");
  const paths: Record<string, HostPath> = {};
  for (const hierarchy of layout.hierarchies) {
    const top = absolute ? hierarchy.mountPoint : defaultParent(hierarchy, layout.kind);
    for (const controller of hierarchy.controllers) paths[controller] = `${top}/${inner}` as HostPath;
  }
  return paths;
}

/** The cgroup that a relative path counts from. */
export function defaultParent({ mountPoint, own }: CgroupHierarchy, kind: CgroupLayout["kind"]): HostPath {
  const base = cleanPath(kind === "v2" ? `${own}/..` : own);
  return (base === "" ? mountPoint : `${mountPoint}/${base}`) as HostPath;
}

/** The limits would be the host's, and deleting the container could not remove it. */
function isRoot(path: string): OpError {
  const hint = "it names the root of the hierarchy, which cannot be a container's cgroup";
  const data = { op: "use cgroup", object: path, errno: "EINVAL", hint };
  return new OpError(data).askedBy("linux.cgroupsPath" as SpecField);
}
