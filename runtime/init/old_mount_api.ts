/** The mount API of mount(2) alone. */
import { E2BIG, ENOSYS } from "../../syscalls/constants/errno.ts";
import { O_PATH } from "../../syscalls/constants/fcntl.ts";
import * as ST from "../../syscalls/constants/stat.ts";
import { pathName } from "../../syscalls/descriptor_name.ts";
import { OpError } from "../../syscalls/error.ts";
import * as K from "../../syscalls/mount.ts";
import { openat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { fstat, fstatfs, isType } from "../../syscalls/stat.ts";
import type { Fd } from "../../syscalls/types.ts";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { filesystemFlagOf, flagsOf } from "../plan/mounts/options.ts";
import type { MountApi } from "./mount_api.ts";
import type { Staging } from "./staging.ts";

/** A page, of which mount(2) reads all but the last byte, and cuts the rest off without a word. */
const MOUNT_DATA_LIMIT = 4096;

/** Makes a file system by mount(2); `mount2`: more MS_* flags. */
export function mountByMount2(
  staging: Staging,
  type: string,
  options: readonly K.FsOption[],
  attributes: number,
  mount2: number,
): Fd {
  let flags = flagsOf(attributes) | mount2;
  let source = "none";
  const data: string[] = [];
  for (const { key, value } of options) {
    const flag = value === undefined ? filesystemFlagOf(key) : 0;
    if (flag !== 0) flags |= flag;
    else if (key === "source" && value !== undefined) source = value;
    // The comma of an SELinux label is no separator (mount(8), "context=").
    else if (key === "context") data.push(`context="${value}"`);
    else data.push(value === undefined ? key : `${key}=${value}`);
  }
  const text = data.join(",");
  if (encodeUtf8(text).length >= MOUNT_DATA_LIMIT)
    throw OpError.from("mount", type, E2BIG, "the options together are longer than mount(2) takes");
  return staging.stage("directory", (slot) => {
    const result = K.tryMount(source, slot, type, flags, text);
    if (result < 0) throw OpError.from("mount", type, -result);
  });
}

/** All by mount(2). */
export class OldMountApi implements MountApi {
  readonly needsStaging = true;

  constructor(readonly staging: Staging) {}

  createFilesystem(type: string, options: readonly K.FsOption[], attributes: number, mount2 = 0): Fd {
    return mountByMount2(this.staging, type, options, attributes, mount2);
  }

  cloneTree(dir: Fd, path: string, recursive: boolean): Fd {
    const bind = (source: Fd): Fd =>
      this.staging.stage(isType(fstat(source), ST.S_IFDIR) ? "directory" : "file", (slot) => {
        const flags = K.MS_BIND | (recursive ? K.MS_REC : 0);
        const result = K.tryMount(String(source), slot, "", flags, "");
        if (result < 0) throw OpError.from("bind", pathName(dir, path), -result);
      });
    return path === "" ? bind(dir) : closing(openat(dir, path, O_PATH), bind);
  }

  moveMountOnto(mounted: Fd, target: Fd, object: string): void {
    const result = this.staging.atDescriptors(() =>
      K.tryMount(String(mounted), String(target), "", K.MS_MOVE, ""),
    );
    if (result < 0) throw OpError.from("mount", object, -result);
  }

  tryMountSetattr(mounted: Fd, recursive: boolean, attr: K.MountAttr): number {
    const apply = (flags: number): number =>
      this.staging.atDescriptors(() => K.tryMount("", String(mounted), "", flags, ""));
    if (attr.userns !== undefined) return -ENOSYS;
    if (attr.propagation !== 0) {
      const result = apply(attr.propagation | (recursive ? K.MS_REC : 0));
      if (result < 0) return result;
    }
    if (attr.set === 0 && attr.clear === 0) return 0;
    // It takes any open mount: where it is there but one of the others is refused, as by the filter of an old engine.
    if (recursive)
      return K.missingMountCalls().includes("mount_setattr")
        ? -ENOSYS
        : K.tryMountSetattr(mounted, true, { ...attr, propagation: 0 });
    const attributes = (attributesOfMount(mounted) & ~attr.clear) | attr.set;
    return apply(K.MS_REMOUNT | K.MS_BIND | flagsOf(attributes));
  }
}

const statfsAttributes: readonly (readonly [number, number])[] = [
  [ST.ST_RDONLY, K.MOUNT_ATTR_RDONLY],
  [ST.ST_NOSUID, K.MOUNT_ATTR_NOSUID],
  [ST.ST_NODEV, K.MOUNT_ATTR_NODEV],
  [ST.ST_NOEXEC, K.MOUNT_ATTR_NOEXEC],
  [ST.ST_NODIRATIME, K.MOUNT_ATTR_NODIRATIME],
  [ST.ST_NOSYMFOLLOW, K.MOUNT_ATTR_NOSYMFOLLOW],
];

/** The MOUNT_ATTR_* that a mount has now, as statfs(2) tells them. */
export function attributesOfMount(mounted: Fd): number {
  const { flags } = fstatfs(mounted);
  let attributes = 0;
  for (const [st, attr] of statfsAttributes) if (flags & st) attributes |= attr;
  if (flags & ST.ST_NOATIME) return attributes | K.MOUNT_ATTR_NOATIME;
  return flags & ST.ST_RELATIME ? attributes : attributes | K.MOUNT_ATTR_STRICTATIME;
}
