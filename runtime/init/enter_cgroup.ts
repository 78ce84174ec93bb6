/** Entering cgroups from inside: the files are opened while the host's are in sight, and written when it is time. */
import { EBUSY, EOPNOTSUPP } from "../../syscalls/constants/errno.ts";
import { O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { OpError } from "../../syscalls/error.ts";
import { tryWrite } from "../../syscalls/io.ts";
import { CWD, close, tryOpenat } from "../../syscalls/open.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import type { CgroupRequest } from "../channel.ts";
import { JOIN_CGROUP } from "../errors.ts";

/** A control file that moves who writes to it. */
export interface CgroupDoor {
  readonly path: HostPath;
  readonly fd: Fd;
  /** The one to take where this one's cgroup takes no processes, having children with limits. */
  readonly instead?: Fd | undefined;
}

const SELF = new Uint8Array([0x30]); // cgroups(7): "0" is the writer

/** By itself through open doors, or moved by the parent when that is asked for it. */
export type CgroupWay = readonly CgroupDoor[] | CgroupRequest;

/** The ways of an init process into its cgroups (plan/cgroup/entry.ts says when each is taken). */
export interface CgroupWays {
  readonly join: CgroupWay;
  readonly leaveMemory: CgroupWay;
  readonly rejoinMemory: CgroupWay;
}

/**
 * Opens the files; with these descriptors the right to move was checked for who opened them. `insteadOfUnified` is
 * for the door of the unified hierarchy, the only one whose cgroups refuse processes for their children.
 */
export function openCgroupDoors(paths: readonly HostPath[], insteadOfUnified?: HostPath): CgroupDoor[] {
  return paths.map((path) => {
    const fd = openDoor(path);
    if (insteadOfUnified === undefined || !path.endsWith("/cgroup.procs")) return { path, fd };
    return { path, fd, instead: openDoor(insteadOfUnified) };
  });
}

function openDoor(path: HostPath): Fd {
  const fd = tryOpenat(CWD, path, O_WRONLY);
  if (fd < 0) throw OpError.from(JOIN_CGROUP, path, -fd);
  return fd as Fd;
}

/** Everything that is open for them. */
export function doorDescriptors(doors: readonly CgroupDoor[]): Fd[] {
  return doors.flatMap(({ fd, instead }) => (instead === undefined ? [fd] : [fd, instead]));
}

/** Moves this process, which has one thread, through each of them, and closes them. */
export function goThrough(doors: readonly CgroupDoor[]): void {
  for (const { path, fd, instead } of doors) {
    let result = tryWrite(fd, SELF);
    if (instead !== undefined && (result === -EBUSY || result === -EOPNOTSUPP))
      result = tryWrite(instead, SELF);
    if (result < 0) throw OpError.from(JOIN_CGROUP, path, -result);
  }
  for (const fd of doorDescriptors(doors)) close(fd);
}
