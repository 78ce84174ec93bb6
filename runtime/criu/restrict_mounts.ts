/**
 * What mounts must not be, once more. Of two bind mounts of one file system with the same flags criu (4.2 is the newest
 * that was looked at) gives them to one alone, and 3.17 forgets those of the root, so that what was read-only comes back
 * writable. The processes do not run yet: criu lets them go after its notification "post-restore".
 */

import { asking } from "../../syscalls/asking.ts";
import { EINVAL, ENOENT, ENOSYS, ENOTDIR } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_PATH, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import * as ST from "../../syscalls/constants/stat.ts";
import { OpError } from "../../syscalls/error.ts";
import * as M from "../../syscalls/mount.ts";
import { CLONE_NEWNS, setns } from "../../syscalls/namespace.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { exitGroup, waitFor } from "../../syscalls/process.ts";
import { messagePair } from "../../syscalls/socket.ts";
import { fstatfs, statx } from "../../syscalls/stat.ts";
import type { ResultOrErrno } from "../../syscalls/syscall.ts";
import { type Fd, failed, type Pid, type SpecField } from "../../syscalls/types.ts";
import { fchdir } from "../../syscalls/working_directory.ts";
import { errorOf, nextMessage, tellFailure } from "../channel.ts";
import { field } from "../config/field.ts";
import { tryOpenInRoot } from "../path/in_root.ts";
import type { BindStep } from "../plan/mounts/mounts.ts";
import type { ContainerPlan } from "../plan/plan.ts";
import { openProcfs } from "../proc/procfs.ts";
import { closeAllBut } from "../self/disinherit.ts";
import { fork } from "../self/fork.ts";

/** MOUNT_ATTR_* by the flag of mount(2), and what statfs(2) says of it. */
const restricting = [
  [M.MOUNT_ATTR_RDONLY, M.MS_RDONLY, ST.ST_RDONLY],
  [M.MOUNT_ATTR_NOSUID, M.MS_NOSUID, ST.ST_NOSUID],
  [M.MOUNT_ATTR_NODEV, M.MS_NODEV, ST.ST_NODEV],
  [M.MOUNT_ATTR_NOEXEC, M.MS_NOEXEC, ST.ST_NOEXEC],
  [M.MOUNT_ATTR_NOSYMFOLLOW, M.MS_NOSYMFOLLOW, ST.ST_NOSYMFOLLOW],
] as const;
const RESTRICTING = restricting.reduce((all, [attribute]) => all | attribute, 0);

/** A mount by its place, and what it must not be: MOUNT_ATTR_* for it, and for the whole tree. */
interface Restriction {
  readonly destination: string;
  readonly set: number;
  readonly recursiveSet: number;
  readonly from: SpecField;
}

/** Sets these flags of the plan's bind mounts and of its root, in a process that joins the mounts of `pid`. */
export function restrictMounts(pid: Pid, { mounts, rootfs }: Pick<ContainerPlan, "mounts" | "rootfs">): void {
  const steps = mounts.flatMap((step) => (step.kind === "bind" ? restrictionOf(step) : []));
  if (rootfs.readonly)
    steps.push({
      destination: "/",
      set: M.MOUNT_ATTR_RDONLY,
      recursiveSet: 0,
      from: field("root", "readonly"),
    });
  // Without a mount namespace of its own its mounts are the host's, which are not for it to restrict.
  if (steps.length === 0 || mountsOf(pid) === mountsOf("self")) return;
  const [channel, childChannel] = messagePair();
  const child = fork(0, () => {
    try {
      closeAllBut([childChannel], 0);
      inMountsOf(pid, (root) => {
        for (const step of steps) asking(step.from, () => restrict(root, step));
      });
      exitGroup(0);
    } catch (error) {
      tellFailure(childChannel, error);
      exitGroup(1);
    }
  });
  close(childChannel);
  const message = nextMessage(channel);
  for (const fd of [channel, child.pidfd]) close(fd);
  waitFor(child.pid);
  if (message !== undefined && "failure" in message) throw errorOf(message.failure);
}

const mountsOf = (process: Pid | "self"): bigint => statx(CWD, `/proc/${process}/ns/mnt`, 0).ino;

function restrictionOf({ destination, attributes, recursiveSet: all, from }: BindStep): Restriction[] {
  const set = (attributes?.set ?? 0) & RESTRICTING;
  const recursiveSet = all & RESTRICTING;
  return (set | recursiveSet) === 0 ? [] : [{ destination, set, recursiveSet, from }];
}

/** In there the working directory is where a descriptor is a name, of a procfs that the container cannot cover. */
function inMountsOf(pid: Pid, act: (root: Fd) => void): void {
  const descriptors = openat(openProcfs(), "self/fd", O_PATH | O_DIRECTORY);
  const path = `/proc/${pid}/ns/mnt`;
  setns(openat(CWD, path, O_RDONLY), CLONE_NEWNS, path);
  const root = openat(CWD, "/", O_PATH | O_DIRECTORY);
  fchdir(descriptors);
  act(root);
}

function restrict(root: Fd, { destination, set: own, recursiveSet }: Restriction): void {
  const place = tryOpenInRoot(root, destination, O_PATH, "follow-in-root");
  // What another mount covers nobody reaches by its name.
  if (place === -ENOENT || place === -ENOTDIR) return;
  if (failed(place)) throw OpError.from("open", destination, -place);
  for (const [set, recursive] of [
    [own, false],
    [recursiveSet, true],
  ] as const) {
    const result = set === 0 ? 0 : trySet(place, set, recursive);
    if (result < 0 && result !== -EINVAL) throw OpError.from("mount_setattr", destination, -result);
  }
  close(place);
}

/** By mount_setattr(2), else (before Linux 5.12) by mount(2), which takes all flags, and what lies below as it is. */
function trySet(place: Fd, set: number, recursive: boolean): ResultOrErrno {
  const result = M.tryMountSetattr(place, recursive, { set, clear: 0, propagation: 0 });
  if (result !== -ENOSYS) return result;
  const { flags } = fstatfs(place);
  const all = restricting.reduce(
    (sum, [attribute, flag, seen]) => sum | ((set & attribute) !== 0 || (flags & seen) !== 0 ? flag : 0),
    M.MS_REMOUNT | M.MS_BIND,
  );
  return M.tryMount("", String(place), "", all, "");
}
