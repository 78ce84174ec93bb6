/**
 * Detached mounts: made, given their attributes, and only then put in their place. The new mount API does that by
 * itself. Where the kernel lacks it (before 5.2; 5.12 for attributes) or a filter around the runtime refuses it, and
 * for the little that only mount(2) can say, they are made in a staging (staging.ts).
 */
import { ENOSYS } from "../../syscalls/constants/errno.ts";
import { fdName } from "../../syscalls/descriptor_name.ts";
import { OpError } from "../../syscalls/error.ts";
import * as K from "../../syscalls/mount.ts";
import type { Fd } from "../../syscalls/types.ts";
import { mountByMount2, OldMountApi } from "./old_mount_api.ts";
import type { Staging } from "./staging.ts";

/** How mounts are made, whatever the kernel has for it. */
export interface MountApi {
  readonly staging: Staging;
  /** Mounts need the staging, which is to be opened before the first of them. */
  readonly needsStaging: boolean;
  /** fsopen, fsconfig, fsmount; mount(2) where they are missing or `mount2` (more MS_* flags) asks for it. */
  createFilesystem(type: string, options: readonly K.FsOption[], attributes: number, mount2?: number): Fd;
  /** open_tree with OPEN_TREE_CLONE, or a bind mount; an empty path is what `dir` is open on. */
  cloneTree(dir: Fd, path: string, recursive: boolean): Fd;
  /** move_mount, or MS_MOVE. */
  moveMountOnto(mounted: Fd, target: Fd, object: string): void;
  /** mount_setattr, or a remount of the bind mount; failure is an answer, ENOSYS where mount(2) cannot say it. */
  tryMountSetattr(mounted: Fd, recursive: boolean, attr: K.MountAttr): number;
}

/** The one that there is. */
export function chooseMountApi(staging: Staging): MountApi {
  return K.missingMountCalls().length > 0 ? new OldMountApi(staging) : new NewMountApi(staging);
}

class NewMountApi implements MountApi {
  readonly needsStaging = false;

  constructor(readonly staging: Staging) {}

  createFilesystem(type: string, options: readonly K.FsOption[], attributes: number, mount2?: number): Fd {
    if (mount2 === undefined) return K.createFilesystem(type, options, attributes);
    return mountByMount2(this.staging, type, options, attributes, mount2);
  }

  cloneTree(dir: Fd, path: string, recursive: boolean): Fd {
    return K.cloneTree(dir, path, recursive);
  }

  moveMountOnto(mounted: Fd, target: Fd, object: string): void {
    K.moveMountOnto(mounted, target, object);
  }

  tryMountSetattr(mounted: Fd, recursive: boolean, attr: K.MountAttr): number {
    return K.tryMountSetattr(mounted, recursive, attr);
  }
}

/** As its tryMountSetattr, throwing. */
export function mountSetattr(
  api: MountApi,
  mounted: Fd,
  recursive: boolean,
  attr: K.MountAttr,
  object?: string,
): void {
  const result = api.tryMountSetattr(mounted, recursive, attr);
  if (result >= 0) return;
  const hint =
    result === -ENOSYS
      ? "recursive and id-mapped mount options need mount_setattr(2), Linux 5.12"
      : undefined;
  throw OpError.from("mount_setattr", object ?? fdName(mounted), -result, hint);
}
