/** Processes that are no children of this one: held so that the number cannot come to mean another (pidfd_open(2)). */
import { monotonicNow } from "../../syscalls/clock.ts";
import { EINVAL, ENOENT, ENOSYS, EPERM, ESRCH } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_PATH, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { POLLIN } from "../../syscalls/constants/poll.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { readTextAt } from "../../syscalls/io.ts";
import { CWD, openat, tryOpenat } from "../../syscalls/open.ts";
import { type PollRequest, poll } from "../../syscalls/poll.ts";
import { type Cloned, tryKill, tryPidfdOpen, tryPidfdSendSignal } from "../../syscalls/process.ts";
import { checked } from "../../syscalls/scope.ts";
import { type Fd, failed, type Pid } from "../../syscalls/types.ts";
import { parseStat } from "./stat.ts";

/**
 * A process by a pidfd; where there is no pidfd_open(2), or a filter refuses it, by its directory in /proc, which belongs
 * to the same process as long as it is open, and to none after that one's end. Whoever opens one closes `fd`.
 */
export interface ProcessHandle {
  readonly pid: Pid;
  readonly fd: Fd;
  /** Of a directory poll(2) does not say that its process has ended, and setns(2) does not take it. */
  readonly isPidfd: boolean;
}

/** How often a directory is asked whether its process still lives. */
const LOOK_MS = 20;

/** Holds the process that has this number now; undefined when none has. */
export function openHandle(pid: Pid): ProcessHandle | undefined {
  const pidfd = tryPidfdOpen(pid);
  if (!failed(pidfd)) return { pid, fd: pidfd, isPidfd: true };
  if (pidfd === -ESRCH || pidfd === -EINVAL) return undefined;
  if (pidfd !== -ENOSYS && pidfd !== -EPERM) throw OpError.from("pidfd_open", `pid ${pid}`, -pidfd);
  const directory = tryOpenat(CWD, `/proc/${pid}`, O_RDONLY | O_DIRECTORY);
  if (!failed(directory)) return { pid, fd: directory, isPidfd: false };
  if (directory === -ENOENT) return undefined;
  throw OpError.from("open", `/proc/${pid}`, -directory);
}

/** A child of this process, which was born with a pidfd. */
export function handleOf({ pid, pidfd }: Cloned): ProcessHandle {
  return { pid, fd: pidfd, isPidfd: true };
}

/**
 * pidfd_send_signal(2), which takes the directory as well; failure (ESRCH: it has ended) is an answer. Where it is refused
 * kill(2), at once after a look whether the process is still there: the number goes to another only when all others
 * have had their turn.
 */
export function trySignal(handle: ProcessHandle, signal: number): number {
  const result = tryPidfdSendSignal(handle.fd, signal);
  if (result !== -ENOSYS && result !== -EPERM) return result;
  return hasEnded(handle) ? -ESRCH : tryKill(handle.pid, signal);
}

/** What came of a wait. */
export interface EventsOrEnd {
  /** Of each request, in order. */
  readonly events: readonly number[];
  readonly ended: boolean;
}

/** poll(2) for these requests and for the end of the process, reaped or not; `timeoutMs` < 0 waits for ever. */
export function pollOrEnd(
  requests: readonly PollRequest[],
  handle: ProcessHandle,
  timeoutMs: number,
): EventsOrEnd {
  if (handle.isPidfd) {
    const events = poll([...requests, { fd: handle.fd, events: POLLIN }], timeoutMs);
    return { events: events.slice(0, -1), ended: events.at(-1) !== 0 };
  }
  const deadline = monotonicNow() + BigInt(Math.max(timeoutMs, 0)) * 1_000_000n;
  for (;;) {
    const events = poll(requests, LOOK_MS);
    const ended = hasEnded(handle);
    const late = timeoutMs >= 0 && monotonicNow() >= deadline;
    if (ended || late || events.some((event) => event !== 0)) return { events, ended };
  }
}

/** The process's own directory in `procfs`, from which its namespaces and its root are opened. */
export function openDirectory(handle: ProcessHandle, procfs: Fd): Fd {
  if (!handle.isPidfd) return openat(handle.fd, ".", O_PATH | O_DIRECTORY);
  return checked(openat(procfs, String(handle.pid), O_PATH | O_DIRECTORY), () => {
    // It lives still, so the number was its own when the directory was opened.
    if (hasEnded(handle)) throw OpError.from("open", `/proc/${handle.pid}`, ESRCH);
  });
}

function hasEnded({ fd, isPidfd }: ProcessHandle): boolean {
  if (isPidfd) return poll([{ fd, events: POLLIN }], 0)[0] !== 0;
  try {
    return ["Z", "X"].includes(parseStat(readTextAt(fd, "stat")).state);
  } catch (error) {
    if (isErrno(error, "ESRCH", "ENOENT")) return true;
    throw error;
  }
}
