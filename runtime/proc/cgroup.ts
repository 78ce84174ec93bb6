/** /proc/<pid>/cgroup (cgroups(7)). */
import { readTextAt } from "../../syscalls/io.ts";
import { CWD } from "../../syscalls/open.ts";
import type { Pid } from "../../syscalls/types.ts";

/** Controller, or "name=" and the name of a hierarchy, or "" for the unified one, to the path of a process there. */
export type OwnCgroups = ReadonlyMap<string, string>;

/** The cgroups of a process. */
export function readCgroups(pid: Pid | "self"): OwnCgroups {
  return parseCgroups(readTextAt(CWD, `/proc/${pid}/cgroup`));
}

/** Out of the text of such a file: by "4:cpu,cpuacct:/x" cpu and cpuacct are at /x. */
export function parseCgroups(text: string): OwnCgroups {
  const own = new Map<string, string>();
  for (const line of text.split("\n")) {
    const names = line.indexOf(":") + 1;
    const path = line.indexOf(":", names) + 1;
    if (names === 0 || path === 0) continue;
    for (const name of line.slice(names, path - 1).split(",")) own.set(name, line.slice(path));
  }
  return own;
}
