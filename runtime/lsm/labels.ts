/**
 * Writing the labels of security modules to this process' attributes. It goes through the procfs of our own: a
 * container has made its runtime write to a file of its choosing before (CVE-2019-16884, CVE-2025-52881).
 */

import { asking } from "../../syscalls/asking.ts";
import { ENOENT } from "../../syscalls/constants/errno.ts";
import { O_PATH, O_WRONLY } from "../../syscalls/constants/fcntl.ts";
import { OpError } from "../../syscalls/error.ts";
import { writeTextAt } from "../../syscalls/io.ts";
import { CWD, close, openat } from "../../syscalls/open.ts";
import { setLabel } from "../../syscalls/permissions.ts";
import { closing } from "../../syscalls/scope.ts";
import { type Fd, type FieldName, failed } from "../../syscalls/types.ts";
import { tryResolve } from "../path/resolve.ts";
import type { LsmPlan } from "../plan/lsm.ts";
import { ownFile, STRICT, writeProcSelf } from "../proc/procfs.ts";

/** The profile and the label of the next execve. */
export function labelNextExec(procfs: Fd, plan: LsmPlan): void {
  if (plan.apparmorProfile !== "") {
    labelling("process.apparmorProfile", `apply apparmor profile ${plan.apparmorProfile}`, () =>
      writeProcSelf(procfs, apparmorFile(procfs), `exec ${plan.apparmorProfile}`),
    );
  }
  if (plan.processLabel !== "") {
    labelling("process.selinuxLabel", `set process label ${plan.processLabel}`, () =>
      writeProcSelf(procfs, "attr/exec", plan.processLabel),
    );
  }
}

/** Where several modules are stacked each has a directory (5.8); before that the one file is the only module's. */
function apparmorFile(procfs: Fd): string {
  const own = "attr/apparmor/exec";
  const fd = tryResolve(procfs, ownFile(procfs, own), O_PATH, STRICT);
  if (fd === -ENOENT) return "attr/exec";
  if (!failed(fd)) close(fd);
  return own;
}

/**
 * Runs `act` while the keys and keyrings that this process makes have a label. It is the host's /proc that this
 * writes to: it has to happen before the process enters any namespace.
 */
export function withKeyLabel(label: string, act: () => void): void {
  const write = (value: string): void => {
    if (label === "") return;
    labelling("process.selinuxLabel", "set key label", () =>
      writeTextAt(CWD, "/proc/self/attr/keycreate", O_WRONLY, value),
    );
  };
  write(label);
  act();
  // proc_pid_attr(5): a newline alone clears the attribute.
  write("\n");
}

/** Labels the root directory of a mount whose file system takes no context option. */
export function labelRoot(mounted: Fd, label: string): void {
  closing(openat(mounted, ".", 0), (root) => {
    labelling("linux.mountLabel", `label mqueue ${label}`, () => setLabel(root, label));
  });
}

function labelling(field: FieldName, op: string, act: () => void): void {
  asking(field, () => {
    try {
      act();
    } catch (error) {
      throw error instanceof OpError ? error.during(op, "") : error;
    }
  });
}
