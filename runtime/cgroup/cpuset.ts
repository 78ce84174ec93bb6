/** Why a cpuset is refused (cpuset(7) "ERRORS"; cgroup-v2.rst "Cpuset"). */
import { EBUSY } from "../../syscalls/constants/errno.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { parseNumberList } from "../config/number_list.ts";
import { tryReadControl } from "./control_file.ts";
import { parentOf } from "./directory.ts";
import { childNames } from "./tree.ts";

/**
 * A sentence on a refused write of `value` to `file` of a cgroup. EBUSY is because of a child that has more than what
 * its parent is to have; all else is measured by the parent, of which `offer` says what it has to give.
 */
export function explainCpuset(
  directory: HostPath,
  file: string,
  offer: string,
  value: string,
  errno: number,
): string | undefined {
  if (errno !== EBUSY) return `the parent cgroup has ${tryReadControl(parentOf(directory), offer)}`;
  const children = childNames(directory).map((name) => {
    const path = `${directory}/${name}` as HostPath;
    return { path, has: tryReadControl(path, file) ?? "" };
  });
  const wider = children.find(({ has }) => has !== "" && !isWithin(has, value));
  // What else keeps processors are tasks of SCHED_DEADLINE, whose bandwidth they have promised.
  if (wider === undefined) return "its processes need what it has (SCHED_DEADLINE)";
  return `the child cgroup ${wider.path} has ${wider.has}`;
}

function isWithin(inner: string, outer: string): boolean {
  const all = new Set(numbersOf(outer));
  return numbersOf(inner).every((number) => all.has(number));
}

/** Both are lists that the kernel wrote or has read; it knows no number above 8191 (NR_CPUS, MAX_NUMNODES). */
function numbersOf(text: string): number[] {
  return parseNumberList(text, { field: "cpuset", one: "number", many: "numbers", below: 8192 });
}
