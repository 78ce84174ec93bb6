/** events: statistics of a container again and again, and each visit of the OOM killer, until its cgroup is gone. */

import { monotonicNow } from "../../syscalls/clock.ts";
import { POLLERR, POLLHUP, POLLIN } from "../../syscalls/constants/poll.ts";
import { isErrno } from "../../syscalls/error.ts";
import { poll } from "../../syscalls/poll.ts";
import { closing } from "../../syscalls/scope.ts";
import { type OomWatch, watchOom } from "../cgroup/oom.ts";
import { openCgroup, requireCgroup } from "../cgroup/open.ts";
import { readStats } from "../cgroup/stats.ts";
import { stringifyJson } from "../config/json.ts";
import type { RuntimeContext } from "../context.ts";
import { messageOf, RuntimeError } from "../errors.ts";
import { findResctrl } from "../host/resctrl.ts";
import { type RdtStats, readRdtStats } from "../intel_rdt/stats.ts";
import { STDOUT } from "../self/command.ts";
import { openStateDir, readState, type SavedState } from "../state/store.ts";
import { statsDocument } from "./stats_document.ts";
import { statusOf } from "./status.ts";

/** What events is asked for. */
export interface EventsRequest {
  readonly id: string;
  /** Between two statistics, in nanoseconds. */
  readonly interval: bigint;
  /** Only the statistics as they are now. */
  readonly once: boolean;
}

/** Gives one line of JSON for each event to `print`, which writes to standard output. */
export function containerEvents(
  context: RuntimeContext,
  { id, interval, once }: EventsRequest,
  print: (line: string) => void,
): void {
  const dir = openStateDir(context.root, id);
  const saved = closing(dir.fd, () => {
    const saved = readState(dir);
    if (interval <= 0n)
      throw new RuntimeError("invalid-argument", "duration interval must be greater than 0");
    const status = statusOf(dir, saved);
    if (status === "stopped" || status === "creating")
      throw new RuntimeError("wrong-status", `container with id ${id} is not running`);
    requireCgroup(saved);
    return saved;
  });
  if (once) {
    print(statsEvent(saved));
    return;
  }
  const watch = watchOom(saved.cgroupPaths);
  try {
    stream(context, saved, interval, watch, print);
  } catch (error) {
    if (!isErrno(error, "EPIPE")) throw error; // the reader has had enough
  } finally {
    watch.close();
  }
}

function stream(
  context: RuntimeContext,
  saved: SavedState,
  interval: bigint,
  watch: OomWatch,
  print: (line: string) => void,
): void {
  let next = monotonicNow() + interval;
  for (;;) {
    const [changed = 0, reader = 0] = poll(
      [
        { fd: watch.fd, events: POLLIN },
        { fd: STDOUT, events: 0 }, // an end of the reader, which is told without being asked for
      ],
      timeoutUntil(next),
    );
    if ((reader & (POLLERR | POLLHUP)) !== 0) return;
    if (changed !== 0) {
      const { oom, gone } = watch.readEvents();
      if (oom) print(`${stringifyJson({ type: "oom", id: saved.id })}\n`);
      if (gone) return;
    }
    const now = monotonicNow();
    if (now < next) continue;
    printStats(context, saved, print);
    // What was missed, because the reader was slow, is not made up for.
    next = next + interval < now ? now : next + interval;
  }
}

/** Statistics that cannot be had now may be there the next time, as long as the container is. */
function printStats(context: RuntimeContext, saved: SavedState, print: (line: string) => void): void {
  let line: string;
  try {
    line = statsEvent(saved);
  } catch (error) {
    if (openCgroup(saved).exists()) context.warn(messageOf(error));
    return;
  }
  print(line);
}

function statsEvent(saved: SavedState): string {
  const data = statsDocument(readStats(saved.cgroupPaths), rdtStats(saved));
  return `${stringifyJson({ type: "stats", id: saved.id, data })}\n`;
}

function rdtStats({ resctrl }: SavedState): RdtStats {
  const [group, monitoring] = resctrl?.join ?? [];
  if (group === undefined) return {};
  const root = findResctrl();
  return root === undefined ? {} : readRdtStats(root, group, monitoring);
}

const MAX_WAIT_MS = 3_600_000;

/** Milliseconds from now to a moment of monotonicNow(), rounded up; the wait is cut short rather than overflow. */
function timeoutUntil(moment: bigint): number {
  const left = moment - monotonicNow();
  return left <= 0n ? 0 : Math.min(Number(left / 1_000_000n) + 1, MAX_WAIT_MS);
}
