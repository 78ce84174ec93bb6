/**
 * The sources of bind mounts that the parent makes, as a container in a user namespace of its own has no right to:
 * mapping the ids of a file system takes one in the user namespace that it was mounted in (mount_setattr(2)), and the
 * way to a source may lead through a directory of the host's root. A source is looked up when its turn comes and in
 * the container's mount namespace, so that it is what the mounts before it in the configuration have made of it.
 */

import { asking } from "../../syscalls/asking.ts";
import { EINVAL, ENOSYS, EPERM } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_NONBLOCK, O_PATH, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { CLONE_NEWNS, CLONE_NEWUSER } from "../../syscalls/constants/sched.ts";
import { lookDescriptorsUpIn } from "../../syscalls/descriptor_name.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { geteuid } from "../../syscalls/identity.ts";
import {
  cloneTree,
  MOUNT_ATTR_IDMAP,
  MS_REC,
  missingMountCalls,
  mountSetattr,
  tryMountSetattr,
} from "../../syscalls/mount.ts";
import { setns, tryNamespaceType } from "../../syscalls/namespace.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { scope } from "../../syscalls/scope.ts";
import { statx, tryStatx } from "../../syscalls/stat.ts";
import type { Fd, HostPath, Pid } from "../../syscalls/types.ts";
import { chroot, fchdir } from "../../syscalls/working_directory.ts";
import { RuntimeError } from "../errors.ts";
import type { BindStep, IdmapPlan, UsernsPlan } from "../plan/mounts/mounts.ts";
import { makeUserns } from "./userns.ts";

const NOT_FOR_USERS =
  "it takes CAP_SYS_ADMIN in the user namespace that its file system was mounted in, which an ordinary user lacks";

/** Opens sources for the mounts of one init process, one after the other; to be closed when there are no more. */
export class BindSources {
  readonly #pid: Pid;
  readonly #propagation: number;
  /** Equal maps share a namespace. */
  readonly #namespaces = new Map<string, Fd>();

  /** `pid`: whose mounts; `propagation`: MS_*, what the container's mounts get first. */
  constructor(pid: Pid, propagation: number) {
    this.#pid = pid;
    this.#propagation = propagation;
  }

  /**
   * A detached copy of the source, its ids mapped where the plan says so; undefined where the kernel has no such
   * thing and the source might do without. Throws OpError naming the source and the mount.
   */
  open(step: BindStep): Fd | undefined {
    return asking(step.from, () => {
      if (step.idmap !== undefined) return this.#mapped(step, step.idmap);
      return missingMountCalls().length > 0 ? undefined : this.#copy(step);
    });
  }

  close(): void {
    for (const fd of this.#namespaces.values()) close(fd);
    this.#namespaces.clear();
  }

  #copy({ source, recursive }: BindStep): Fd {
    const found = inMountsOf(this.#pid, () => {
      try {
        return cloneTree(CWD, source, recursive);
      } catch (error) {
        // Without its mounts a directory cannot be copied where another user namespace has locked them to it.
        if (recursive || !isErrno(error, "EINVAL")) throw error;
        return { file: statx(CWD, source, 0), error };
      }
    });
    if (typeof found === "number") return found;
    // Nothing is locked on the host; but it must be the same file there, not what a mount of the container covers.
    const { file, error } = found;
    const here = tryStatx(CWD, source, 0);
    const isSame =
      typeof here !== "number" &&
      here.ino === file.ino &&
      here.devMajor === file.devMajor &&
      here.devMinor === file.devMinor;
    if (!isSame) throw error;
    return detachedCopy(source, recursive, this.#propagation);
  }

  /** The ids of a mount can be mapped only while it is detached. */
  #mapped(step: BindStep, idmap: IdmapPlan): Fd {
    if (geteuid() !== 0) throw OpError.from("id-map", step.source, EPERM, NOT_FOR_USERS);
    if (missingMountCalls().length > 0) throw notMapped(step.source, ENOSYS);
    const key = JSON.stringify(idmap.userns);
    const userns = this.#namespaces.get(key) ?? openUserns(idmap.userns);
    this.#namespaces.set(key, userns);
    const copy = this.#copy(step);
    const attr = { set: MOUNT_ATTR_IDMAP, clear: 0, propagation: 0, userns };
    const result = tryMountSetattr(copy, idmap.recursive, attr);
    if (result < 0) throw notMapped(step.source, -result);
    return copy;
  }
}

/** Runs `act` with the mounts and the "/" of another process. This one has no second thread that would see it. */
function inMountsOf<T>(pid: Pid, act: () => T): T {
  const path = `/proc/${pid}/ns/mnt`;
  return scope((owner) => {
    const theirs = owner.own(openat(CWD, path, O_RDONLY));
    const ours = owner.own(openat(CWD, "/proc/self/ns/mnt", O_RDONLY));
    const root = owner.own(openat(CWD, "/", O_PATH | O_DIRECTORY));
    const cwd = owner.own(openat(CWD, ".", O_PATH | O_DIRECTORY));
    setns(theirs, CLONE_NEWNS, path);
    try {
      return act();
    } finally {
      // setns(2) goes to the root of the namespace, which need not have been ours.
      setns(ours, CLONE_NEWNS, "/proc/self/ns/mnt");
      fchdir(root);
      chroot(".");
      fchdir(cwd);
      // /proc is again what it was before.
      lookDescriptorsUpIn(CWD);
    }
  });
}

function detachedCopy(source: HostPath, recursive: boolean, propagation: number): Fd {
  const copy = cloneTree(CWD, source, recursive);
  // Else what is mounted in a shared copy would be so on the host as well.
  const leave = { set: 0, clear: 0, propagation: propagation & ~MS_REC };
  mountSetattr(copy, (propagation & MS_REC) !== 0, leave, source);
  return copy;
}

function notMapped(source: HostPath, errno: number): OpError {
  const hints: Readonly<Record<number, string>> = {
    [EINVAL]: "does its file system support id-mapped mounts?",
    [EPERM]: "it is id-mapped already, or its file system belongs to another user namespace",
    [ENOSYS]: "it needs mount_setattr(2), Linux 5.12",
  };
  return OpError.from("id-map", source, errno, hints[errno]);
}

function openUserns(userns: UsernsPlan): Fd {
  if (!("path" in userns)) return makeUserns(userns);
  const fd = openat(CWD, userns.path, O_RDONLY | O_NONBLOCK);
  if (tryNamespaceType(fd) === CLONE_NEWUSER) return fd;
  throw new RuntimeError("invalid-argument", `${userns.path} is not a user namespace`);
}
