/** Entering a user namespace as its root (user_namespaces(7)). */
import { isErrno } from "../../syscalls/error.ts";
import { setAllGids, setAllUids, tryDropGroups } from "../../syscalls/identity.ts";
import { RuntimeError } from "../errors.ts";

/**
 * Enters a user namespace by `enter`, and becomes its root, as which all up to the user's own ids is done: those of
 * this process may be unmapped there. Its groups of the host are dropped before, as that may be denied within
 * (setgroups in user_namespaces(7)), or else within; where it is denied on both sides they stay, as with runc,
 * and so they do with `keepGroups`. `from`
 * are the parts of the configuration that the maps come from.
 */
export function enterAsRoot(
  enter: () => void,
  from: { readonly gid: string; readonly uid: string },
  keepGroups: boolean,
): void {
  const dropped = keepGroups || tryDropGroups() === 0;
  enter();
  if (!dropped) tryDropGroups();
  becomeRootId("gid", setAllGids, from.gid);
  becomeRootId("uid", setAllUids, from.uid);
}

/** The words are runc's. */
function becomeRootId(kind: "uid" | "gid", set: (id: number) => void, from: string): void {
  try {
    set(0);
  } catch (error) {
    if (!isErrno(error, "EINVAL")) throw error;
    const problem = `user namespaces enabled, but no mapping found for ${kind} 0`;
    throw new RuntimeError("child", `${problem}, asked for by ${from}`);
  }
}
