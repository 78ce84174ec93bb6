/** Cache and memory bandwidth (config-linux.md "IntelRdt"): which resctrl group, what is written to it, what is removed. */
import type { LinuxIntelRdt } from "../config/types.ts";

/** One line for the schemata file. */
export interface SchemaLine {
  readonly text: string;
  /** The lines of l3CacheSchema and memBwSchema must agree with a group that exists already. */
  readonly mustMatch: boolean;
}

/** What the container does with resctrl. */
export interface IntelRdtPlan {
  /** The group's directory below the mount point, "" for the default group at the top. */
  readonly group: string;
  /** closID alone names a group that somebody has made and configured. */
  readonly mustExist: boolean;
  /** In the order of writing: l3CacheSchema, memBwSchema, then schemata. */
  readonly lines: readonly SchemaLine[];
  /** The monitoring group below the group's mon_groups, "" for none. */
  readonly monitoring: string;
  /** The group is the container's own: removed with it, if this runtime has made it. */
  readonly own: boolean;
  /** Parts of the hardware's support that the configuration needs. */
  readonly needsL3: boolean;
  readonly needsMb: boolean;
}

/** Plans `linux.intelRdt`; `id` names the groups that are the container's own. */
export function planIntelRdt(rdt: LinuxIntelRdt | undefined, id: string): IntelRdtPlan | undefined {
  if (rdt === undefined) return undefined;
  const { closID = "", l3CacheSchema = "", memBwSchema = "", schemata = [] } = rdt;
  const named = [l3CacheSchema, memBwSchema].flatMap(linesOf);
  const lines = [
    ...named.map((text) => ({ text, mustMatch: true })),
    ...schemata.flatMap(linesOf).map((text) => ({ text, mustMatch: false })),
  ];
  return {
    group: closID === "" ? id : closID === "/" ? "" : closID,
    mustExist: closID !== "" && lines.length === 0,
    lines,
    monitoring: rdt.enableMonitoring === true ? id : "",
    own: closID === "",
    needsL3: l3CacheSchema !== "",
    needsMb: memBwSchema !== "",
  };
}

/** Until 1.0 l3CacheSchema could hold lines for other resources; "SHOULD NOT contain newlines" now. */
function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

/**
 * Whether a group's schemata file already says what a line asks: each domain named in it has that value. Masks
 * are hexadecimal with or without leading zeros, and the file pads its names with blanks.
 */
export function schemaMatches(line: string, schemata: string): boolean {
  const wanted = parseSchema(line);
  const current = schemata
    .split("\n")
    .map(parseSchema)
    .find(({ resource }) => resource === wanted.resource);
  if (current === undefined || wanted.domains.size === 0) return false;
  return [...wanted.domains].every(([domain, value]) => current.domains.get(domain) === value);
}

function parseSchema(line: string): {
  readonly resource: string;
  readonly domains: ReadonlyMap<string, string>;
} {
  const colon = line.indexOf(":");
  const domains = line
    .slice(colon + 1)
    .split(";")
    .filter((part) => part.trim() !== "")
    .map((part): [string, string] => {
      const [domain = "", value = ""] = part.split("=").map((piece) => piece.trim());
      return [canonical(domain), canonical(value)];
    });
  return { resource: line.slice(0, Math.max(colon, 0)).trim(), domains: new Map(domains) };
}

/** Without leading zeros, which are no part of a number in either base. */
function canonical(number: string): string {
  return number.toLowerCase().replace(/^0+(?=.)/, "");
}
