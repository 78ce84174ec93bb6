/** Entering cgroups from inside: the files are opened while the host's are in sight, and written when it is time. */

import { EACCES, EBUSY, EOPNOTSUPP, EPERM, EROFS, errnoName } from "../../syscalls/constants/errno.ts";
import { O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { OpError } from "../../syscalls/error.ts";
import { tryWrite } from "../../syscalls/io.ts";
import { CWD, close, tryOpenat } from "../../syscalls/open.ts";
import type { Owner } from "../../syscalls/scope.ts";
import { type Failure, type Fd, failed, type HostPath } from "../../syscalls/types.ts";
import { JOIN_CGROUP } from "../errors.ts";

/** A control file that moves who writes to it. */
export interface CgroupFile {
  readonly path: HostPath;
  readonly fd: Fd;
  /** The one to take where this one's cgroup takes no processes, having children with limits. */
  readonly instead?: { readonly cgroup: string; readonly fd: Fd } | undefined;
}

const SELF = new Uint8Array([0x30]); // cgroups(7): "0" is the writer

/**
 * Opens the files; with these descriptors the right to move was checked for who opened them. `initCgroupFile` is
 * for the file of the unified hierarchy, the only one whose cgroups refuse processes for their children. Who
 * `mayStayOut` goes on without those that there is no right to, as runc does for an ordinary user.
 */
export function openCgroupFiles(
  paths: readonly HostPath[],
  owner: Owner,
  initCgroupFile?: HostPath,
  mayStayOut = false,
): CgroupFile[] {
  return paths.flatMap((path) => {
    const opened = tryOpenat(CWD, path, O_WRONLY);
    if (mayStayOut && isRefused(opened)) return [];
    const fd = owner.own(required(opened, path));
    if (initCgroupFile === undefined || !path.endsWith("/cgroup.procs")) return [{ path, fd }];
    const instead = tryOpenat(CWD, initCgroupFile, O_WRONLY);
    const cgroup = initCgroupFile.slice(0, initCgroupFile.lastIndexOf("/"));
    return [{ path, fd, instead: { cgroup, fd: owner.own(required(instead, initCgroupFile)) } }];
  });
}

function required(opened: Fd | Failure, path: HostPath): Fd {
  if (failed(opened)) throw OpError.from(JOIN_CGROUP, path, -opened);
  return opened;
}

function isRefused(result: number): boolean {
  return result === -EACCES || result === -EPERM || result === -EROFS;
}

/** Everything that is open for them. */
export function cgroupDescriptors(files: readonly CgroupFile[]): Fd[] {
  return files.flatMap(({ fd, instead }) => (instead === undefined ? [fd] : [fd, instead.fd]));
}

/**
 * Moves this process, which has one thread, into each of their cgroups, and closes them. `tell` gets what is worth a line
 * at debug level.
 */
export function enterCgroups(
  files: readonly CgroupFile[],
  tell: (note: string) => void,
  mayStayOut = false,
): void {
  for (const { path, fd, instead } of files) {
    let result = tryWrite(fd, SELF);
    if (instead !== undefined && (result === -EBUSY || result === -EOPNOTSUPP)) {
      tell(noteOfOther(errnoName(-result), instead.cgroup));
      result = tryWrite(instead.fd, SELF);
    }
    if (result < 0 && !(mayStayOut && isRefused(result))) throw OpError.from(JOIN_CGROUP, path, -result);
  }
  for (const fd of cgroupDescriptors(files)) close(fd);
}

/** That it is not the container's own cgroup, which refused with this errno, but the one of its init process. */
export function noteOfOther(errno: string, cgroup: string): string {
  return `joining configured cgroup failed (${errno}), will join container init cgroup ${cgroup}`;
}
