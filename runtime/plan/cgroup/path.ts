/** Where a container's cgroup lies: linux.cgroupsPath by the rules of runc's cgroupfs driver. */
import { OpError } from "../../../syscalls/error.ts";
import type { HostPath, SpecField } from "../../../syscalls/types.ts";
import type { CgroupLayout, CgroupPaths } from "./hierarchies.ts";

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
  const inner = clean(wanted);
  if (inner === "") throw isRoot(wanted);
  const absolute = wanted.startsWith("/");
  const paths: Record<string, HostPath> = {};
  for (const { controllers, mountPoint, own } of layout.hierarchies) {
    const base = absolute ? "" : clean(layout.kind === "v2" ? `${own}/..` : own);
    const path = [mountPoint, base, inner].filter((part) => part !== "").join("/") as HostPath;
    for (const controller of controllers) paths[controller] = path;
  }
  return paths;
}

/** The components of a path seen from "/", without ".", ".." and empty ones; "" is "/" itself. */
function clean(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** The limits would be the host's, and deleting the container could not remove it. */
function isRoot(path: string): OpError {
  const hint = "it names the root of the hierarchy, which cannot be a container's cgroup";
  const data = { op: "use cgroup", object: path, errno: "EINVAL", hint };
  return new OpError(data).askedBy("linux.cgroupsPath" as SpecField);
}
