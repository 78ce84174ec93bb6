/**
 * A cgroup with all that is below it. A container may nest cgroups deeper than a path can name, and than descriptors
 * can be open: each step is relative to the last one, with one directory open at a time.
 */
import { DT_DIR } from "../../syscalls/constants/dirent.ts";
import { EBUSY, ENODEV, ENOENT, ENOTEMPTY } from "../../syscalls/constants/errno.ts";
import { AT_REMOVEDIR, O_DIRECTORY, O_NOFOLLOW, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { readDirectory, tryUnlinkat } from "../../syscalls/directory.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { readTextAt } from "../../syscalls/io.ts";
import { CWD, close, openat, tryOpenat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import type { ResultOrErrno } from "../../syscalls/syscall.ts";
import { type Fd, failed, type HostPath, type Pid } from "../../syscalls/types.ts";
import { tryReadControl } from "./control_file.ts";

const DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

/** Calls `visit` with each directory, open, the top first; what is removed meanwhile is left out. */
export function walkTree(path: HostPath, visit: (directory: Fd) => void): void {
  const top = tryOpenat(CWD, path, DIRECTORY);
  if (!failed(top)) close(walk(top, visit));
  else if (!isGone(top)) throw OpError.from("open", path, -top);
}

function walk(directory: Fd, visit: (directory: Fd) => void): Fd {
  visit(directory);
  let here = directory;
  for (const name of childrenOf(here)) here = inChild(here, name, (child) => walk(child, visit));
  return here;
}

/** Goes into a child and back up; the directory has another descriptor then. */
function inChild(here: Fd, name: string, act: (child: Fd) => Fd): Fd {
  const child = tryOpenat(here, name, DIRECTORY);
  if (isGone(child)) return here;
  if (failed(child)) throw OpError.from("open", name, -child);
  close(here);
  const back = act(child);
  const again = openat(back, "..", DIRECTORY);
  close(back);
  return again;
}

/** Removes the tree as far as nothing in it is busy; 0 when all is gone, or minus the errno that kept the top. */
export function tryRemoveTree(path: HostPath): ResultOrErrno {
  const result = tryUnlinkat(CWD, path, AT_REMOVEDIR);
  if (!isBusy(result)) return result;
  const top = tryOpenat(CWD, path, DIRECTORY);
  if (failed(top)) return top;
  close(removeChildren(top));
  return tryUnlinkat(CWD, path, AT_REMOVEDIR);
}

function removeChildren(directory: Fd): Fd {
  let here = directory;
  for (const name of childrenOf(here)) {
    if (!isBusy(tryUnlinkat(here, name, AT_REMOVEDIR))) continue;
    here = inChild(here, name, removeChildren);
    tryUnlinkat(here, name, AT_REMOVEDIR);
  }
  return here;
}

function isGone(result: ResultOrErrno): boolean {
  return result === -ENOENT || result === -ENODEV;
}

/** EBUSY: it has processes or children; some kernels say ENOTEMPTY for the latter. */
export function isBusy(result: ResultOrErrno): boolean {
  return result === -EBUSY || result === -ENOTEMPTY;
}

/** The names of the cgroups right below this one; none when it is gone. */
export function childNames(path: HostPath): string[] {
  const top = tryOpenat(CWD, path, DIRECTORY);
  if (failed(top)) return [];
  return closing(top, () => childrenOf(top));
}

function childrenOf(directory: Fd): string[] {
  try {
    return readDirectory(directory).flatMap(({ name, type }) => (type === DT_DIR ? [name] : []));
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENODEV")) throw error;
    return []; // removed while it was open
  }
}

/**
 * The processes of the tree. A process outside of our pid namespace shows as 0 and is left out. A threaded cgroup
 * tells its threads only, so there a process is who its threads belong to.
 */
export function processesBelow(path: HostPath): Pid[] {
  const pids: number[] = [];
  walkTree(path, (directory) => {
    const text = tryRead(directory, "cgroup.procs");
    pids.push(...(text === undefined ? processesOfThreads(directory) : numbersIn(text)));
  });
  return pids as Pid[];
}

function processesOfThreads(directory: Fd): number[] {
  const threads = numbersIn(tryRead(directory, "cgroup.threads") ?? "");
  const status = (thread: number) => tryReadControl("/proc" as HostPath, `${thread}/status`) ?? "";
  return [...new Set(threads.flatMap((one) => numbersIn(/^Tgid:\t(\d+)$/m.exec(status(one))?.[1] ?? "")))];
}

function tryRead(directory: Fd, file: string): string | undefined {
  try {
    return readTextAt(directory, file);
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENODEV", "EOPNOTSUPP")) throw error;
    return undefined; // removed, or threaded
  }
}

function numbersIn(text: string): number[] {
  return text
    .split("\n")
    .map(Number)
    .filter((pid) => pid > 0);
}
