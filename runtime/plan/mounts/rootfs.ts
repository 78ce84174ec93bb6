/** The root file system (config.md "Root"; config-linux.md "Rootfs Mount Propagation"). */
import * as M from "../../../syscalls/constants/mount.ts";
import type { HostPath } from "../../../syscalls/types.ts";
import { numberOf, propagations } from "../../config/names.ts";
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

/** Plans `root` and `linux.rootfsPropagation`; a relative path is relative to the bundle. */
export function planRootfs(spec: Spec, { bundle, noPivot }: RootfsOptions): RootfsPlan {
  const { path, readonly = false } = spec.root;
  const propagation = numberOf(propagations, spec.linux?.rootfsPropagation ?? "") ?? 0;
  if (noPivot && propagation & M.MS_PRIVATE) {
    throw new RuntimeError(
      "invalid-argument",
      "rootfsPropagation of [r]private is not safe without pivot_root",
    );
  }
  return {
    path: (path.startsWith("/") ? path : `${bundle}/${path}`) as HostPath,
    readonly,
    // As runc (rootfs_linux.go, prepareRoot): slave, so that a host's unmount reaches the copies here and keeps no
    // device busy. An unbindable tree could not be cloned for the container at all.
    hostPropagation: propagation === 0 || propagation & M.MS_UNBINDABLE ? M.MS_SLAVE | M.MS_REC : propagation,
    propagation,
  };
}
