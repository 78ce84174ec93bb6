/** The pid file: go-runc reads the whole of it as a number, so it has no newline and appears complete or not at all. */
import {
  CWD,
  close,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_RDONLY,
  O_WRONLY,
  openat,
  renameat,
  tryUnlinkat,
  writeAll,
} from "../../syscalls/file.ts";
import { getpid } from "../../syscalls/process.ts";
import type { HostPath, Pid } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";

/** Writes the pid to <dir>/.<name>, then renames it; a link in the place of the file is replaced, not followed. */
export function writePidFile(path: HostPath, pid: Pid): void {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  const dir = openat(CWD, path.slice(0, slash) || "/", O_RDONLY | O_DIRECTORY);
  const temporary = `.${name}.${getpid()}`;
  try {
    const fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL, 0o666);
    try {
      writeAll(fd, encodeUtf8(String(pid)), path);
    } finally {
      close(fd);
    }
    renameat(dir, temporary, dir, name);
  } catch (error) {
    tryUnlinkat(dir, temporary);
    throw error;
  } finally {
    close(dir);
  }
}
