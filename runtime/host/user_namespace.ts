/** Whether this process is in the first user namespace, where uid 0 is the host's root. */
import { readTextAt } from "../../syscalls/io.ts";
import { CWD } from "../../syscalls/open.ts";
import { parseIdMap } from "../proc/id_map.ts";

/** True in any but the first one, which alone maps every uid to itself (user_namespaces(7)). */
export function inUserNamespace(): boolean {
  const [first, ...more] = parseIdMap(readTextAt(CWD, "/proc/self/uid_map"));
  return more.length > 0 || first?.join() !== "0,0,4294967295";
}
