/** What a command has of its own process: arguments, environment, standard streams, a log, a trace. Keeps cmd/ off syscalls/. */

import { EEXIST } from "../../syscalls/constants/errno.ts";
import { O_APPEND, O_CREAT, O_EXCL, O_TRUNC, O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { STDERR } from "../../syscalls/descriptor.ts";
import { tryUnlinkat } from "../../syscalls/directory.ts";
import { OpError } from "../../syscalls/error.ts";
import { writeAll } from "../../syscalls/io.ts";
import { CWD, openat, tryOpenat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { setTrace } from "../../syscalls/trace.ts";
import { type Fd, failed, type HostPath } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";

export { realtimeNow, rfc3339 } from "../../syscalls/clock.ts";
export { STDERR, STDIN, STDOUT } from "../../syscalls/descriptor.ts";
export { getegid, geteuid } from "../../syscalls/identity.ts";
export { writeAll } from "../../syscalls/io.ts";
export { seccompVersion } from "../../syscalls/libseccomp.ts";
export { environment, programArguments } from "../../syscalls/start.ts";
export { isTerminal } from "../../syscalls/tty.ts";
export type { Fd, HostPath } from "../../syscalls/types.ts";
export { encodeUtf8 } from "../../syscalls/utf8.ts";
export { getcwd } from "../../syscalls/working_directory.ts";
export { refuseSetId } from "./set_id.ts";
export { ignoreWriteSignals, openClosedStreams, wasClosed } from "./standard_streams.ts";

/** Opens a log for appending; several commands may share it. */
export function openLog(path: HostPath): Fd {
  return openat(CWD, path, O_CREAT | O_WRONLY | O_APPEND, 0o644);
}

/** Writes a new file, as a whole or not at all; false when it exists already (and is left alone). */
export function createFile(path: HostPath, text: string): boolean {
  const fd = tryOpenat(CWD, path, O_CREAT | O_EXCL | O_WRONLY, 0o666);
  if (fd === -EEXIST) return false;
  if (failed(fd)) throw OpError.from("create", path, -fd);
  return closing(fd, () => {
    try {
      writeAll(fd, encodeUtf8(text), path);
      return true;
    } catch (error) {
      tryUnlinkat(CWD, path);
      throw error;
    }
  });
}

/** From here on every system call is printed to this file, or to stderr for "-". */
export function traceTo(destination: HostPath | "-"): void {
  setTrace(destination === "-" ? STDERR : openat(CWD, destination, O_CREAT | O_WRONLY | O_TRUNC, 0o644));
}
