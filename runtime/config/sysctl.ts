/**
 * config-linux.md "Sysctl": which names a container may set. /proc/sys is only partly per namespace; a name
 * outside of this list, or one whose namespace the container shares with the host, would change the host.
 */
import type { LinuxNamespaceType } from "./types.ts";

/** ipc_namespaces(7). */
const ipcNames = new Set(
  "msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced".split(" ").map((name) => `kernel.${name}`),
);

const oddCharacter = /[^\u0021-\u007e]/;

/**
 * The path below /proc/sys that a name stands for, or undefined when it is no such name. As sysctl(8): the first
 * separator decides which of "." and "/" separates; the other one then stands for itself within a component
 * (net/ipv4/conf/eno2.100/rp_filter is net.ipv4.conf.eno2/100.rp_filter).
 */
export function sysctlPath(name: string): readonly string[] | undefined {
  if (oddCharacter.test(name)) return undefined;
  const slashes = name.search(/[./]/) === name.indexOf("/");
  const parts = slashes ? name.split("/") : name.split(".").map((part) => part.replaceAll("/", "."));
  return parts.length > 1 && parts.every((part) => part !== "" && part !== "." && part !== "..")
    ? parts
    : undefined;
}

/** Why a container with these namespaces may not set `name`; undefined when it may. */
export function sysctlProblem(
  name: string,
  namespaces: { has(type: LinuxNamespaceType): boolean },
): string | undefined {
  const path = sysctlPath(name);
  if (path === undefined) return "not the name of a sysctl";
  const dotted = path.map((part) => part.replaceAll(".", "/")).join(".");
  const quoted = JSON.stringify(dotted);
  if (dotted === "kernel.hostname")
    return `sysctl ${quoted} is not allowed as it conflicts with the OCI "hostname" field`;
  if (ipcNames.has(dotted) || dotted.startsWith("fs.mqueue."))
    return namespaces.has("ipc") ? undefined : `sysctl ${quoted} is not allowed in the hosts ipc namespace`;
  if (dotted.startsWith("net."))
    return namespaces.has("network") ? undefined : `sysctl ${quoted} not allowed in host network namespace`;
  if (dotted === "kernel.domainname" && namespaces.has("uts")) return undefined;
  if (dotted.startsWith("user.") && namespaces.has("user")) return undefined;
  return `sysctl ${quoted} is not in a separate kernel namespace`;
}
