/**
 * Fault injection for tests: RUNT_FAULT="mount:3:EBUSY,write:1:KILL" fails the 3rd mount with EBUSY and kills
 * the process at its first write; "fsopen:*:ENOSYS" fails every one. Only in builds with FAULT_INJECTION; the bundler
 * leaves the rest out. It folds what it finds in a condition, not a constant of another file: so each condition names
 * the global itself.
 */
import { errnoNumber } from "./constants/errno.ts";

declare global {
  /** True in a build made for tests, by the bundler's --define; undefined in what is run from source. */
  var FAULT_INJECTION: boolean | undefined;
}

/** Not a count but all of them. */
const EVERY = Number.POSITIVE_INFINITY;

interface Fault {
  readonly name: string;
  remaining: number;
  readonly errno: number | "KILL";
}

let faults: Fault[] | undefined;

/** Arms the faults that a text such as "mount:3:EBUSY" describes; an unknown errno is an error. */
export function armFaults(text: string): void {
  faults = text.split(",").map((item) => {
    const [name = "", nth = "1", what = "EIO"] = item.split(":");
    const errno = what === "KILL" ? "KILL" : errnoNumber(what);
    if (errno === undefined) throw new Error(`RUNT_FAULT: unknown errno ${what}`);
    return { name, remaining: nth === "*" ? EVERY : Number(nth), errno };
  });
}

/** The errno with which this call is to fail, "KILL" to die here, or 0 to go ahead. */
export function faultFor(name: string): number | "KILL" {
  if (faults === undefined) return 0;
  for (const fault of faults) {
    if (fault.name !== name) continue;
    if (fault.remaining === EVERY || --fault.remaining === 0) return fault.errno;
  }
  return 0;
}
