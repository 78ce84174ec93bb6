/**
 * Forking a process that runs JavaScript, with the child going on in JavaScript. Three facts make it work and
 * each is checked here: the process has one thread (a lock held by another would stay locked in the child),
 * the engine's heap is inherited (it asks the kernel not to), and the child never returns to the event loop.
 */
import { EINVAL } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import { CWD, readTextAt } from "../../syscalls/file.ts";
import { MADV_DOFORK, tryMadvise } from "../../syscalls/memory.ts";
import { type Cloned, clone2, clone3, exitGroup } from "../../syscalls/process.ts";
import type { Fd } from "../../syscalls/types.ts";

/** Where to read about this process: a directory and what to put before "self". */
export interface Procfs {
  readonly directory: Fd;
  readonly prefix: string;
}

/** Where else than by default. */
export interface ForkOptions {
  readonly procfs?: Procfs | undefined;
  /** The directory of the cgroup v2 that the child is born into (CLONE_INTO_CGROUP). */
  readonly cgroup?: Fd | undefined;
  /** Done right before the clone, to close what the child must not even be born with. */
  readonly lastly?: (() => void) | undefined;
  /** By clone(2): a seccomp filter is loaded already. */
  readonly filtered?: boolean;
}

const hostProcfs: Procfs = { directory: CWD, prefix: "/proc/" };

/**
 * clone3 with `flags` (CLONE_NEW*): runs `child` in the new process, which must end in execve or exitGroup;
 * what it throws past its own handling ends it with status 70. Returns the child's pid and pidfd. In a container
 * `procfs` is the runtime's own, since what is mounted on /proc there proves nothing.
 */
export function fork(flags: number, child: () => never, options: ForkOptions = {}): Cloned {
  const procfs = options.procfs ?? hostProcfs;
  requireSingleThread(procfs);
  inheritHeap(procfs);
  options.lastly?.();
  const cloned = options.filtered ? clone2(flags) : clone3(flags, options.cgroup);
  if (cloned !== undefined) return cloned;
  try {
    child();
  } catch {
    exitGroup(70);
  }
}

/** A thread that does not exist in the child may hold the allocator's lock: one fork in sixty hung that way. */
function requireSingleThread(procfs: Procfs): void {
  const status = readTextAt(procfs.directory, `${procfs.prefix}self/status`);
  const threads = /^Threads:\t(\d+)$/m.exec(status)?.[1];
  if (threads !== "1") throw new Error(`refusing to fork with ${threads ?? "an unknown number of"} threads`);
}

/** JavaScriptCore marks its heap MADV_DONTFORK; without this the child dies at its first instruction. */
function inheritHeap(procfs: Procfs): void {
  const maps = readTextAt(procfs.directory, `${procfs.prefix}self/maps`);
  for (const line of maps.split("\n")) {
    // start-end perms offset dev inode [path]: anonymous private mappings have inode 0 and no file
    const space = line.indexOf(" ");
    if (space < 0 || line.endsWith("]") || !/ 0 *$/.test(line)) continue;
    const dash = line.indexOf("-");
    const start = BigInt(`0x${line.slice(0, dash)}`);
    const end = BigInt(`0x${line.slice(dash + 1, space)}`);
    const result = tryMadvise(start, end - start, MADV_DOFORK);
    // EINVAL: a kind of mapping that is not the engine's heap.
    if (result < 0 && result !== -EINVAL)
      throw OpError.from("madvise", `${line.slice(0, space)} MADV_DOFORK`, -result);
  }
}
