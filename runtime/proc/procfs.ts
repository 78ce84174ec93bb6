/**
 * A procfs of our own: a detached mount that no container can reach or mount over, made before the root file
 * system is touched. All of /proc that the init process reads or writes goes through it (CVE-2025-52881).
 */

import {
  O_DIRECTORY,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from "../../syscalls/constants/fcntl.ts";
import { PROC_SUPER_MAGIC } from "../../syscalls/constants/magic.ts";
import { textOf } from "../../syscalls/cstring.ts";
import { readlinkat } from "../../syscalls/directory.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { readToEnd, write } from "../../syscalls/io.ts";
import {
  cloneTree,
  createFilesystem,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
} from "../../syscalls/mount.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { fstatfs } from "../../syscalls/stat.ts";
import { type Fd, failed } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { safetyViolation } from "../errors.ts";
import { tryResolve } from "../path/resolve.ts";

/**
 * Opens a new procfs of this process' pid namespace; the mount is attached nowhere. Without the new mount API (ENOSYS
 * of the kernel, EPERM of a filter) it is the host's, opened while no container is near: through the descriptor it
 * stays the host's. Its pids may then be those of another namespace, so a process is named by "self", not by getpid.
 */
export function openProcfs(): Fd {
  const attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  const ways = [() => createFilesystem("proc", [], attributes), () => cloneTree(CWD, "/proc", false)];
  for (const way of ways) {
    try {
      return requireProcfs(way());
    } catch (error) {
      if (!isErrno(error, "ENOSYS", "EPERM", "EINVAL")) throw error;
    }
  }
  return requireProcfs(openat(CWD, "/proc", O_PATH | O_DIRECTORY));
}

function requireProcfs(fd: Fd): Fd {
  if (fstatfs(fd).magic === PROC_SUPER_MAGIC) return fd;
  throw safetyViolation("/proc of the host is not a procfs");
}

/** How everything below our procfs is opened: nothing that was mounted over or linked from it. */
export const STRICT = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;

/** Writes a value with one write(2) to a file below our procfs, such as "sys/net/ipv4/ip_forward". */
export function writeProc(procfs: Fd, path: string, value: string): void {
  closing(openBelow(procfs, path, O_WRONLY), (fd) => {
    write(fd, encodeUtf8(value), `/proc/${path}`);
  });
}

/** A file of this process, such as "oom_score_adj", as a path below this procfs. */
export function ownFile(procfs: Fd, name: string): string {
  return `${readlinkat(procfs, "self")}/${name}`;
}

/** Writes to a file of this process. */
export function writeProcSelf(procfs: Fd, name: string, value: string): void {
  writeProc(procfs, ownFile(procfs, name), value);
}

/** The text of a file of this process. */
export function readProcSelf(procfs: Fd, name: string): string {
  return closing(openBelow(procfs, ownFile(procfs, name), O_RDONLY), (fd) => {
    const bytes = readToEnd(fd);
    return textOf(bytes, bytes.length);
  });
}

/** An error is to name the file as people know it. */
function openBelow(procfs: Fd, path: string, flags: number): Fd {
  const fd = tryResolve(procfs, path, flags, STRICT);
  if (failed(fd)) throw OpError.from("open", `/proc/${path}`, -fd);
  return fd;
}
