// A program that makes exactly one system call: a static executable of some hundred bytes, put together here,
// since a shell cannot choose the number or all bits of the arguments. It exits with the call's errno, 0 without one.
import { writeFileSync } from "node:fs";

/** movabs $imm64 into rax, rdi, rsi, rdx, r10, r8, r9. */
const loads = [
  [0x48, 0xb8],
  [0x48, 0xbf],
  [0x48, 0xbe],
  [0x48, 0xba],
  [0x49, 0xba],
  [0x49, 0xb8],
  [0x49, 0xb9],
] as const;

const base = 0x400000n;
const headers = 64 + 56;

const arm64 = process.arch === "arm64";

/** Calls' numbers on this machine (asm/unistd_64.h, asm-generic/unistd.h). */
export const callNumbers = arm64 ? { socket: 198n, exit_group: 94n } : { socket: 41n, exit_group: 231n };

/** Writes the program for this machine, whose number of the call it is. */
export function writeSystemCall(path: string, number: bigint, args: readonly bigint[] = []): void {
  const code = arm64 ? codeForArm64(number, args) : codeForX64(number, args);
  writeFileSync(path, Buffer.concat([elf(code.length), code]), { mode: 0o755 });
}

function codeForX64(number: bigint, args: readonly bigint[]): Buffer {
  const code = loads.flatMap((opcode, i) => {
    const value = i === 0 ? number : (args[i - 1] ?? 0n);
    return [...opcode, ...bytesOf(value)];
  });
  code.push(0x0f, 0x05); // syscall
  code.push(0x31, 0xff, 0x48, 0x85, 0xc0, 0x79, 0x05); // xor %edi,%edi; test %rax,%rax; jns +5
  code.push(0xf7, 0xd8, 0x89, 0xc7, 0x90); // neg %eax; mov %eax,%edi; nop
  code.push(0xb8, 0xe7, 0, 0, 0, 0x0f, 0x05); // mov $231,%eax (exit_group); syscall
  return Buffer.from(code);
}

function codeForArm64(number: bigint, args: readonly bigint[]): Buffer {
  /** movz, and movk for the other three quarters. */
  const load = (register: number, value: bigint): number[] =>
    [0, 1, 2, 3].map((quarter) => {
      const bits = Number((BigInt.asUintN(64, value) >> BigInt(16 * quarter)) & 0xffffn);
      return (quarter === 0 ? 0xd2800000 : 0xf2800000) + quarter * 0x200000 + bits * 32 + register;
    });
  const words = [
    ...load(8, number),
    ...[0, 1, 2, 3, 4, 5].flatMap((i) => load(i, args[i] ?? 0n)),
    0xd4000001, // svc #0
    0xb7f80040, // tbnz x0, #63, +8
    0xaa1f03e0, // mov x0, xzr
    0xcb0003e0, // neg x0, x0
    ...load(8, callNumbers.exit_group),
    0xd4000001,
  ];
  const code = Buffer.alloc(4 * words.length);
  for (const [i, word] of words.entries()) code.writeUInt32LE(word, 4 * i);
  return code;
}

const bytesOf = (value: bigint): number[] =>
  Array.from({ length: 8 }, (_, i) => Number((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 0xffn));

/** elf(5): a header and one segment that is the whole file. */
function elf(codeLength: number): Buffer {
  const file = Buffer.alloc(headers);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(arm64 ? 183 : 62, 18); // EM_AARCH64, EM_X86_64
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(base + BigInt(headers), 24); // entry
  file.writeBigUInt64LE(64n, 32); // program headers
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(5, 68); // readable, executable
  file.writeBigUInt64LE(base, 80);
  file.writeBigUInt64LE(base, 88);
  file.writeBigUInt64LE(BigInt(headers + codeLength), 96);
  file.writeBigUInt64LE(BigInt(headers + codeLength), 104);
  file.writeBigUInt64LE(0x1000n, 112);
  return file;
}
