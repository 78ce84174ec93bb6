/** /dev of the container: nodes, the links that runtime-linux.md asks for, and ptmx. */
import { asking } from "../../syscalls/asking.ts";
import { EEXIST, ENOENT, EPERM } from "../../syscalls/constants/errno.ts";
import { AT_SYMLINK_NOFOLLOW } from "../../syscalls/constants/fcntl.ts";
import { S_IFIFO, S_IFMT } from "../../syscalls/constants/stat.ts";
import { makedev, tryMknodat, trySymlinkat, tryUnlinkat } from "../../syscalls/directory.ts";
import { OpError } from "../../syscalls/error.ts";
import { CWD } from "../../syscalls/open.ts";
import { fchmodat, lchownat } from "../../syscalls/permissions.ts";
import { closing } from "../../syscalls/scope.ts";
import { fstat, type Stat, statx, tryStatx } from "../../syscalls/stat.ts";
import type { Fd } from "../../syscalls/types.ts";
import { RuntimeError, safetyViolation } from "../errors.ts";
import { cleanPath } from "../path/clean_path.ts";
import { openOrCreateInRoot } from "../path/in_root.ts";
import { type DeviceStep, devLinks } from "../plan/mounts/device_nodes.ts";
import type { MountApi } from "./mount_api.ts";

/**
 * Makes the device nodes, each in its directory opened beneath the root: /dev itself must be no link (CVE-2026-41579),
 * others, such as /var/run of an image, are followed within the root.
 */
export function createDevices(api: MountApi, root: Fd, steps: readonly DeviceStep[]): void {
  closing(openOrCreateInRoot(root, "/dev", "directory", "refuse"), (dev) => {
    for (const step of steps) {
      asking(step.from, () => createIn(api, root, dev, step));
    }
  });
}

function createIn(api: MountApi, root: Fd, dev: Fd, step: DeviceStep): void {
  const parts = cleanPath(step.path).split("/");
  const name = parts.pop() ?? "";
  if (parts.length === 1 && parts[0] === "dev") createDevice(api, dev, name, step);
  else
    closing(openOrCreateInRoot(root, parts.join("/"), "directory", "follow-in-root"), (parent) =>
      createDevice(api, parent, name, step),
    );
}

function createDevice(api: MountApi, parent: Fd, name: string, step: DeviceStep): void {
  const device = makedev(step.major, step.minor);
  const made = tryMknodat(parent, name, step.mode, device);
  if (made === -EPERM) bindDevice(api, parent, name, step);
  else if (made === -EEXIST) requireSameDevice(parent, name, step);
  else if (made < 0) throw OpError.from("mknod", step.path, -made);
  else {
    // The umask is 0 here; what mknod ignores are the bits above the permissions.
    if (step.mode & 0o7000) fchmodat(parent, name, step.mode & 0o7777);
    if (step.uid !== 0 || step.gid !== 0) lchownat(parent, name, step.uid, step.gid);
  }
}

/** config-linux.md: a file that is there already and is not the device asked for is an error. */
function requireSameDevice(parent: Fd, name: string, step: DeviceStep): void {
  const found = statx(parent, name, AT_SYMLINK_NOFOLLOW);
  if (step.orMount && found.mountId !== fstat(parent).mountId) return;
  if (isDevice(found, step)) return;
  throw safetyViolation(
    `${step.path} exists in the root file system and is not the device that ${step.from} asks for`,
  );
}

function isDevice(found: Stat, step: DeviceStep): boolean {
  const sameType = (found.mode & S_IFMT) === (step.mode & S_IFMT);
  const fifo = (step.mode & S_IFMT) === S_IFIFO;
  const sameNumber = found.rdevMajor === step.major && found.rdevMinor === step.minor;
  return sameType && (fifo || sameNumber);
}

/** Without the right to mknod (a user namespace) the host's node of the same path is bound. */
function bindDevice(api: MountApi, parent: Fd, name: string, step: DeviceStep): void {
  closing(api.cloneTree(CWD, step.path, false), (clone) => {
    const found = fstat(clone);
    if (!isDevice(found, step)) {
      const { rdevMajor, rdevMinor } = found;
      const why = `without the right to mknod the host's is used, which is ${rdevMajor}:${rdevMinor}`;
      throw new RuntimeError("unsupported", `${step.path} cannot be made: ${why}, asked for by ${step.from}`);
    }
    closing(openOrCreateInRoot(parent, name, "file", "refuse"), (target) =>
      api.moveMountOnto(clone, target, step.path),
    );
  });
}

/** /dev/fd, /dev/stdin and so on, and /dev/ptmx of the container's own devpts; existing links are kept. */
export function createDevLinks(root: Fd): void {
  const hasKcore = typeof tryStatx(CWD, "/proc/kcore", 0) !== "number";
  const links = hasKcore ? [...devLinks, ["core", "/proc/kcore"] as const] : devLinks;
  closing(openOrCreateInRoot(root, "/dev", "directory", "refuse"), (dev) => {
    for (const [name, target] of links) link(dev, name, target);
    const removed = tryUnlinkat(dev, "ptmx");
    if (removed < 0 && removed !== -ENOENT) throw OpError.from("unlink", "/dev/ptmx", -removed);
    link(dev, "ptmx", "pts/ptmx");
  });
}

function link(dev: Fd, name: string, target: string): void {
  const made = trySymlinkat(target, dev, name);
  if (made < 0 && made !== -EEXIST) throw OpError.from("symlink", `/dev/${name}`, -made);
}
