/** /proc/<pid>/cmdline is for everybody to read who sees the process, and ours names paths of the host. */
import { O_RDWR } from "../../syscalls/constants/fcntl.ts";
import { read, readTextAt, seekTo, writeAll } from "../../syscalls/io.ts";
import { openat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import type { Fd } from "../../syscalls/types.ts";

/**
 * Overwrites this process's arguments in its memory, by a procfs in which it is seen, and so those of what it forks
 * from then on; returns how to put them back. `/proc/self/mem` has to be its own to open (proc(5)).
 */
export function hideArguments(procfs: Fd): (procfs: Fd) => void {
  const stat = readTextAt(procfs, "self/stat");
  // Fields 48 and 49 of proc_pid_stat(5); the second may hold blanks.
  const [start = 0, end = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(45, 47)
    .map(Number);
  const shown = new Uint8Array(end - start);
  swapMemory(procfs, start, new Uint8Array(shown.length), shown);
  return (again) => swapMemory(again, start, shown);
}

/** The descriptor is not kept: in a child it would still be the memory of this process. */
function swapMemory(procfs: Fd, address: number, bytes: Uint8Array, before?: Uint8Array): void {
  closing(openat(procfs, "self/mem", O_RDWR), (memory) => {
    if (before !== undefined) {
      seekTo(memory, address);
      read(memory, before);
    }
    seekTo(memory, address);
    writeAll(memory, bytes, "/proc/self/mem");
  });
}
