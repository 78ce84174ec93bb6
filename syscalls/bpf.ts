/** bpf(2): loading a program and attaching it to a cgroup. */

import { pointedTo } from "./arg.ts";
import {
  BPF_PROG_ATTACH,
  BPF_PROG_DETACH,
  BPF_PROG_GET_FD_BY_ID,
  BPF_PROG_LOAD,
  BPF_PROG_QUERY,
} from "./constants/bpf.ts";
import { EAGAIN } from "./constants/errno.ts";
import { cstrBytes } from "./cstring.ts";
import { host } from "./engine/host.ts";
import { OpError } from "./error.ts";
import { Struct } from "./struct.ts";
import { type ResultOrErrno, tryCall, tryCallForFd } from "./syscall.ts";
import type { Failure, Fd } from "./types.ts";
import { encodeUtf8 } from "./utf8.ts";

export * from "./constants/bpf.ts";

/** sizeof(union bpf_attr); a kernel that knows less of it takes it as long as the rest is 0. */
const ATTR_SIZE = 128;

/** A program as BPF_PROG_LOAD takes it. */
export interface BpfProgram {
  /** BPF_PROG_TYPE_*. */
  readonly type: number;
  /** struct bpf_insn after struct bpf_insn. */
  readonly instructions: Uint8Array;
  /** At most 15 letters, digits and "_", for who lists the programs of the host. */
  readonly name: string;
}

const LOAD_ATTEMPTS = 30;

/**
 * BPF_PROG_LOAD: a descriptor, O_CLOEXEC by the kernel, or minus errno. `log` is filled by the verifier, NUL at its
 * end. A signal interrupts the verifier with EAGAIN, so that is tried again as EINTR is elsewhere.
 */
export function tryProgLoad(program: BpfProgram, log?: Uint8Array): Fd | Failure {
  const license = cstrBytes("Apache-2.0");
  const attr = new Struct(ATTR_SIZE)
    .u32(0, program.type)
    .u32(4, program.instructions.length / 8)
    .u64(8, host.addressOf(program.instructions))
    .u64(16, host.addressOf(license));
  if (log !== undefined) attr.u32(24, 1).u32(28, log.length).u64(32, host.addressOf(log));
  attr.bytes.set(encodeUtf8(program.name.slice(0, 15)), 48);
  pointedTo.set(
    attr.bytes,
    log === undefined ? [program.instructions, license] : [program.instructions, license, log],
  );
  for (let attempt = 1; ; attempt++) {
    const result = tryCallForFd("bpf", [BPF_PROG_LOAD, attr.bytes, 64]);
    if (result !== -EAGAIN || attempt === LOAD_ATTEMPTS) return result;
  }
}

/** BPF_PROG_ATTACH to a cgroup; `replace` goes with BPF_F_REPLACE. Failure is an answer. */
export function tryProgAttach(
  cgroup: Fd,
  program: Fd,
  type: number,
  flags: number,
  replace?: Fd,
): ResultOrErrno {
  const attr = new Struct(ATTR_SIZE)
    .u32(0, cgroup)
    .u32(4, program)
    .u32(8, type)
    .u32(12, flags)
    .u32(16, replace ?? 0);
  // The last field is newer (Linux 5.6) than the rest, and an older kernel refuses what it does not know.
  return tryCall("bpf", [BPF_PROG_ATTACH, attr.bytes, replace === undefined ? 16 : 20]);
}

/** BPF_PROG_DETACH of one program from a cgroup. Failure is an answer. */
export function tryProgDetach(cgroup: Fd, program: Fd, type: number): ResultOrErrno {
  const attr = new Struct(ATTR_SIZE).u32(0, cgroup).u32(4, program).u32(8, type);
  return tryCall("bpf", [BPF_PROG_DETACH, attr.bytes, 12]);
}

/** The most programs that the kernel lets one cgroup have (BPF_CGROUP_MAX_PROGS). */
const MAX_PROGS = 64;

/** BPF_PROG_QUERY: the ids of the programs attached to this cgroup itself. */
export function progQuery(cgroup: Fd, type: number, object: string): readonly number[] {
  const ids = new Uint32Array(MAX_PROGS);
  // Linux 6.17 writes the field "revision" at offset 56 whatever the size, so the buffer must be there.
  const attr = new Struct(ATTR_SIZE)
    .u32(0, cgroup)
    .u32(4, type)
    .u64(16, host.addressOf(ids))
    .u32(24, MAX_PROGS);
  const result = tryCall("bpf", [BPF_PROG_QUERY, attr.bytes, 28]);
  if (result < 0) throw OpError.from("bpf BPF_PROG_QUERY", object, -result);
  return [...ids.subarray(0, attr.getU32(24))];
}

/** BPF_PROG_GET_FD_BY_ID; a program that is gone or that a security module hides is an answer. */
export function tryProgGetFdById(id: number): Fd | Failure {
  return tryCallForFd("bpf", [BPF_PROG_GET_FD_BY_ID, new Struct(ATTR_SIZE).u32(0, id).bytes, 4]);
}
