/**
 * A procfs of our own: a detached mount that no container can reach or mount over, made before the root file
 * system is touched. All of /proc that the init process reads or writes goes through it (CVE-2025-52881).
 */
import {
  close,
  O_RDWR,
  O_WRONLY,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
  write,
} from "../../syscalls/file.ts";
import {
  createFilesystem,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
} from "../../syscalls/mount.ts";
import { getpid } from "../../syscalls/process.ts";
import type { Fd } from "../../syscalls/types.ts";

/** Opens a new procfs of this process' pid namespace; the mount is attached nowhere. */
export function openProcfs(): Fd {
  return createFilesystem("proc", [], MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

const encoder = new TextEncoder();
/** How everything below our procfs is opened: nothing that was mounted over or linked from it. */
export const STRICT = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;

/** Writes a value with one write(2) to a file below our procfs, such as "sys/net/ipv4/ip_forward". */
export function writeProc(procfs: Fd, path: string, value: string): void {
  const fd = openat2(procfs, path, O_WRONLY, STRICT);
  try {
    write(fd, encoder.encode(value), `/proc/${path}`);
  } finally {
    close(fd);
  }
}

/** Writes to a file of this process, such as "oom_score_adj". */
export function writeProcSelf(procfs: Fd, name: string, value: string): void {
  writeProc(procfs, `${getpid()}/${name}`, value);
}

/** Opens a file below our procfs for reading and writing. */
export function openProc(procfs: Fd, path: string): Fd {
  return openat2(procfs, path, O_RDWR, STRICT);
}
