/** config-linux.md "Cgroup ownership": a container with a cgroup namespace may manage what is below its cgroup. */
import { ENOENT, EPERM } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { CWD } from "../../syscalls/open.ts";
import { tryFchownat } from "../../syscalls/permissions.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { tryReadControl } from "./control_file.ts";

/** Where the kernel has no list of the files that may be given away (before 4.15). */
const usual = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads";

/** Gives the directory and the files that are safe to give away to a user; the others hold the limits. */
export function delegateTo(directory: HostPath, uid: number): void {
  const files = (tryReadControl("/sys/kernel/cgroup" as HostPath, "delegate") ?? usual).split("\n");
  for (const path of [directory, ...files.map((file) => `${directory}/${file}`)]) {
    const result = tryFchownat(CWD, path, uid);
    // config-linux.md: "SHOULD"; to an ordinary user the container's other users are strangers, as to runc and crun.
    if (result === -EPERM && geteuid() !== 0) return;
    // The list is of all that a kernel knows; controllers that are not enabled here have no files.
    if (result < 0 && result !== -ENOENT) throw OpError.from("chown", path, -result, `to uid ${uid}`);
  }
}
