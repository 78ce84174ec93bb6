/** Namespaces (config-linux.md "Namespaces"): which are new, which are joined, and in what order. */
import * as S from "../../syscalls/constants/sched.ts";
import type { HostPath, SpecField } from "../../syscalls/types.ts";
import { field } from "../config/field.ts";
import type { Linux, LinuxIDMapping, LinuxNamespaceType } from "../config/types.ts";
import { planTimeOffsets } from "./time_offsets.ts";

/** CLONE_NEW* of each type of namespace. */
export const namespaceFlags: Readonly<Record<LinuxNamespaceType, number>> = {
  user: S.CLONE_NEWUSER,
  pid: S.CLONE_NEWPID,
  network: S.CLONE_NEWNET,
  ipc: S.CLONE_NEWIPC,
  uts: S.CLONE_NEWUTS,
  time: S.CLONE_NEWTIME,
  cgroup: S.CLONE_NEWCGROUP,
  mount: S.CLONE_NEWNS,
};

/** The file in /proc/<pid>/ns of each type. */
export const namespaceFiles: Readonly<Record<LinuxNamespaceType, string>> = {
  user: "user",
  pid: "pid",
  network: "net",
  ipc: "ipc",
  uts: "uts",
  time: "time",
  cgroup: "cgroup",
  mount: "mnt",
};

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
  /** In the order of joining: user first, as it gives the right to the others; mount last, as paths change. */
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
  const order = Object.keys(namespaceFlags);
  let create = 0;
  let own = 0;
  const join: NamespaceJoin[] = [];
  namespaces.forEach(({ type, path = "" }, i) => {
    const flag = namespaceFlags[type];
    own |= flag;
    if (path === "") create |= flag;
    else join.push({ type, flag, path: path as HostPath, from: field("linux", "namespaces", i, "path") });
  });
  join.sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
  const idMaps = create & S.CLONE_NEWUSER ? { uidMappings, gidMappings } : undefined;
  return { join, create, own, idMaps, timeOffsets: planTimeOffsets(timeOffsets) };
}
