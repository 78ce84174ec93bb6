/** Loading the seccomp filter, the last thing but execve; and the right to do so without no_new_privs. */

import { asking } from "../../syscalls/asking.ts";
import { capget } from "../../syscalls/capability.ts";
import { CAP_SYS_ADMIN } from "../../syscalls/constants/capability.ts";
import { EACCES } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import { close } from "../../syscalls/open.ts";
import { exitGroup } from "../../syscalls/process.ts";
import { trySetModeFilter, trySetModeFilterForListener } from "../../syscalls/seccomp.ts";
import { type Fd, failed } from "../../syscalls/types.ts";
import { ask } from "../channel.ts";
import type { CapabilityPlan } from "../plan/capabilities.ts";
import type { SeccompFilter } from "../seccomp/filter.ts";

/** Loads it; every later call of this process is subject to it. */
export function loadFilter({ program, flags }: SeccompFilter): void {
  asking("linux.seccomp", () => {
    const result = trySetModeFilter(program, flags);
    if (result < 0) throw notLoaded(-result);
  });
}

function notLoaded(errno: number): OpError {
  const hint = errno === EACCES ? "without process.noNewPrivileges it needs CAP_SYS_ADMIN" : undefined;
  return OpError.from("load seccomp filter", "", errno, hint);
}

const SYS_ADMIN = 1n << BigInt(CAP_SYS_ADMIN);

/**
 * seccomp(2): without no_new_privs, loading a filter needs CAP_SYS_ADMIN. runc therefore loads it before it drops
 * capabilities, and profiles have to allow all that this takes. Here the capability stays in the permitted and
 * effective sets until execve, which computes both anew from the bounding, inheritable and ambient sets and never
 * looks at the old ones (capabilities(7), "Transformation of capabilities during execve()"): what the program gets is
 * the same, and the filter has to allow nothing but the execve.
 */
export function withSysAdmin(plan: CapabilityPlan): CapabilityPlan {
  const kept = capget().permitted & SYS_ADMIN;
  return { ...plan, effective: plan.effective | kept, permitted: plan.permitted | kept };
}

/** Loads a filter that notifies and has the parent send its listener to the agent, before anything can wait for it. */
export function handOverListener(channel: Fd, filter: SeccompFilter): void {
  const listener = asking("linux.seccomp", () => {
    const result = trySetModeFilterForListener(filter.program, filter.flags);
    if (failed(result)) throw notLoaded(-result);
    return result;
  });
  if (!ask(channel, "listener", listener)) exitGroup(1);
  close(listener);
}
