/** Device rules on cgroup v2: the planned program is loaded and attached to the cgroup (bpf(2)). */

import { asking } from "../../syscalls/asking.ts";
import {
  BPF_CGROUP_DEVICE,
  BPF_F_ALLOW_MULTI,
  BPF_F_REPLACE,
  BPF_PROG_TYPE_CGROUP_DEVICE,
  progQuery,
  tryProgAttach,
  tryProgDetach,
  tryProgGetFdById,
  tryProgLoad,
} from "../../syscalls/bpf.ts";
import { EINVAL, ENOENT, EPERM } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { textOf } from "../../syscalls/cstring.ts";
import { OpError } from "../../syscalls/error.ts";
import { CWD, openat } from "../../syscalls/open.ts";
import { getrlimit, RLIMIT_MEMLOCK, trySetrlimit } from "../../syscalls/resource.ts";
import { closing, type Owner, scope } from "../../syscalls/scope.ts";
import { type Fd, failed, type HostPath } from "../../syscalls/types.ts";
import type { DeviceProgram } from "../plan/cgroup/device_program.ts";

const NO_LIMIT = 0xffffffffffffffffn;
const LOG_SIZE = 1 << 20;
const SHOWN_LOG = 2000;

/** Attaches it to a cgroup in place of those that it has. Needs CAP_SYS_ADMIN in the first user namespace. */
export function attachDeviceProgram(cgroup: HostPath, { bytes, allowsAll }: DeviceProgram): void {
  asking("linux.resources.devices", () =>
    scope((owner) => {
      const directory = owner.own(openat(CWD, cgroup, O_RDONLY | O_DIRECTORY));
      const old = attachedPrograms(directory, cgroup, owner);
      if (old.length > 0 || !allowsAll) replacePrograms(directory, cgroup, old, bytes);
    }),
  );
}

/**
 * The programs of this cgroup itself. None where the kernel has no such programs (loading will say so), and without
 * those that a security module hides: more programs only forbid more.
 */
function attachedPrograms(directory: Fd, cgroup: HostPath, owner: Owner): Fd[] {
  return tryQuery(directory, cgroup)
    .map(tryProgGetFdById)
    .filter((fd) => !failed(fd))
    .map((fd) => owner.own(fd));
}

function tryQuery(directory: Fd, cgroup: HostPath): readonly number[] {
  try {
    return progQuery(directory, BPF_CGROUP_DEVICE, cgroup);
  } catch {
    return [];
  }
}

/**
 * One old program is replaced in one step (since Linux 5.6). Otherwise the new one joins the old ones, all of which
 * must agree, before they are taken away: at no moment is more allowed than before or after.
 */
function replacePrograms(directory: Fd, cgroup: HostPath, old: readonly Fd[], program: Uint8Array): void {
  closing(loadDeviceProgram(program, cgroup), (fd) => {
    const [only, ...more] = old;
    if (only !== undefined && more.length === 0) {
      const flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE;
      const result = tryProgAttach(directory, fd, BPF_CGROUP_DEVICE, flags, only);
      if (result === 0) return;
      // EINVAL: an older kernel, or a program attached in another way. ENOENT: somebody else has replaced it.
      if (result !== -EINVAL && result !== -ENOENT)
        throw OpError.from("bpf BPF_PROG_ATTACH", cgroup, -result);
    }
    const result = tryProgAttach(directory, fd, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI);
    if (result < 0) throw OpError.from("bpf BPF_PROG_ATTACH", cgroup, -result);
    for (const each of old) {
      const gone = tryProgDetach(directory, each, BPF_CGROUP_DEVICE);
      if (gone < 0 && gone !== -ENOENT) throw OpError.from("bpf BPF_PROG_DETACH", cgroup, -gone);
    }
  });
}

/** Loads it; the error of a refused one has the end of the verifier's log. */
export function loadDeviceProgram(instructions: Uint8Array, cgroup: HostPath): Fd {
  const program = { type: BPF_PROG_TYPE_CGROUP_DEVICE, instructions, name: "runt_devices" };
  let result = tryProgLoad(program);
  // Before Linux 5.11 programs counted as locked memory, of which few are allowed much.
  if (result === -EPERM) result = withLockedMemory(() => tryProgLoad(program));
  if (!failed(result)) return result;
  const log = new Uint8Array(LOG_SIZE);
  tryProgLoad(program, log);
  const said = textOf(log)
    .trim()
    .replaceAll(/\s*\n\s*/g, "; ");
  throw OpError.from("bpf BPF_PROG_LOAD", `device rules of ${cgroup}`, -result, why(-result, said));
}

function why(errno: number, log: string): string {
  if (log !== "") return `the verifier says: ${log.slice(-SHOWN_LOG)}`;
  if (errno === EPERM) return "it needs CAP_BPF or CAP_SYS_ADMIN in the first user namespace";
  return "the kernel must have CONFIG_CGROUP_BPF";
}

function withLockedMemory<T>(body: () => T): T {
  const limit = getrlimit(0, RLIMIT_MEMLOCK);
  if (trySetrlimit(0, RLIMIT_MEMLOCK, { soft: NO_LIMIT, hard: NO_LIMIT }) < 0) return body();
  try {
    return body();
  } finally {
    trySetrlimit(0, RLIMIT_MEMLOCK, limit);
  }
}
