/** Entering cgroups from inside: the files are opened while the host's are in sight, and written when it is time. */
import { OpError } from "../../syscalls/error.ts";
import { CWD, close, O_WRONLY, openat, tryWrite } from "../../syscalls/file.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";

/** A control file that moves who writes to it. */
export interface CgroupDoor {
  readonly path: HostPath;
  readonly fd: Fd;
}

const SELF = new Uint8Array([0x30]); // cgroups(7): "0" is the writer

/** The ways of an init process into its cgroups, open (cgroup/entry.ts says when each is taken). */
export interface CgroupDoors {
  readonly join: readonly CgroupDoor[];
  readonly leaveMemory: readonly CgroupDoor[];
  readonly rejoinMemory: readonly CgroupDoor[];
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
