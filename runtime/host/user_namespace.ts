/** Whether this process is in the first user namespace, where uid 0 is the host's root. */
import { readTextAt } from "../../syscalls/io.ts";
import { CWD } from "../../syscalls/open.ts";

/** True in any but the first one, which alone maps every uid to itself (user_namespaces(7)). */
export function inUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(readTextAt(CWD, "/proc/self/uid_map"));
}
