/** Becoming the user of the configuration: groups, ids and capabilities in the order of capabilities(7). */

import { asking } from "../../syscalls/asking.ts";
import {
  ambientClear,
  capset,
  tryAmbientRaise,
  tryBoundingDrop,
  tryBoundingRead,
} from "../../syscalls/capability.ts";
import { EINVAL, ENOENT, EPERM, EROFS } from "../../syscalls/constants/errno.ts";
import { STREAMS } from "../../syscalls/descriptor.ts";
import { fdName } from "../../syscalls/descriptor_name.ts";
import { isErrno, OpError } from "../../syscalls/error.ts";
import { setAllGids, setAllUids, setgroups } from "../../syscalls/identity.ts";
import { tryFchown } from "../../syscalls/permissions.ts";
import { PR_SET_DUMPABLE, PR_SET_KEEPCAPS, prctl } from "../../syscalls/prctl.ts";
import { fstat } from "../../syscalls/stat.ts";
import type { Fd } from "../../syscalls/types.ts";
import { RuntimeError } from "../errors.ts";
import type { CapabilityPlan } from "../plan/capabilities.ts";
import type { ProcessPlan } from "../plan/process.ts";
import { readProcSelf } from "../proc/procfs.ts";
import { isNullDevice } from "../self/standard_streams.ts";
import { withSysAdmin } from "./seccomp.ts";

/** Drops from the bounding set what the plan does not keep; this needs CAP_SETPCAP, so it comes first. */
export function dropBoundingSet({ bounding }: CapabilityPlan): void {
  asking("process.capabilities.bounding", () => dropAllBut(bounding));
}

function dropAllBut(bounding: bigint): void {
  const halves = [Number(bounding & 0xffffffffn), Number(bounding >> 32n)];
  for (let capability = 0; capability < 64; capability++) {
    if (((halves[capability >> 5] ?? 0) >>> (capability & 31)) & 1) continue;
    const result = tryBoundingDrop(capability);
    if (result === -EINVAL) return; // the kernel has no capability of this number
    // What is not in the set need not be dropped, and may not be without the right to.
    if (result < 0 && tryBoundingRead(capability) !== 0)
      throw OpError.from("drop bounding capability", `capability ${capability}`, -result);
  }
}

/**
 * setgroups, setresgid, setresuid; the permitted set survives the change of uid until `applyCapabilities`. A change of
 * ids makes a process dumpable where the sysctl fs.suid_dumpable is 1, and forgets the signal of the parent's death
 * (prctl(2)); it is not to be looked into, and the signal is for the caller to set again.
 */
export function becomeUser(process: ProcessPlan, procfs: Fd): void {
  prctl(PR_SET_KEEPCAPS, 1);
  if (!process.keepGroups)
    asking("process.user.additionalGids", () => setGroups(process.additionalGids, procfs));
  become("gid", process.gid, setAllGids);
  become("uid", process.uid, setAllUids);
  prctl(PR_SET_KEEPCAPS, 0);
  prctl(PR_SET_DUMPABLE, 0);
}

/**
 * As runc (init_linux.go, setupUser): in a user namespace that denies setgroups there are no groups to be had, which
 * is no error.
 */
function setGroups(gids: readonly number[], procfs: Fd): void {
  try {
    setgroups(gids);
  } catch (error) {
    if (!isErrno(error, "EPERM") || readProcSelf(procfs, "setgroups").trim() !== "deny") throw error;
  }
}

/**
 * Sets the effective, permitted and inheritable sets, then the ambient one, whose failures are only told. The right to
 * load a filter is kept where that needs it, until execve takes it away (withSysAdmin).
 */
export function applyCapabilities(plan: CapabilityPlan, filterNeedsSysAdmin: boolean): string[] {
  const capabilities = filterNeedsSysAdmin ? withSysAdmin(plan) : plan;
  asking("process.capabilities", () => capset(capabilities));
  return asking("process.capabilities.ambient", () => raiseAmbient(plan.ambient));
}

/** What could not be raised. */
function raiseAmbient(ambient: bigint): string[] {
  ambientClear();
  if (ambient === 0n) return [];
  const refused: number[] = [];
  for (let capability = 0; capability < 64; capability++) {
    const asked = (ambient >> BigInt(capability)) & 1n;
    if (asked && tryAmbientRaise(capability) < 0) refused.push(capability);
  }
  return refused.length === 0 ? [] : [`cannot set ambient capabilities ${refused.join(", ")}`];
}

/** The user owns its standard streams, so that it may open /dev/stderr; the null device stays as it is. */
export function fixStdioPermissions(uid: number): void {
  asking("process.user.uid", () => {
    for (const fd of STREAMS) {
      const stat = fstat(fd);
      if (stat.uid === uid || isNullDevice(stat)) continue;
      const result = tryFchown(fd, uid, -1);
      // As runc (init_linux.go, fixStdioPermissions): not ours to change (EPERM), its owner not mapped (EINVAL), or on
      // a read-only file system.
      if (result < 0 && ![-EPERM, -EINVAL, -EROFS, -ENOENT].includes(result))
        throw OpError.from("chown", fdName(fd), -result);
    }
  });
}

/** "Leave it as it is" to setresuid(2): the process would go on as root. */
const UNCHANGED = 0xffffffff;

/** The words are runc's. */
function become(kind: "uid" | "gid", id: number, set: (id: number) => void): void {
  try {
    if (id === UNCHANGED) throw OpError.from(`setres${kind}`, String(id), EINVAL);
    asking(`process.user.${kind}`, () => set(id));
  } catch (error) {
    if (!isErrno(error, "EINVAL")) throw error;
    throw new RuntimeError(
      "child",
      `cannot set${kind} to unmapped ${kind} ${id} in user namespace, asked for by process.user.${kind}`,
    );
  }
}
