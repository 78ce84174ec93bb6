/** Mounts: the new API by descriptors (fsopen, open_tree, move_mount, mount_setattr) and the two old calls still needed. */

import { ENOSYS, EPERM } from "./constants/errno.ts";
import { AT_EMPTY_PATH, AT_RECURSIVE } from "./constants/fcntl.ts";
import {
  FSCONFIG_CMD_CREATE,
  FSCONFIG_SET_FLAG,
  FSCONFIG_SET_STRING,
  FSMOUNT_CLOEXEC,
  FSOPEN_CLOEXEC,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
} from "./constants/mount.ts";
import { cstr, textOf } from "./cstring.ts";
import { forgetProc } from "./descriptor_name.ts";
import { OpError } from "./error.ts";
import type { SyscallName } from "./numbers.ts";
import { closing } from "./scope.ts";
import { Struct } from "./struct.ts";
import { type Arg, call, callForFd, failure, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";

export * from "./constants/mount.ts";

/** mount(2). Used for propagation changes and as the fallback where the new API is missing. */
export function mount(source: string, target: string, type: string, flags: number, data: string): void {
  const args = [cstr(source), cstr(target), cstr(type), flags, data === "" ? null : cstr(data)];
  call("mount", args);
}

/** mount(2) whose failure is an answer. */
export function tryMount(
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string,
): ResultOrErrno {
  return tryCall("mount", [cstr(source), cstr(target), cstr(type), flags, data === "" ? null : cstr(data)]);
}

/** umount2(2). */
export function umount2(target: string, flags: number): void {
  call("umount2", [cstr(target), flags]);
}

/** umount2(2) whose failure is an answer. */
export function tryUmount2(target: string, flags: number): ResultOrErrno {
  return tryCall("umount2", [cstr(target), flags]);
}

/** pivot_root(2). With "." for both, the old root ends up stacked on top of the new one. */
export function pivotRoot(newRoot: string, putOld: string): void {
  call("pivot_root", [cstr(newRoot), cstr(putOld)]);
  forgetProc();
}

/** open_tree(2) with OPEN_TREE_CLONE: a detached copy of the mount at a path; with `recursive`, of the tree. */
export function cloneTree(dir: Fd, path: string, recursive: boolean, extraFlags = 0): Fd {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0) | extraFlags;
  return callForFd("open_tree", [dir, cstr(path), flags | (path === "" ? AT_EMPTY_PATH : 0)]);
}

/**
 * The calls of the new API that this kernel, or a filter in front of it, does not let through. Each is made with
 * arguments that it can only refuse (EFAULT, EINVAL), so that nothing happens.
 */
export function missingMountCalls(): SyscallName[] {
  const probes: readonly (readonly [SyscallName, readonly Arg[]])[] = [
    ["fsopen", [null, 0]],
    ["fsconfig", [-1, 0xff, null, null, 0]],
    ["fsmount", [-1, 0, 0]],
    ["open_tree", [-1, null, -1]],
    ["move_mount", [-1, null, -1, null, -1]],
    ["mount_setattr", [-1, null, -1, null, 0]],
  ];
  const refused = (result: ResultOrErrno): boolean => result === -ENOSYS || result === -EPERM;
  return probes.filter(([name, args]) => refused(tryCall(name, args))).map(([name]) => name);
}

/** move_mount(2) of a detached mount onto the place that `target` is open on. */
export function moveMountOnto(detached: Fd, target: Fd, object: string): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  call("move_mount", [detached, cstr(""), target, cstr(""), flags], object);
}

/** struct mount_attr (linux/mount.h). */
export interface MountAttr {
  readonly set: number;
  readonly clear: number;
  /** MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, or 0 to leave it. */
  readonly propagation: number;
  readonly userns?: Fd;
}

/** mount_setattr(2) on an open mount; failure is an answer. */
export function tryMountSetattr(mountFd: Fd, recursive: boolean, attr: MountAttr): ResultOrErrno {
  const bytes = new Struct(32)
    .u64(0, attr.set)
    .u64(8, attr.clear)
    .u64(16, attr.propagation)
    .u64(24, attr.userns ?? 0).bytes;
  const flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  return tryCall("mount_setattr", [mountFd, cstr(""), flags, bytes, 32]);
}

/** mount_setattr(2) on an open mount (5.12). */
export function mountSetattr(mountFd: Fd, recursive: boolean, attr: MountAttr, object?: string): void {
  const result = tryMountSetattr(mountFd, recursive, attr);
  if (result < 0) throw failure("mount_setattr", [mountFd, cstr("")], -result, object);
}

/** A key of fsconfig(2): a flag when `value` is absent. */
export interface FsOption {
  readonly key: string;
  readonly value?: string;
}

/**
 * fsopen(2), fsconfig(2), fsmount(2): a new file system as a detached mount. `attributes` is MOUNT_ATTR_*.
 * Some drivers explain themselves on the context's descriptor; their words become the error's hint.
 */
export function createFilesystem(type: string, options: readonly FsOption[], attributes: number): Fd {
  return closing(callForFd("fsopen", [cstr(type), FSOPEN_CLOEXEC]), (context) => {
    for (const { key, value } of options) {
      const text = value === undefined ? null : cstr(value);
      const command = text === null ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
      const result = tryCall("fsconfig", [context, command, cstr(key), text, 0]);
      if (result < 0) {
        const shown = value === undefined ? key : `${key}=${value}`;
        throw OpError.from("mount", `${type}, option ${shown}`, -result, driverMessage(context));
      }
    }
    const created = tryCall("fsconfig", [context, FSCONFIG_CMD_CREATE, null, null, 0]);
    if (created < 0) throw OpError.from("mount", type, -created, driverMessage(context));
    return callForFd("fsmount", [context, FSMOUNT_CLOEXEC, attributes], type);
  });
}

/** The last line that a file system driver left on its context ("e tmpfs: Unknown parameter 'x'"). */
function driverMessage(context: Fd): string | undefined {
  const buffer = new Uint8Array(1024);
  let last: string | undefined;
  for (;;) {
    const count = tryCall("read", [context, buffer, buffer.length]);
    if (count <= 0) return last;
    last = textOf(buffer, count)
      .trim()
      .replace(/^[ewi] /, "");
  }
}
