/**
 * One filter program out of one for each architecture, as bytes of struct sock_filter (linux/filter.h). libseccomp
 * compiles several architectures at once in several times the sum of their times, and has nothing for system calls
 * that are newer than the profile; so each is compiled alone and gets a preamble here:
 *
 *   not this architecture?              go to the next one
 *   newer than anything in the profile? return ENOSYS
 *   ... libseccomp's program
 *
 * The last program also answers, by killing, for architectures that the profile does not name.
 */
import { __X32_SYSCALL_BIT, AUDIT_ARCH_X86_64, SECCOMP_RET_ERRNO } from "../../syscalls/constants/seccomp.ts";

/** libseccomp's program for one architecture. */
export interface ArchitectureProgram {
  /** SCMP_ARCH_*. */
  readonly token: number;
  readonly program: Uint8Array;
  /** The largest number of a system call that the profile names; undefined lets the program decide on all. */
  readonly newest: number | undefined;
}

type Instruction = readonly [code: number, jt: number, jf: number, k: number];

// linux/bpf_common.h
const LD_W_ABS = 0x20;
const JMP_JA = 0x05;
const JMP_JEQ_K = 0x15;
const JMP_JGT_K = 0x25;
const JMP_JSET_K = 0x45;
const RET_K = 0x06;
// struct seccomp_data
const NR = 0;
const ARCH = 4;

const ENOSYS = 38;
const SCMP_ARCH_X32 = 0x4000003e;

/** Joins them in the order given. */
export function joinPrograms(parts: readonly ArchitectureProgram[]): Uint8Array {
  const pieces = parts.flatMap((part, i) => [preamble(part, i === parts.length - 1), part.program]);
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

function preamble({ token, program, newest }: ArchitectureProgram, last: boolean): Uint8Array {
  if (last && newest === undefined) return new Uint8Array();
  const stub: Instruction[] =
    newest === undefined
      ? []
      : [
          [JMP_JGT_K, 0, 1, newest],
          [RET_K, 0, 0, (SECCOMP_RET_ERRNO | ENOSYS) >>> 0],
        ];
  // x86_64 and x32 are one architecture to the kernel, told apart by a bit of the number.
  const x32 = token === SCMP_ARCH_X32;
  const shared = x32 || token === AUDIT_ARCH_X86_64;
  // Past the stub, and for all but the last also past the program: the last has the answer for strangers.
  const beyond = stub.length + (last ? 0 : program.length / 8);
  const abi: Instruction[] = [
    [JMP_JSET_K, x32 ? 1 : 0, x32 ? 0 : 1, __X32_SYSCALL_BIT],
    [JMP_JA, 0, 0, beyond],
  ];
  const number: Instruction[] = [[LD_W_ABS, 0, 0, NR], ...(shared ? abi : [])];
  return encode([
    [LD_W_ABS, 0, 0, ARCH],
    [JMP_JEQ_K, 1, 0, shared ? AUDIT_ARCH_X86_64 : token],
    [JMP_JA, 0, 0, number.length + beyond],
    ...number,
    ...stub,
  ]);
}

function encode(instructions: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * instructions.length));
  instructions.forEach(([code, jt, jf, k], i) => {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, jt);
    view.setUint8(8 * i + 3, jf);
    view.setUint32(8 * i + 4, k, true);
  });
  return new Uint8Array(view.buffer);
}
