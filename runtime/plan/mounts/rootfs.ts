/** The root file system (config.md "Root"; config-linux.md "Rootfs Mount Propagation"). */
import * as M from "../../../syscalls/constants/mount.ts";
import type { HostPath } from "../../../syscalls/types.ts";
import type { Spec } from "../../config/types.ts";
import { RuntimeError } from "../../errors.ts";

/** How the root file system is set up. */
export interface RootfsPlan {
  readonly path: HostPath;
  readonly readonly: boolean;
  /** For the runtime's own mounts in the new namespace, before anything is mounted. */
  readonly hostPropagation: number;
  /** For "/" of the container, in the end; 0 leaves it. */
  readonly propagation: number;
}

interface RootfsOptions {
  readonly bundle: HostPath;
  readonly noPivot: boolean;
}

const propagations: Readonly<Record<string, number>> = {
  shared: M.MS_SHARED,
  rshared: M.MS_SHARED | M.MS_REC,
  slave: M.MS_SLAVE,
  rslave: M.MS_SLAVE | M.MS_REC,
  private: M.MS_PRIVATE,
  rprivate: M.MS_PRIVATE | M.MS_REC,
  unbindable: M.MS_UNBINDABLE,
  runbindable: M.MS_UNBINDABLE | M.MS_REC,
};

/** Plans `root` and `linux.rootfsPropagation`; a relative path is relative to the bundle. */
export function planRootfs(spec: Spec, { bundle, noPivot }: RootfsOptions): RootfsPlan {
  const { path, readonly = false } = spec.root;
  const propagation = propagations[spec.linux?.rootfsPropagation ?? ""] ?? 0;
  if (noPivot && propagation & M.MS_PRIVATE) {
    throw new RuntimeError(
      "invalid-argument",
      "rootfsPropagation of [r]private is not safe without pivot_root",
    );
  }
  return {
    path: (path.startsWith("/") ? path : `${bundle}/${path}`) as HostPath,
    readonly,
    // As runc: slave, so that a host's unmount reaches the copies here and keeps no device busy.
    // An unbindable tree could not be cloned for the container at all.
    hostPropagation: propagation === 0 || propagation & M.MS_UNBINDABLE ? M.MS_SLAVE | M.MS_REC : propagation,
    propagation,
  };
}
