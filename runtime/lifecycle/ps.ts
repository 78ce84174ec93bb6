/** ps: the processes of a container, by the pids of the caller's pid namespace. */
import type { Pid } from "../../syscalls/types.ts";
import { requireCgroup } from "../cgroup/open.ts";
import type { RuntimeContext } from "../context.ts";
import { RuntimeError } from "../errors.ts";
import { sealSelf } from "../self/seal.ts";
import { openStateDir, readState } from "../state/store.ts";
import { capture } from "./capture.ts";

/** The pids of everything in the container's cgroup and below, in rising order. */
export function containerPids(context: RuntimeContext, id: string): readonly Pid[] {
  const saved = readState(openStateDir(context.root, id));
  const pids = new Set(requireCgroup(saved).processes());
  return [...pids].sort((a, b) => a - b);
}

/** What ps(1) prints with these options, less the lines of processes that are not the container's. */
export function processTable(context: RuntimeContext, id: string, options: readonly string[]): string {
  containerPids(context, id); // an id that does not exist is said before anything is started
  // The host's ps gets little of the caller's environment, and its end is told whatever the caller ignores.
  sealSelf();
  const table = capture("ps", options.length === 0 ? ["-ef"] : options);
  return filterTable(table, new Set<number>(containerPids(context, id)));
}

/** The header, which must have a PID column, and the lines that have one of these pids there. */
export function filterTable(table: string, pids: ReadonlySet<number>): string {
  const [header = "", ...lines] = table.split("\n");
  const column = words(header).indexOf("PID");
  if (column < 0) throw new RuntimeError("invalid-argument", "couldn't find PID field in ps output");
  const kept = lines.filter((line) => line !== "" && pids.has(Number(words(line)[column] ?? "")));
  return [header, ...kept].map((line) => `${line}\n`).join("");
}

const words = (line: string): string[] => line.trim().split(/\s+/);
