/**
 * The systemd driver (--systemd-cgroup): systemd makes the cgroup as that of a transient scope or slice and keeps the
 * limits that it has properties for. The control files are written as well, since it does not know all of them.
 */
import { EXDEV } from "../../syscalls/constants/errno.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import type { Pid } from "../../syscalls/types.ts";
import { type CgroupPaths, type SystemdUnit, versionOf } from "../plan/cgroup/hierarchies.ts";
import type { CgroupPlan } from "../plan/cgroup/write.ts";
import type { UnitPlan, UnitToMake } from "../plan/systemd/unit.ts";
import type { UnitProperty } from "../plan/systemd/unit_property.ts";
import { readCgroups } from "../proc/cgroup.ts";
import { withSystemd } from "../systemd/client.ts";
import { refuseUsed } from "./control_file.ts";
import type { CgroupManager, FreezerState } from "./manager.ts";

/** A cgroup inside of a unit; `files` is the manager of its directories. */
export class SystemdCgroup implements CgroupManager {
  readonly driver = "systemd";
  /** Before that a unit of this name is somebody else's. */
  private made: boolean;

  constructor(
    private readonly files: CgroupManager,
    readonly unit: SystemdUnit,
    private readonly toMake?: UnitToMake,
  ) {
    this.made = toMake === undefined;
  }

  get paths(): CgroupPaths {
    return this.files.paths;
  }

  /** A scope cannot be without a process, so the unit is made around those that exist. */
  create(limits: CgroupPlan, pids?: readonly Pid[]): void {
    if (pids === undefined || this.toMake === undefined)
      throw new Error("a systemd unit starts with the processes that it is for");
    const { plan, path, annotated } = this.toMake;
    const properties = [...unitProperties(plan, pids, this.isV1()), ...annotated, ...limitsOf(limits)];
    withSystemd(this.unit, (systemd) => {
      this.made = true;
      try {
        systemd.startUnit(this.unit.name, properties);
      } catch (error) {
        this.made = !isErrno(error, "EEXIST");
        throw error;
      }
    });
    if (plan.kind === "scope") for (const pid of pids) this.requireInside(pid, path);
    // The controllers that systemd does not know, on v1 with directories of their own.
    this.files.create(limits);
    if (plan.kind === "slice" || this.isV1()) for (const pid of pids) this.files.join(pid);
  }

  apply(plan: CgroupPlan): void {
    this.files.apply(plan);
  }

  /** systemd first: it may write the files at any later time. On v1 it opens all devices while it changes its rules. */
  update(plan: CgroupPlan): void {
    for (const write of plan.writes) {
      const directory = this.paths[write.controller] ?? this.paths[""];
      if (directory !== undefined) refuseUsed(directory, write);
    }
    const set = () =>
      withSystemd(this.unit, (systemd) => systemd.setProperties(this.unit.name, limitsOf(plan)));
    if (this.isV1() && this.files.freezerState() === "thawed") this.whileFrozen(set);
    else set();
    this.files.apply(plan);
  }

  requireUsable(): void {
    this.files.requireUsable();
  }

  join(pid: Pid): void {
    // A user may not write to the cgroup that the process comes from; the user's systemd may.
    if (this.unit.bus === "user") withSystemd(this.unit, (systemd) => systemd.attach(this.unit.name, pid));
    else this.files.join(pid);
  }

  processes(): readonly Pid[] {
    return this.files.processes();
  }

  freezerState(): FreezerState {
    return this.files.freezerState();
  }

  freeze(): void {
    this.files.freeze();
  }

  thaw(): void {
    this.files.thaw();
  }

  thawAll(): void {
    this.files.thawAll();
  }

  killAll(signal: number): void {
    this.files.killAll(signal);
  }

  /** What systemd leaves is removed as well: on v1 the hierarchies that it does not use. */
  remove(): void {
    if (!this.made) return;
    try {
      withSystemd(this.unit, (systemd) => systemd.stopUnit(this.unit.name));
    } finally {
      this.files.remove();
    }
  }

  exists(): boolean {
    return this.files.exists();
  }

  private isV1(): boolean {
    return versionOf(this.paths) === 1;
  }

  private whileFrozen(act: () => void): void {
    this.files.freeze();
    try {
      act();
    } finally {
      this.files.thaw();
    }
  }

  /** systemd takes pids for those of its own pid namespace, and counts cgroups from its own: both must be ours. */
  private requireInside(pid: Pid, expected: string): void {
    const hierarchy = this.isV1() ? "name=systemd" : "";
    const actual = readCgroups(pid).get(hierarchy) ?? "";
    if (actual === expected) return;
    throw OpError.from("start unit", this.unit.name, EXDEV, `pid ${pid} is in ${actual}, not in ${expected}`);
  }
}

/** What every container's unit has; the accounting keeps systemd from taking controllers away again. */
function unitProperties(
  { kind, shortName, slice }: UnitPlan,
  pids: readonly Pid[],
  isV1: boolean,
): readonly UnitProperty[] {
  const place: readonly UnitProperty[] =
    kind === "slice"
      ? [{ name: "Wants", signature: "as", value: [slice] }]
      : [
          { name: "Slice", signature: "s", value: slice },
          { name: "Delegate", signature: "b", value: true },
          { name: "PIDs", signature: "au", value: pids },
        ];
  const yes = (name: string, value = true): UnitProperty => ({ name, signature: "b", value });
  return [
    { name: "Description", signature: "s", value: `libcontainer container ${shortName}` },
    ...place,
    yes("MemoryAccounting"),
    yes("CPUAccounting"),
    yes(isV1 ? "BlockIOAccounting" : "IOAccounting"),
    yes("TasksAccounting"),
    yes("DefaultDependencies", false),
  ];
}

function limitsOf({ unit }: CgroupPlan): readonly UnitProperty[] {
  if (unit === undefined) throw new Error("these limits were not planned for systemd");
  return unit;
}
