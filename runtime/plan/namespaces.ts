/** Namespaces (config-linux.md "Namespaces"): which are new, which are joined, and in what order. */
import { CLONE_NEWUSER } from "../../syscalls/constants/sched.ts";
import type { HostPath, SpecField } from "../../syscalls/types.ts";
import { field } from "../config/field.ts";
import { namespaceFlags } from "../config/names.ts";
import type { Linux, LinuxIDMapping, LinuxNamespaceType } from "../config/types.ts";
import { planTimeOffsets } from "./time_offsets.ts";

/** user first, as it gives the right to the others; mount last, as paths change. */
const joinOrder: readonly LinuxNamespaceType[] = [
  "user",
  "pid",
  "network",
  "ipc",
  "uts",
  "time",
  "cgroup",
  "mount",
];

/** A namespace to join. */
export interface NamespaceJoin {
  readonly type: LinuxNamespaceType;
  readonly flag: number;
  readonly path: HostPath;
  readonly from: SpecField;
}

/** The maps of a user namespace. */
export interface IdMaps {
  readonly uidMappings: readonly LinuxIDMapping[];
  readonly gidMappings: readonly LinuxIDMapping[];
}

/** Which namespaces the container has. */
export interface NamespacePlan {
  /** In the order of joining. */
  readonly join: readonly NamespaceJoin[];
  /** New ones, as CLONE_NEW*. */
  readonly create: number;
  /** Of a new user namespace. */
  readonly idMaps: IdMaps | undefined;
  /** For /proc/self/timens_offsets; "" leaves the clocks of a new time namespace as they are. */
  readonly timeOffsets: string;
  /** New or joined, as CLONE_NEW*: those that the container does not share with the runtime. */
  readonly own: number;
}

/** Plans `linux.namespaces`, which validation has checked for duplicates, with what belongs to two of them. */
export function planNamespaces(linux: Linux): NamespacePlan {
  const { namespaces = [], timeOffsets, uidMappings = [], gidMappings = [] } = linux;
  let create = 0;
  let own = 0;
  const join: NamespaceJoin[] = [];
  namespaces.forEach(({ type, path = "" }, i) => {
    const flag = namespaceFlags[type];
    own |= flag;
    if (path === "") create |= flag;
    else join.push({ type, flag, path: path as HostPath, from: field("linux", "namespaces", i, "path") });
  });
  join.sort((a, b) => joinOrder.indexOf(a.type) - joinOrder.indexOf(b.type));
  const idMaps = create & CLONE_NEWUSER ? { uidMappings, gidMappings } : undefined;
  return { join, create, own, idMaps, timeOffsets: planTimeOffsets(timeOffsets) };
}
