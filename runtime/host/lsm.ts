/** Which security modules this host enforces. */

import { O_DIRECTORY, O_PATH, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { SELINUX_MAGIC } from "../../syscalls/constants/magic.ts";
import { textOf } from "../../syscalls/cstring.ts";
import { readToEnd } from "../../syscalls/io.ts";
import { CWD, tryOpenat } from "../../syscalls/open.ts";
import { closing } from "../../syscalls/scope.ts";
import { fstatfs } from "../../syscalls/stat.ts";
import { failed } from "../../syscalls/types.ts";
import type { LsmFacts } from "../plan/host_facts.ts";

/** The facts of the host below `root`, "" but for tests. */
export function readLsmFacts(root = ""): LsmFacts {
  return { apparmor: hasApparmor(root), selinux: hasSelinux(root) };
}

/** Not by its directory in securityfs: Podman unmounts that for the runtime of a container with a user namespace. */
const hasApparmor = (root: string): boolean =>
  tryReadText(`${root}/sys/module/apparmor/parameters/enabled`).startsWith("Y");

/** As libselinux asks. Loaded without a policy, SELinux calls every process "kernel" and enforces nothing. */
function hasSelinux(root: string): boolean {
  const fd = tryOpenat(CWD, `${root}/sys/fs/selinux`, O_PATH | O_DIRECTORY);
  if (failed(fd)) return false;
  const { magic, readOnly } = closing(fd, fstatfs);
  const context = tryReadText(`${root}/proc/self/attr/current`).replace(/\0.*$/s, "").trim();
  return magic === SELINUX_MAGIC && !readOnly && context !== "" && context !== "kernel";
}

function tryReadText(path: string): string {
  const fd = tryOpenat(CWD, path, O_RDONLY);
  if (failed(fd)) return "";
  return closing(fd, () => {
    try {
      const bytes = readToEnd(fd);
      return textOf(bytes, bytes.length);
    } catch {
      return ""; // EINVAL: no module has anything to say about this process
    }
  });
}
