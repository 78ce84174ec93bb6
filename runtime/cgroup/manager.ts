/** STAND-IN */
import type { HostPath, Pid } from "../../syscalls/types.ts";
import type { CgroupView } from "../init/cgroup_mount.ts";
import type { LinuxResources, Spec } from "../spec/types.ts";
export interface CgroupManager {
  readonly paths: Readonly<Record<string, HostPath>>;
  create(): void;
  plan(resources: LinuxResources | undefined): unknown;
  apply(plan: unknown): void;
  requireUsable(): void;
  join(pid: Pid): void;
  processes(): readonly Pid[];
  freezerState(): "thawed" | "frozen";
  freeze(): void;
  thaw(): void;
  killAll(signal: number): void;
  remove(): void;
  exists(): boolean;
  view(ownNamespace: boolean): CgroupView;
}
export function openCgroup(paths: Readonly<Record<string, HostPath>>): CgroupManager {
  return {
    paths,
    create() {},
    plan: () => 0,
    apply() {},
    requireUsable() {},
    join() {},
    processes: () => [],
    freezerState: () => "thawed",
    freeze() {},
    thaw() {},
    killAll() {},
    remove() {},
    exists: () => false,
    view: (ownNamespace) => ({ mode: "none", ownNamespace, hierarchies: [] }),
  };
}
export function planCgroup(_spec: Spec, _id: string): CgroupManager {
  return openCgroup({});
}
