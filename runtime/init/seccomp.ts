/** Loading the seccomp filter, the last thing but execve; and the right to do so without no_new_privs. */

import { capget } from "../../syscalls/capability.ts";
import { EACCES } from "../../syscalls/constants/errno.ts";
import { OpError } from "../../syscalls/error.ts";
import { close } from "../../syscalls/open.ts";
import { exitGroup } from "../../syscalls/process.ts";
import { trySetModeFilter } from "../../syscalls/seccomp.ts";
import { endTrace } from "../../syscalls/trace.ts";
import type { Fd, SpecField } from "../../syscalls/types.ts";
import { ask } from "../channel.ts";
import { type CapabilityPlan, capabilityNames } from "../plan/capabilities.ts";
import type { SeccompFilter } from "../seccomp/filter.ts";

/** Loads it; every later call of this process is subject to it. Returns the listener of one that notifies. */
export function loadFilter({ program, flags, notifies }: SeccompFilter): Fd | undefined {
  // A trace reads the clock and writes, which the filter may answer by killing.
  endTrace(`seccomp(SECCOMP_SET_MODE_FILTER, 0x${flags.toString(16)}, [${program.length / 8} instructions])`);
  const result = trySetModeFilter(program, flags);
  if (result >= 0) return notifies ? (result as Fd) : undefined;
  const hint = result === -EACCES ? "without process.noNewPrivileges it needs CAP_SYS_ADMIN" : undefined;
  throw OpError.from("load seccomp filter", "", -result, hint).askedBy("linux.seccomp" as SpecField);
}

const CAP_SYS_ADMIN = 1n << BigInt(capabilityNames.indexOf("CAP_SYS_ADMIN"));

/**
 * seccomp(2): without no_new_privs, loading a filter needs CAP_SYS_ADMIN. runc therefore loads it before it drops
 * capabilities, and profiles have to allow all that this takes. Here the capability stays in the permitted and
 * effective sets until execve, which computes both anew from the bounding, inheritable and ambient sets and never
 * looks at the old ones (capabilities(7), "Transformation of capabilities during execve()"): what the program gets is
 * the same, and the filter has to allow nothing but the execve.
 */
export function ableToLoad(plan: CapabilityPlan): CapabilityPlan {
  const kept = capget().permitted & CAP_SYS_ADMIN;
  return { ...plan, effective: plan.effective | kept, permitted: plan.permitted | kept };
}

/** Loads a filter that notifies and has the parent send its listener to the agent, before anything can wait for it. */
export function handOverListener(channel: Fd, filter: SeccompFilter): void {
  const listener = loadFilter(filter);
  if (listener === undefined) return;
  if (!ask(channel, "listener", listener)) exitGroup(1);
  close(listener);
}
