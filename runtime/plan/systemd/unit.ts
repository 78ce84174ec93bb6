/** Where systemd is to put a container: linux.cgroupsPath as SLICE:PREFIX:NAME, and the cgroup that comes of it. */
import type { SpecField } from "../../../syscalls/types.ts";
import { RuntimeError } from "../../errors.ts";
import type { UnitProperty } from "./unit_property.ts";

/** A unit to be made. */
export interface UnitPlan {
  readonly kind: "scope" | "slice";
  /** "runc-one.scope", or the name of a slice. */
  readonly name: string;
  /** The slice that a scope lies in, and that a slice wants. */
  readonly slice: string;
  /** The name in the configuration, for the unit's description. */
  readonly shortName: string;
  /** The path of its cgroup below that of systemd itself. */
  readonly path: string;
}

/** A unit that is still to be made: its plan, and the properties that the annotations ask for. */
export interface UnitToMake {
  readonly plan: UnitPlan;
  /** Where its cgroup will be, counted from the root of each hierarchy. */
  readonly path: string;
  readonly annotated: readonly UnitProperty[];
}

/** systemd(1) unit names: what may stand in one, and how long it may be. */
const UNIT_NAME = /^[0-9A-Za-z:_.\\-]+$/;
const UNIT_NAME_MAX = 255;

const from = "linux.cgroupsPath" as SpecField;

/** Plans the unit; without a path it is as if ":runc:ID" were given. A user's containers go into user.slice. */
export function planUnit(cgroupsPath: string | undefined, id: string, user: boolean): UnitPlan {
  const parts = (cgroupsPath || `:runc:${id}`).split(":");
  const [parent = "", prefix = "", shortName = ""] = parts;
  if (parts.length !== 3) {
    const expected = 'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups';
    throw invalid(`${expected}, got ${JSON.stringify(cgroupsPath)} instead`);
  }
  const slice = parent || (user ? "user.slice" : "system.slice");
  const above = expandSlice(slice);
  const isSlice = shortName.endsWith(".slice");
  const name = isSlice ? shortName : `${prefix}-${shortName}.scope`;
  if (!UNIT_NAME.test(name) || name.length > UNIT_NAME_MAX)
    throw invalid(`${JSON.stringify(name)} is not a valid name of a systemd unit, asked for by ${from}`);
  // A slice lies where its name says, whatever it wants.
  const path = isSlice ? expandSlice(name) : `${above === "/" ? "" : above}/${escapeCgroup(name)}`;
  return { kind: isSlice ? "slice" : "scope", name, slice, shortName, path };
}

/** The dashes of a slice's name are its place: "a-b.slice" is "/a.slice/a-b.slice", "-.slice" is "/". */
export function expandSlice(slice: string): string {
  const base = slice.endsWith(".slice") ? slice.slice(0, -".slice".length) : "";
  if (base === "-") return "/";
  const parts = base.split("-");
  if (parts.includes("") || !UNIT_NAME.test(slice) || slice.length > UNIT_NAME_MAX)
    throw invalid(`invalid slice name: ${slice}`);
  return parts.map((_, i) => `/${escapeCgroup(`${parts.slice(0, i + 1).join("-")}.slice`)}`).join("");
}

/** systemd puts "_" before a name that could be a file of the kernel's (its "Control Group APIs and Delegation"). */
function escapeCgroup(name: string): string {
  const kernels = /^(_|\.|cgroup\.|(cpu|cpuacct|cpuset|io|blkio|memory|devices|pids)\.)/;
  return kernels.test(name) ? `_${name}` : name;
}

function invalid(message: string): RuntimeError {
  return new RuntimeError("invalid-argument", message);
}
