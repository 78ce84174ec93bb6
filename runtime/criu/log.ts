/** What criu has written into its log, for the error that it leads to. */
import { O_NOFOLLOW, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { readToEnd, seekTo } from "../../syscalls/io.ts";
import { close, tryOpenat } from "../../syscalls/open.ts";
import { fstat } from "../../syscalls/stat.ts";
import { type Fd, failed, type HostPath } from "../../syscalls/types.ts";
import { decodeUtf8 } from "../../syscalls/utf8.ts";
import { RuntimeError } from "../errors.ts";

/** A directory that criu is told by its descriptor. */
export interface OpenDirectory {
  readonly fd: Fd;
  readonly path: HostPath;
}

/** As much of the end of a log as is looked at. */
const TAIL = 256 * 1024;
const MAX_LINES = 10;

/** The error with the last errors in the log behind it, and where that is; engines show the first line alone. */
export function withLog(error: unknown, directory: OpenDirectory, name: string): unknown {
  if (!(error instanceof RuntimeError) || error.kind !== "child") return error;
  const text = tailOf(directory.fd, name);
  if (text === undefined) return error;
  const lines = [`log file: ${directory.path}/${name}`, ...lastErrors(text)];
  return new RuntimeError(error.kind, [error.message, ...lines].join("\n"), { cause: error });
}

/** The last lines that tell an error; the last of all where none does, as of a criu that was killed. */
export function lastErrors(text: string): string[] {
  const lines = text.split("\n").filter((line) => line !== "");
  const errors = lines.filter((line) => line.includes("Error"));
  return errors.length > 0 ? errors.slice(-MAX_LINES) : lines.slice(-3);
}

function tailOf(directory: Fd, name: string): string | undefined {
  const fd = tryOpenat(directory, name, O_RDONLY | O_NOFOLLOW);
  if (failed(fd)) return undefined;
  const size = Number(fstat(fd).size);
  if (size > TAIL) seekTo(fd, size - TAIL);
  const bytes = readToEnd(fd);
  close(fd);
  return decodeUtf8(bytes);
}
