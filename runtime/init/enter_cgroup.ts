/** Entering cgroups from inside: the files are opened while the host's are in sight, and written when it is time. */
import { OpError } from "../../syscalls/error.ts";
import { CWD, close, O_WRONLY, openat, tryWrite } from "../../syscalls/file.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import type { CgroupRequest } from "./sync.ts";

/** A control file that moves who writes to it. */
export interface CgroupDoor {
  readonly path: HostPath;
  readonly fd: Fd;
}

const SELF = new Uint8Array([0x30]); // cgroups(7): "0" is the writer

/** By itself through open doors, or moved by the parent when that is asked for it. */
export type CgroupWay = readonly CgroupDoor[] | CgroupRequest;

/** The ways of an init process into its cgroups (cgroup/entry.ts says when each is taken). */
export interface CgroupWays {
  readonly join: CgroupWay;
  readonly leaveMemory: CgroupWay;
  readonly rejoinMemory: CgroupWay;
}

/** Opens the files; with these descriptors the right to move was checked for who opened them. */
export function openCgroupDoors(paths: readonly HostPath[]): CgroupDoor[] {
  return paths.map((path) => ({ path, fd: openat(CWD, path, O_WRONLY) }));
}

/** Moves this process, which has one thread, through each of them, and closes them. */
export function goThrough(doors: readonly CgroupDoor[]): void {
  for (const { path, fd } of doors) {
    const result = tryWrite(fd, SELF);
    if (result < 0) throw OpError.from("join cgroup", path, -result);
    close(fd);
  }
}
