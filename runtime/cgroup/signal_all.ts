/** Signals for a whole cgroup, without missing the children that are forked meanwhile. */

import { sleepMs } from "../../syscalls/poll.ts";
import { tryKill } from "../../syscalls/process.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import type { Pid } from "../../syscalls/types.ts";

const ROUNDS = 100;

/** What is needed of a cgroup to signal it. */
export interface Signallable {
  processes(): readonly Pid[];
  freeze(): void;
  thaw(): void;
}

/**
 * Frozen processes cannot fork, nor exit and give their pid to another, so one pass over the list meets all of
 * them and nobody else. The cgroup is thawed whatever happens: a frozen process acts on no signal on v1.
 */
export function signalFrozen(cgroup: Signallable, signal: number): void {
  let frozen = false;
  try {
    frozen = tryFreeze(cgroup);
    for (const pid of cgroup.processes()) tryKill(pid, signal); // ESRCH: it is gone, which is fine
  } finally {
    cgroup.thaw();
  }
  if (!frozen && signal === SIGKILL) killRounds(cgroup);
}

function tryFreeze(cgroup: Signallable): boolean {
  try {
    cgroup.freeze();
    return true;
  } catch {
    return false; // no freezer, or a task that it cannot stop: the rounds below do without
  }
}

/** Without a freezer a fork bomb is a race; it is won when a round finds nobody. */
function killRounds(cgroup: Signallable): void {
  for (let round = 0; round < ROUNDS; round++) {
    const pids = cgroup.processes();
    if (pids.length === 0) return;
    for (const pid of pids) tryKill(pid, SIGKILL);
    sleepMs(Math.min(round, 10));
  }
}
