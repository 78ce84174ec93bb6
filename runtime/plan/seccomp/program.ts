/**
 * One filter program out of one for each architecture, as bytes of struct sock_filter (linux/filter.h). libseccomp
 * compiles several architectures at once in several times the sum of their times, and has nothing for system calls
 * that are newer than the profile; so each is compiled alone and gets a preamble here:
 *
 *   not this architecture?              go to the next one
 *   newer than anything in the profile? return ENOSYS
 *   a number with one answer?           return it
 *   ... libseccomp's program, for the rest of the rules
 *
 * The last program also answers, by killing, for architectures that the profile does not name.
 */
import { ENOSYS } from "../../../syscalls/constants/errno.ts";
import {
  __X32_SYSCALL_BIT,
  AUDIT_ARCH_X86_64,
  SECCOMP_RET_ERRNO,
} from "../../../syscalls/constants/seccomp.ts";
import { seccompArchitectures } from "../../config/names.ts";
import {
  encode,
  JMP_JA,
  JMP_JEQ_K,
  JMP_JGT_K,
  JMP_JSET_K,
  LD_W_ABS,
  RET_K,
  type SockFilter,
} from "./classic_bpf.ts";
import { type Answers, searchTree } from "./tree.ts";

/** What decides on the calls of one architecture: the answers, and libseccomp's program for all else. */
export interface ArchitectureProgram {
  /** SCMP_ARCH_*. */
  readonly token: number;
  /** What needs no more than a look at the number. */
  readonly answers: Answers;
  readonly program: Uint8Array;
  /** The largest number of a system call that the profile names; undefined lets the program decide on all. */
  readonly newest: number | undefined;
}

// struct seccomp_data
const NR = 0;
const ARCH = 4;

const { SCMP_ARCH_X32 } = seccompArchitectures;

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

function preamble({ token, answers, program, newest }: ArchitectureProgram, last: boolean): Uint8Array {
  if (last && newest === undefined && answers.size === 0) return new Uint8Array();
  const stub: SockFilter[] =
    newest === undefined
      ? []
      : [
          [JMP_JGT_K, 0, 1, newest],
          [RET_K, 0, 0, (SECCOMP_RET_ERRNO | ENOSYS) >>> 0],
        ];
  const tree = searchTree(answers);
  // x86_64 and x32 are one architecture to the kernel, told apart by a bit of the number.
  const x32 = token === SCMP_ARCH_X32;
  const shared = x32 || token === AUDIT_ARCH_X86_64;
  // Past stub and tree, and for all but the last also past the program: the last has the answer for strangers.
  const beyond = stub.length + tree.length + (last ? 0 : program.length / 8);
  const abi: SockFilter[] = [
    [JMP_JSET_K, x32 ? 1 : 0, x32 ? 0 : 1, __X32_SYSCALL_BIT],
    [JMP_JA, 0, 0, beyond],
  ];
  const number: SockFilter[] = [[LD_W_ABS, 0, 0, NR], ...(shared ? abi : [])];
  return encode([
    [LD_W_ABS, 0, 0, ARCH],
    [JMP_JEQ_K, 1, 0, shared ? AUDIT_ARCH_X86_64 : token],
    [JMP_JA, 0, 0, number.length + beyond],
    ...number,
    ...stub,
    ...tree,
  ]);
}
