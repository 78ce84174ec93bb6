/**
 * Acting on a resctrl file system: making the groups of a plan, writing their schemata, putting a process in, and
 * removing what was made. The mount point is a parameter, since few machines have one.
 */
import { asking } from "../../syscalls/asking.ts";
import { EEXIST, ENOENT } from "../../syscalls/constants/errno.ts";
import { AT_REMOVEDIR, O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { mkdirat, tryMkdirat, tryUnlinkat } from "../../syscalls/directory.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { readTextAt, writeTextAt } from "../../syscalls/io.ts";
import { CWD } from "../../syscalls/open.ts";
import { tryStatx } from "../../syscalls/stat.ts";
import type { HostPath, Pid } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import { findResctrl } from "../host/resctrl.ts";
import { type IntelRdtPlan, type SchemaLine, schemaMatches } from "../plan/intel_rdt.ts";

const FIELD = "linux.intelRdt";

/** The groups of one container: where they are and, in the order of removing, those that go with it. */
export interface RdtGroups {
  readonly root: HostPath;
  readonly group: HostPath;
  readonly monitoring: HostPath | undefined;
  /** Those that the container's processes are put into. */
  readonly join: readonly HostPath[];
  readonly remove: readonly HostPath[];
}

/** What a plan comes to on this host; undefined where none is asked for. */
export function openRdt(plan: IntelRdtPlan | undefined): RdtGroups | undefined {
  if (plan === undefined) return undefined;
  return prepareRdt(plan, findResctrl());
}

/** Looks at what is there, and refuses what cannot be; nothing is made yet. */
export function prepareRdt(plan: IntelRdtPlan, root: HostPath | undefined): RdtGroups {
  if (root === undefined) throw refusal("intelRdt is specified in config, but Intel RDT is not enabled");
  const l3 = ["L3", "L3CODE"].some((name) => isThere(`${root}/info/${name}`));
  if (plan.needsL3 && !l3)
    throw refusal("intelRdt.l3CacheSchema is specified in config, but Intel RDT/CAT is not enabled");
  if (plan.needsMb && !isThere(`${root}/info/MB`))
    throw refusal("intelRdt.memBwSchema is specified in config, but Intel RDT/MBA is not enabled");
  const group = (plan.group === "" ? root : `${root}/${plan.group}`) as HostPath;
  const exists = isThere(group);
  if (plan.mustExist && !exists)
    throw refusal(
      `intelRdt.closID: ${group} does not exist (must be pre-created when schemata, l3CacheSchema and memBwSchema are empty)`,
    );
  const monitoring =
    plan.monitoring === "" ? undefined : (`${group}/mon_groups/${plan.monitoring}` as HostPath);
  if (monitoring !== undefined && isThere(monitoring))
    throw OpError.from("make monitoring group", monitoring, EEXIST).askedBy(FIELD);
  const remove = monitoring === undefined ? [] : [monitoring];
  return {
    root,
    group,
    monitoring,
    join: [group, ...remove],
    remove: plan.own && !exists ? [...remove, group] : remove,
  };
}

/** Makes the groups and writes their schemata. */
export function createRdtGroups(plan: IntelRdtPlan, groups: RdtGroups): void {
  const { root, group, monitoring } = groups;
  explained(root, () => {
    const made = tryMkdirat(CWD, group, 0o755);
    if (made < 0 && made !== -EEXIST) throw OpError.from("mkdir", group, -made);
    const fresh = made >= 0 || plan.own;
    const current = fresh || plan.lines.length === 0 ? "" : readTextAt(CWD, `${group}/schemata`);
    for (const line of plan.lines) writeLine(group, line, fresh, current);
    if (monitoring !== undefined) mkdirat(CWD, monitoring, 0o755);
  });
}

/** A group that others may be in is compared, not changed, but for `schemata`, which is always written. */
function writeLine(group: HostPath, { text, mustMatch }: SchemaLine, fresh: boolean, current: string): void {
  if (fresh || !mustMatch) writeTextAt(CWD, `${group}/schemata`, O_WRONLY, `${text}\n`);
  else if (!schemaMatches(text, current))
    throw refusal(
      `intelRdt: ${JSON.stringify(text)} does not match the schemata of the existing group ${group}`,
    );
}

/** Schemas that `update` is given; "" for none. */
export interface RdtSchemas {
  readonly l3CacheSchema: string;
  readonly memBwSchema: string;
}

/** The mount point, or a refusal of schemas for what this host does not have. */
export function requireRdtFor(
  { l3CacheSchema, memBwSchema }: RdtSchemas,
  root: HostPath | undefined,
): HostPath {
  if (l3CacheSchema !== "" && !(root !== undefined && isThere(`${root}/info/L3`)))
    throw refusal("Intel RDT/CAT: l3 cache schema is not enabled");
  if (root === undefined || (memBwSchema !== "" && !isThere(`${root}/info/MB`)))
    throw refusal("Intel RDT/MBA: memory bandwidth schema is not enabled");
  return root;
}

/** The lines of a group's schemata, as rewriteSchemata takes them. */
export function readSchemata(group: HostPath): string[] {
  return readTextAt(CWD, `${group}/schemata`)
    .split("\n")
    .filter((line) => line !== "");
}

/** Changes the schemata of a group that a container is in. */
export function rewriteSchemata(root: HostPath, group: HostPath, lines: readonly string[]): void {
  explained(root, () => {
    for (const line of lines) writeTextAt(CWD, `${group}/schemata`, O_WRONLY, `${line}\n`);
  });
}

/** Puts a process, with all that it forks from now on, into the groups. */
export function joinRdtGroups({ join }: Pick<RdtGroups, "join">, pid: Pid): void {
  asking(FIELD, () => {
    for (const path of join) writeTextAt(CWD, `${path}/tasks`, O_WRONLY, String(pid));
  });
}

/** Removes groups; what is gone already is no failure. */
export function removeRdtGroups(paths: readonly HostPath[]): void {
  for (const path of paths) {
    const removed = tryUnlinkat(CWD, path, AT_REMOVEDIR);
    if (removed < 0 && removed !== -ENOENT) throw OpError.from("rmdir", path, -removed);
  }
}

/** The errno of resctrl says little; why the last command failed is in a file. */
function explained(root: HostPath, act: () => void): void {
  asking(FIELD, () => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof OpError)) throw error;
      const status = lastCommandStatus(root);
      const data = status === "" || status === "ok" ? error.data : { ...error.data, hint: status };
      throw new OpError(data, { cause: error });
    }
  });
}

function lastCommandStatus(root: HostPath): string {
  try {
    return readTextAt(CWD, `${root}/info/last_cmd_status`).trim();
  } catch (error) {
    if (isErrno(error, "ENOENT")) return "";
    throw error;
  }
}

function isThere(path: string): boolean {
  return typeof tryStatx(CWD, path, 0) !== "number";
}

function refusal(text: string): RuntimeError {
  return new RuntimeError("invalid-argument", text);
}
