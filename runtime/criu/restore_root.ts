/**
 * The root file system as criu wants it, made in the process that becomes criu: a mount whose parent nothing covers, and
 * in it the places that the container's mounts go to. criu's is a mount namespace of its own, so that nothing of it is
 * seen on the host, and nothing stays.
 */
import { asking } from "../../syscalls/asking.ts";
import { O_DIRECTORY, O_PATH } from "../../syscalls/constants/fcntl.ts";
import { S_IFDIR } from "../../syscalls/constants/stat.ts";
import { MNT_DETACH, MS_BIND, MS_REC, MS_SLAVE, mount, umount2 } from "../../syscalls/mount.ts";
import { CLONE_NEWNS, unshare } from "../../syscalls/namespace.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { isType, statx } from "../../syscalls/stat.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { cleanPath } from "../path/clean_path.ts";
import { openOrCreateInRoot } from "../path/in_root.ts";
import type { MountStep } from "../plan/mounts/mounts.ts";

/** Mounts `rootfs` on `root`, an empty directory, with a place for each of the mounts. */
export function makeRestoreRoot(rootfs: HostPath, root: HostPath, mounts: readonly MountStep[]): void {
  unshare(CLONE_NEWNS);
  // What the host mounts later is seen, as far as it was to be, and nothing goes the other way.
  mount("", "/", "", MS_REC | MS_SLAVE, "");
  mount(rootfs, root, "", MS_BIND | MS_REC, "");
  makePlaces(root, mounts);
  // Together with the bind mounts in it.
  umount2(root, MNT_DETACH);
  mount(rootfs, root, "", MS_BIND | MS_REC, "");
}

/** In the order of the configuration: a bind mount may have to hold the place of a later one. */
function makePlaces(root: HostPath, mounts: readonly MountStep[]): void {
  const filesystems: string[] = [];
  closing(openat(CWD, root, O_PATH | O_DIRECTORY), (top) => {
    for (const step of mounts) {
      if (step.kind === "remount" || step.isRoot) continue;
      const destination = cleanPath(step.destination);
      // What is in a file system of the container's own criu restores with it, or the kernel has it there.
      if (filesystems.some((above) => destination.startsWith(`${above}/`))) continue;
      asking(step.from, () => {
        if (step.kind === "bind") bind(top, step.source, step.destination);
        else {
          close(openOrCreateInRoot(top, step.destination, "directory", "follow-in-root"));
          filesystems.push(destination);
        }
      });
    }
  });
}

function bind(root: Fd, source: HostPath, destination: string): void {
  const kind = isType(statx(CWD, source, 0), S_IFDIR) ? "directory" : "file";
  closing(openOrCreateInRoot(root, destination, kind, "follow-in-root"), (place) =>
    mount(source, `/proc/self/fd/${place}`, "", MS_BIND | MS_REC, ""),
  );
}
