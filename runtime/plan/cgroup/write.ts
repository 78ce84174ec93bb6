/** The cgroup part of a plan: which control files are written, with what, in which order, and for which field. */
import type { SpecField } from "../../../syscalls/types.ts";
import type { Int } from "../../config/types.ts";
import type { UnitProperty } from "../systemd/unit_property.ts";
import type { DeviceProgram } from "./device_program.ts";
import type { CgroupDriver } from "./hierarchies.ts";
import { at } from "./resource_field.ts";

/** One write to a control file. */
export interface CgroupWrite {
  /** The v1 hierarchy it belongs to, or the v2 controller whose absence would explain a failure. */
  readonly controller: string;
  readonly file: string;
  readonly value: string;
  readonly from: SpecField;
  /** Failures that are no failure here. */
  readonly ignoreErrnos?: readonly string[];
  /** On EINVAL try again after the controller's other writes: the old value of another file is in the way. */
  readonly retryLast?: true;
  /** Written instead where `file` does not exist. */
  readonly orElse?: { readonly file: string; readonly value: string } | undefined;
  /** Refuse the value when it is not above what this file says. */
  readonly onlyAbove?: string;
}

/** Everything that is written, in order. */
export interface CgroupPlan {
  readonly writes: readonly CgroupWrite[];
  /** On v2, where they are a program and no file; undefined leaves the cgroup's own. */
  readonly devices?: DeviceProgram | undefined;
  /** On v2, the user on the host whom the cgroup is given to (config-linux.md "Cgroup ownership"). */
  readonly owner?: number | undefined;
  /** Fields that this kind of host has no knob for, or that this runtime leaves to another mechanism. */
  readonly notEnforced: readonly SpecField[];
  /** The same limits for systemd, when it is the driver. */
  readonly unit?: readonly UnitProperty[];
}

/** What must be known of the host, and of the cgroup when it exists already. */
export interface CgroupFacts {
  readonly version: 1 | 2;
  /** Of whom the manager says that it drives the cgroup; "cgroupfs" when absent. */
  readonly driver?: CgroupDriver;
  /** False in a user namespace, where the kernel refuses device rules, and for an update, which keeps them. */
  readonly setDevices: boolean;
}

type Extra = Omit<CgroupWrite, "controller" | "file" | "value" | "from">;

/** Collects the plan; `at` prefixes what it is given with "linux.resources.". */
export class CgroupPlanner {
  readonly writes: CgroupWrite[] = [];
  readonly notEnforced: SpecField[] = [];
  devices: DeviceProgram | undefined;

  write(controller: string, file: string, value: string | bigint, field: string, extra: Extra = {}): void {
    this.writes.push({ controller, file, value: String(value), from: at(field), ...extra });
  }

  /** Remembers fields that have been given but that nothing can be done for. */
  cannotEnforce(resources: Readonly<Record<string, unknown>>): void {
    for (const [field, value] of Object.entries(resources))
      if (value !== undefined) this.notEnforced.push(at(field));
  }
}

/** An integer where 0 and absent both mean "not set". */
export function int(value: Int | undefined): bigint {
  return value === undefined ? 0n : BigInt(value);
}

/**
 * pids.max for a limit. 0 would let nothing start a thread, which kills: it is 1, as in runc (cgroups/fs2/pids.go,
 * setPids) and with systemd, whose TasksMax has no 0.
 */
export function pidsMax(limit: bigint): string {
  return limit === 0n ? "1" : orMax(limit);
}

/** "max" for what is below zero. */
export function orMax(value: bigint): string {
  return value < 0n ? "max" : String(value);
}
