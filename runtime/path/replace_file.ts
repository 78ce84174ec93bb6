/** Files that others may read at any time: written beside, then renamed, so that they appear whole or not at all. */

import { EEXIST } from "../../syscalls/constants/errno.ts";
import { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { renameat, tryUnlinkat } from "../../syscalls/directory.ts";
import { OpError } from "../../syscalls/error.ts";
import { writeAll } from "../../syscalls/io.ts";
import { tryOpenat } from "../../syscalls/open.ts";
import { getpid } from "../../syscalls/process.ts";
import { closing } from "../../syscalls/scope.ts";
import { type Fd, failed } from "../../syscalls/types.ts";

/** Makes `name` in the directory a new file with these bytes; a link in its place is replaced, not followed. */
export function replaceFile(
  directory: Fd,
  name: string,
  bytes: Uint8Array,
  mode: number,
  shown = name,
): void {
  const temporary = `.${name}.${getpid()}`;
  closing(createNew(directory, temporary, mode), (fd) => {
    try {
      writeAll(fd, bytes, shown);
      renameat(directory, temporary, directory, name);
    } catch (error) {
      tryUnlinkat(directory, temporary);
      throw error;
    }
  });
}

/** What is there already was left behind by a process of this pid that was killed. */
function createNew(directory: Fd, name: string, mode: number): Fd {
  const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  let fd = tryOpenat(directory, name, flags, mode);
  if (fd === -EEXIST) {
    tryUnlinkat(directory, name);
    fd = tryOpenat(directory, name, flags, mode);
  }
  if (failed(fd)) throw OpError.from("open", name, -fd);
  return fd;
}
