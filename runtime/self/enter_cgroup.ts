/** Entering cgroups from inside: the files are opened while the host's are in sight, and written when it is time. */

import { EBUSY, EOPNOTSUPP } from "../../syscalls/constants/errno.ts";
import { O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { OpError } from "../../syscalls/error.ts";
import { tryWrite } from "../../syscalls/io.ts";
import { CWD, close, tryOpenat } from "../../syscalls/open.ts";
import type { Owner } from "../../syscalls/scope.ts";
import { type Fd, failed, type HostPath } from "../../syscalls/types.ts";
import { JOIN_CGROUP } from "../errors.ts";

/** A control file that moves who writes to it. */
export interface CgroupFile {
  readonly path: HostPath;
  readonly fd: Fd;
  /** The one to take where this one's cgroup takes no processes, having children with limits. */
  readonly instead?: Fd | undefined;
}

const SELF = new Uint8Array([0x30]); // cgroups(7): "0" is the writer

/**
 * Opens the files; with these descriptors the right to move was checked for who opened them. `insteadOfUnified` is
 * for the file of the unified hierarchy, the only one whose cgroups refuse processes for their children.
 */
export function openCgroupFiles(
  paths: readonly HostPath[],
  owner: Owner,
  insteadOfUnified?: HostPath,
): CgroupFile[] {
  return paths.map((path) => {
    const fd = owner.own(openFile(path));
    if (insteadOfUnified === undefined || !path.endsWith("/cgroup.procs")) return { path, fd };
    return { path, fd, instead: owner.own(openFile(insteadOfUnified)) };
  });
}

function openFile(path: HostPath): Fd {
  const fd = tryOpenat(CWD, path, O_WRONLY);
  if (failed(fd)) throw OpError.from(JOIN_CGROUP, path, -fd);
  return fd;
}

/** Everything that is open for them. */
export function cgroupDescriptors(files: readonly CgroupFile[]): Fd[] {
  return files.flatMap(({ fd, instead }) => (instead === undefined ? [fd] : [fd, instead]));
}

/** Moves this process, which has one thread, into each of their cgroups, and closes them. */
export function enterCgroups(files: readonly CgroupFile[]): void {
  for (const { path, fd, instead } of files) {
    let result = tryWrite(fd, SELF);
    if (instead !== undefined && (result === -EBUSY || result === -EOPNOTSUPP))
      result = tryWrite(instead, SELF);
    if (result < 0) throw OpError.from(JOIN_CGROUP, path, -result);
  }
  for (const fd of cgroupDescriptors(files)) close(fd);
}
