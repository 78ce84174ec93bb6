/** The pid file: go-runc reads the whole of it as a number, so it has no newline and appears complete or not at all. */

import { F_GETFD, FD_CLOEXEC, O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { fdAt, tryFcntl } from "../../syscalls/descriptor.ts";
import { tryReadlinkat } from "../../syscalls/directory.ts";
import { writeAll } from "../../syscalls/io.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import { getpid } from "../../syscalls/process.ts";
import { closing } from "../../syscalls/scope.ts";
import type { Fd, HostPath, Pid } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { replaceFile } from "../path/replace_file.ts";

/**
 * Writes the pid to <dir>/.<name>, then renames it; a link in the place of the file is replaced, not followed. What
 * names a descriptor that the caller has passed on (/dev/fd/N, /proc/self/fd/N, /dev/stdout) is written to as it is.
 */
export function writePidFile(path: HostPath, pid: Pid): void {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  const text = encodeUtf8(String(pid));
  closing(openat(CWD, path.slice(0, slash) || "/", O_RDONLY | O_DIRECTORY), (dir) => {
    const passedOn = descriptorOf(dir, name);
    if (passedOn === undefined) replaceFile(dir, name, text, 0o666, path);
    else writeAll(passedOn, text, path);
  });
}

/** The descriptor that a path names, when it is one of the caller's: those of our own do not survive an execve(2). */
function descriptorOf(dir: Fd, name: string): Fd | undefined {
  const link = tryReadlinkat(dir, name);
  if (link === undefined) return undefined;
  const pid = getpid();
  const own = [`/proc/${pid}/fd`, `/proc/${pid}/task/${pid}/fd`];
  const number = own.includes(tryReadlinkat(CWD, `/proc/self/fd/${dir}`) ?? "")
    ? name
    : /^\/proc\/self\/fd\/(\d+)$/.exec(link)?.[1];
  if (number === undefined) return undefined;
  const fd = fdAt(Number(number));
  return (tryFcntl(fd, F_GETFD) & FD_CLOEXEC) === 0 ? fd : undefined;
}
