/** What the ids of a container are on the host, as far as its configuration says (user_namespaces(7)). */
import type { Linux, LinuxIDMapping } from "../config/types.ts";

/** A user and a group. */
export interface HostIds {
  readonly uid: number;
  readonly gid: number;
}

/** The container's root; undefined when that is the host's own, or when the maps are those of a namespace at a path. */
export function rootOnHost({
  namespaces = [],
  uidMappings = [],
  gidMappings = [],
}: Linux): HostIds | undefined {
  if (!namespaces.some(({ type }) => type === "user")) return undefined;
  const [uid, gid] = [hostId(uidMappings, 0), hostId(gidMappings, 0)];
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** True of what an ordinary user may write without help: a single id, the user's own (user_namespaces(7)). */
export function mapsOwnIdOnly(mappings: readonly LinuxIDMapping[], own: number): boolean {
  const [only, ...more] = mappings;
  return only?.hostID === own && only.size === 1 && more.length === 0;
}

/** An id without a mapping is a mistake that is told elsewhere. */
export function hostId(mappings: readonly LinuxIDMapping[], id: number): number | undefined {
  const mapping = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return mapping && mapping.hostID + id - mapping.containerID;
}
