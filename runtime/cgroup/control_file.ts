/** Control files: one value a write, exact errors that name controller, file, value and field. */

import { asking } from "../../syscalls/asking.ts";
import { EINVAL, ENODEV, ENOENT, errnoName } from "../../syscalls/constants/errno.ts";
import { O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { readTextAt, tryWrite } from "../../syscalls/io.ts";
import { CWD, close, tryOpenat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { type Failure, type Fd, failed, type HostPath } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { RuntimeError } from "../errors.ts";
import { detectCgroups } from "../host/cgroup_layout.ts";
import type { CgroupWrite } from "../plan/cgroup/write.ts";

/** What a file of a cgroup says that somebody has removed: before it was opened, or after. */
export const gone: readonly number[] = [ENOENT, ENODEV];

/** The text of a control file, without the last newline. */
export function readControl(directory: HostPath, file: string): string {
  return readTextAt(CWD, `${directory}/${file}`).trimEnd();
}

/** The text, or undefined of a file that is missing, gone, not this user's, or not for such a cgroup. */
export function tryReadControl(directory: HostPath, file: string): string | undefined {
  try {
    return readControl(directory, file);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "ENODEV", "EOPNOTSUPP", "EACCES", "EPERM")) return undefined;
    throw error;
  }
}

/** Writes one value; 0, or minus errno. */
export function tryWriteControl(directory: HostPath, file: string, value: string): number {
  const fd = tryOpenat(CWD, `${directory}/${file}`, O_WRONLY);
  if (failed(fd)) return fd;
  return closing(fd, () => Math.min(0, tryWrite(fd, encodeUtf8(value))));
}

/** Writes one value. */
export function writeControl(directory: HostPath, file: string, value: string): void {
  const result = tryWriteControl(directory, file, value);
  if (result < 0) throw OpError.from("write", `${directory}/${file}`, -result, JSON.stringify(value));
}

/** Explains a failed write in the words of one cgroup version. */
export type Explain = (directory: HostPath, write: CgroupWrite, errno: number) => string | undefined;

/**
 * Performs the writes in order; `directoryOf` knows where a controller is. A file that is written several
 * times in a row, as devices.allow is, is opened once.
 */
export function performWrites(
  writes: readonly CgroupWrite[],
  directoryOf: (controller: string) => HostPath | undefined,
  explain: Explain,
): void {
  const open = new LastOpened();
  const again: CgroupWrite[] = [];
  const perform = (write: CgroupWrite, last: boolean): void => {
    const directory = directoryOf(write.controller);
    if (directory === undefined) throw notMounted(write);
    refuseUsed(directory, write);
    const errno = open.write(`${directory}/${write.file}`, write.value);
    if (errno === ENOENT && write.orElse !== undefined && open.has(`${directory}/${write.orElse.file}`))
      perform({ ...write, ...write.orElse, orElse: undefined }, last);
    else if (errno === EINVAL && write.retryLast && !last) again.push(write);
    else if (errno !== 0 && !write.ignoreErrnos?.includes(errnoName(errno)))
      throw writeFailure(directory, write, errno, explain);
  };
  try {
    for (const write of writes) asking(write.from, () => perform(write, false));
    for (const write of again) asking(write.from, () => perform(write, true));
  } finally {
    open.close();
  }
}

class LastOpened {
  private path = "";
  private fd: Fd | Failure | undefined;

  /** Writes a value; returns 0 or errno. */
  write(path: string, value: string): number {
    const fd = this.open(path);
    return failed(fd) ? -fd : Math.max(0, -tryWrite(fd, encodeUtf8(value)));
  }

  /** Whether the file is there. */
  has(path: string): boolean {
    return !failed(this.open(path));
  }

  /** Opens the file, unless it is the one that is open. */
  private open(path: string): Fd | Failure {
    if (path === this.path && this.fd !== undefined && !failed(this.fd)) return this.fd;
    this.close();
    this.path = path;
    this.fd = tryOpenat(CWD, path, O_WRONLY);
    return this.fd;
  }

  close(): void {
    if (this.fd !== undefined && !failed(this.fd)) close(this.fd);
    this.fd = undefined;
    this.path = "";
  }
}

function writeFailure(directory: HostPath, write: CgroupWrite, errno: number, explain: Explain): OpError {
  const what = `${JSON.stringify(write.value)} to controller ${write.controller}`;
  const why = explain(directory, write, errno);
  const hint = why === undefined ? what : `${what}; ${why}`;
  return OpError.from("write", `${directory}/${write.file}`, errno, hint);
}

/** The words are runc's for a container that has no cgroup in a hierarchy of the host (host/cgroup_rights.ts). */
function notMounted({ controller, file, value, from }: CgroupWrite): Error {
  if (isMounted(controller))
    return new RuntimeError(
      "unsupported",
      `cannot set ${controller} limit: container could not join or create cgroup, asked for by ${from}`,
    );
  const hint = `${JSON.stringify(value)} to controller ${controller}; ${whyNotMounted(controller)}`;
  return OpError.from("write", file, ENOENT, hint);
}

/** Whether the host has a hierarchy of this controller, be the container in it or not. */
export function isMounted(controller: string): boolean {
  const { kind, hierarchies } = detectCgroups();
  return kind === "v2" || hierarchies.some(({ controllers }) => controllers.includes(controller));
}

/** cgroups(7) "/proc/cgroups": name, hierarchy, number of cgroups, enabled. */
function whyNotMounted(controller: string): string {
  const table = tryReadControl("/proc" as HostPath, "cgroups") ?? "";
  const line = table.split("\n").find((text) => text.startsWith(`${controller}\t`));
  if (line === undefined) return "the controller is missing: this kernel does not have it";
  const [, hierarchy, , enabled] = line.split("\t");
  if (enabled === "0") return "the controller is missing: it is disabled on the kernel's command line";
  if (hierarchy !== "0") return "the controller's hierarchy is not mounted here";
  return "the controller is not mounted as a hierarchy of cgroup v1";
}

/** memory.checkBeforeUpdate: without the check the kernel would kill processes to get below the limit. */
export function refuseUsed(directory: HostPath, { file, value, from, onlyAbove }: CgroupWrite): void {
  if (onlyAbove === undefined) return;
  const current = tryReadControl(directory, onlyAbove);
  if (current === undefined || BigInt(value) > BigInt(current)) return;
  const hint = `rejecting memory limit ${value} <= usage ${current}`;
  throw new OpError({ op: "write", object: `${directory}/${file}`, errno: "EBUSY", hint }).askedBy(from);
}
