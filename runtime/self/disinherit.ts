/**
 * Undoing what the engine and the caller did to this process, so that the user's program starts from what the
 * configuration says: signal dispositions and mask, descriptors, parent-death signal.
 */

import { CLOSE_RANGE_CLOEXEC, O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { POLLNVAL } from "../../syscalls/constants/poll.ts";
import { fdAt, setCloexec } from "../../syscalls/descriptor.ts";
import { readDirectory } from "../../syscalls/directory.ts";
import { CWD, close, openat, tryCloseRange } from "../../syscalls/open.ts";
import { poll } from "../../syscalls/poll.ts";
import { PR_SET_PDEATHSIG, prctl } from "../../syscalls/prctl.ts";
import { getrlimit, RLIMIT_NOFILE } from "../../syscalls/resource.ts";
import { closing } from "../../syscalls/scope.ts";
import { setSignalMask } from "../../syscalls/signal.ts";
import { traceDescriptor } from "../../syscalls/trace.ts";

import type { Fd } from "../../syscalls/types.ts";
import { resetIgnoredSignals } from "./ignored_signals.ts";
import { restoreDescriptorLimit } from "./seal.ts";

const LAST_DESCRIPTOR = 0xffffffff;

/** Every signal to its default, none blocked, and the caller's limit of open files: these outlive the execve. */
export function disinherit(): void {
  resetIgnoredSignals();
  setSignalMask(0n);
  restoreDescriptorLimit();
}

/**
 * Marks every descriptor from `first` on to be closed by execve; those before it the caller hands on to the program.
 */
export function closeAllFrom(first: number): void {
  const result = tryCloseRange(first, LAST_DESCRIPTOR, CLOSE_RANGE_CLOEXEC);
  if (result < 0) eachOpen(first, LAST_DESCRIPTOR, setCloexec);
}

/**
 * Closes every descriptor but the standard streams, the caller's for the program behind them, the trace, and `keep`: what
 * a process in or near a container has open is stated by these calls alone.
 */
export function closeAllBut(keep: readonly (Fd | undefined)[], preservedFds = 0): void {
  let next = 3 + preservedFds;
  const kept = [...keep, traceDescriptor()].filter((fd) => fd !== undefined);
  for (const fd of kept.sort((a, b) => a - b)) {
    if (fd > next) closeAll(next, fd - 1);
    if (fd >= next) next = fd + 1;
  }
  closeAll(next, LAST_DESCRIPTOR);
}

function closeAll(first: number, last: number): void {
  if (tryCloseRange(first, last, 0) >= 0) return;
  lookUpHighest();
  eachOpen(first, last, close);
}

/** No process has one above this (fs.nr_open, proc(5)), unless somebody has raised it. */
const NR_OPEN = 1 << 20;
/** More than a command has open at a time: a new one takes the lowest number that is free. */
const OPENED_SINCE = 4096;

/** The highest number that can be open, once it is known. */
let highest: number | undefined;

/**
 * Looks up what the highest open descriptor is, where close_range(2) is missing and each number below it has to be asked
 * for. Called before anything of a container is entered: its /proc may say anything.
 */
function lookUpHighest(): void {
  if (highest !== undefined) return;
  try {
    const names = closing(openat(CWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY), readDirectory);
    highest = Math.min(NR_OPEN, Math.max(...names.map(({ name }) => Number(name))) + OPENED_SINCE);
  } catch {
    highest = NR_OPEN;
  }
}
/** As many as poll(2) takes under the smallest limit that is in use. */
const AT_ONCE = 1024;

/**
 * Without close_range(2) (before Linux 5.9): poll(2) says of many numbers at a time which are open, and needs no /proc,
 * which a container may have covered.
 */
function eachOpen(first: number, last: number, act: (fd: Fd) => void): void {
  const { soft } = getrlimit(0, RLIMIT_NOFILE);
  const most = soft < AT_ONCE ? Math.max(1, Number(soft)) : AT_ONCE;
  const end = Math.min(last, highest ?? NR_OPEN);
  for (let start = first; start <= end; start += most) {
    const count = Math.min(most, end - start + 1);
    const requests = Array.from({ length: count }, (_, i) => ({ fd: fdAt(start + i), events: 0 }));
    for (const [i, events] of poll(requests, 0).entries())
      if ((events & POLLNVAL) === 0) act(fdAt(start + i));
  }
}

/** The runtime's death must not be the container's from here on. */
export function clearParentDeathSignal(): void {
  prctl(PR_SET_PDEATHSIG, 0);
}
