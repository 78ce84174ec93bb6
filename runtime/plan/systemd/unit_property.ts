/** Properties of a systemd unit, as D-Bus carries them (org.freedesktop.systemd1(5), systemd.resource-control(5)). */
import type { DbusData } from "../../../syscalls/dbus_value.ts";
import type { SpecField } from "../../../syscalls/types.ts";

/** One property, and which versions of systemd it is for: one that does not know it would refuse the unit. */
export interface UnitProperty {
  readonly name: string;
  /** The type of the value, such as "t" or "a(ss)". */
  readonly signature: string;
  readonly value: DbusData;
  /** The part of config.json that asks for it; none for what every container gets. */
  readonly from?: SpecField;
  /** The first version of systemd that gets it. */
  readonly since?: number;
  /** The first version of systemd that does not get it any more, but another property in its place. */
  readonly before?: number;
  /** Cannot be changed later. */
  readonly onlyAtStart?: true;
}
