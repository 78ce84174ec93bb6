/** Instructions of a seccomp filter: struct sock_filter (linux/filter.h) and its codes (linux/bpf_common.h). */

/** One instruction. Jumps count the instructions passed over, and only ever go forward. */
export type SockFilter = readonly [code: number, jt: number, jf: number, k: number];

/** The word at an offset of struct seccomp_data. */
export const LD_W_ABS = 0x20;
/** Jumps by k, which unlike jt and jf has 32 bits. */
export const JMP_JA = 0x05;
export const JMP_JEQ_K = 0x15;
export const JMP_JGT_K = 0x25;
export const JMP_JGE_K = 0x35;
export const JMP_JSET_K = 0x45;
export const RET_K = 0x06;

/** The farthest that jt and jf reach. */
export const JUMP_MAX = 255;

/** The instructions as the kernel takes them, little-endian. */
export function encode(instructions: readonly SockFilter[]): Uint8Array {
  const words = new Uint32Array(2 * instructions.length);
  let at = 0;
  for (const [code, jt, jf, k] of instructions) {
    words[at++] = code | (jt << 16) | (jf << 24);
    words[at++] = k;
  }
  return new Uint8Array(words.buffer);
}
