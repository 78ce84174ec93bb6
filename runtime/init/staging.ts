/**
 * Where mounts are made that cannot be made detached: a tmpfs of this mount namespace that nothing else can reach, from
 * which MS_MOVE puts them in place. mount(2) takes paths: a descriptor becomes one as its number relative to the fd
 * directory of a procfs that the container cannot cover, which is made the current directory for the call.
 */
import { O_CREAT, O_DIRECTORY, O_EXCL, O_PATH, O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { TMPFS_MAGIC } from "../../syscalls/constants/magic.ts";
import { mkdirat } from "../../syscalls/directory.ts";
import { MS_NODEV, MS_NOSUID, MS_UNBINDABLE, mount } from "../../syscalls/mount.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { fstat, fstatfs } from "../../syscalls/stat.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { fchdir } from "../../syscalls/working_directory.ts";
import { safetyViolation } from "../errors.ts";

/** mount(2) for what descriptors are open on. */
export class Staging {
  /** /proc/self/fd of the procfs, opened when it is first needed. */
  private descriptors: Fd | undefined;
  private staging: Fd | undefined;
  private count = 0;

  constructor(private readonly procfs: Fd) {}

  /**
   * Puts the tmpfs on the directory that the root file system will cover. It is unbindable, so that a recursive bind of
   * what lies below does not copy it. The mount of `place` must not be shared, or the host would see it.
   */
  open(place: Fd, path: HostPath): void {
    this.atDescriptors(() => mount("tmpfs", String(place), "tmpfs", MS_NOSUID | MS_NODEV, "mode=700"));
    const staging = openat(CWD, path, O_PATH | O_DIRECTORY);
    const [mounted, covered] = [fstat(staging), fstat(place)];
    const another = mounted.devMajor !== covered.devMajor || mounted.devMinor !== covered.devMinor;
    if (fstatfs(staging).magic !== TMPFS_MAGIC || !another) {
      throw safetyViolation(`${path} was replaced while the root file system was being prepared`);
    }
    this.atDescriptors(() => mount("", String(staging), "", MS_UNBINDABLE, ""));
    this.staging = staging;
  }

  /** Makes a place in it, mounts there by `mountOn` (which gets a name for it), and opens the mount. */
  stage(kind: "directory" | "file", mountOn: (slot: string) => void): Fd {
    const { staging } = this;
    if (staging === undefined) throw new Error("no staging for mount(2)");
    const name = String(this.count++);
    if (kind === "directory") mkdirat(staging, name, 0o700);
    else close(openat(staging, name, O_CREAT | O_EXCL | O_WRONLY, 0o600));
    closing(openat(staging, name, O_PATH), (slot) => {
      this.atDescriptors(() => mountOn(String(slot)));
    });
    return openat(staging, name, O_PATH);
  }

  /** Runs `act` where the name "7" is what descriptor 7 is open on. */
  atDescriptors<T>(act: () => T): T {
    this.descriptors ??= openat(this.procfs, "self/fd", O_PATH | O_DIRECTORY);
    const { descriptors } = this;
    return closing(openat(CWD, ".", O_PATH | O_DIRECTORY), (before) => {
      fchdir(descriptors);
      try {
        return act();
      } finally {
        fchdir(before);
      }
    });
  }

  /** Gives up what it holds open, when every mount is made. */
  close(): void {
    const { descriptors, staging } = this;
    for (const fd of [descriptors, staging]) if (fd !== undefined) close(fd);
  }
}
