/** Reading the files of one cgroup for statistics. A file that the kernel does not have is an answer. */

import { O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { readDirectory } from "../../syscalls/directory.ts";
import { isErrno } from "../../syscalls/error.ts";
import { CWD, tryOpenat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { failed, type HostPath } from "../../syscalls/types.ts";
import { parseCount } from "../proc/count.ts";
import { readControl } from "./control_file.ts";
import { pageSizeOf } from "./stats_text.ts";

/** What `read` gives, or undefined when a file that it wants is not there. */
export function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** The text of a file, through a parser that is told the file's path. */
export function parsed<T>(directory: HostPath, file: string, parse: (text: string, file: string) => T): T {
  return parse(readControl(directory, file), `${directory}/${file}`);
}

/** A file of one number. */
export function count(directory: HostPath, file: string): bigint {
  return parsed(directory, file, parseCount);
}

/** A file of one number, 0 when it is not there. */
export function countIfThere(directory: HostPath, file: string): bigint {
  return ifThere(() => count(directory, file)) ?? 0n;
}

const HUGEPAGES = "/sys/kernel/mm/hugepages";

/** The sizes of huge pages that this kernel has, as cgroup files name them. */
export function hugepageSizes(): string[] {
  const fd = tryOpenat(CWD, HUGEPAGES, O_RDONLY | O_DIRECTORY);
  if (failed(fd)) return [];
  return closing(fd, () => {
    const sizes = readDirectory(fd).map(({ name }) => pageSizeOf(name));
    return sizes.filter((size) => size !== undefined).sort();
  });
}
