/**
 * Device rules on cgroup v2: an eBPF program of type CGROUP_DEVICE, which the kernel asks at each open and mknod
 * of a device node (Documentation/admin-guide/cgroup-v2.rst "Device controller"). It answers as the devices
 * controller of v1 would: an allowed exception must cover all of the access that is asked for, a denied one only
 * meet it, so that "w" denied cannot be had by opening for both.
 */
import * as B from "../../../syscalls/constants/bpf.ts";
import { Struct } from "../../../syscalls/struct.ts";
import type { DeviceException, DeviceRules } from "./device_rules.ts";

/** struct bpf_insn. */
export interface BpfInsn {
  readonly code: number;
  /** Registers: destination and source. */
  readonly dst: number;
  readonly src: number;
  /** Of a jump in instructions, of a load in bytes. */
  readonly off: number;
  readonly imm: number;
}

/** r0 is the answer, r1 the context; the other names are ours. */
const ANSWER = 0;
const CONTEXT = 1;
const TYPE = 2;
const ACCESS = 3;
const MAJOR = 4;
const MINOR = 5;
const SCRATCH = 1;

const accessBits: Readonly<Record<string, number>> = {
  r: B.BPF_DEVCG_ACC_READ,
  w: B.BPF_DEVCG_ACC_WRITE,
  m: B.BPF_DEVCG_ACC_MKNOD,
};

/** What is attached to a cgroup. */
export interface DeviceProgram {
  /** As the kernel loads it. */
  readonly bytes: Uint8Array;
  /** It forbids nothing: where no other is attached, none is needed, nor a kernel that has them. */
  readonly allowsAll: boolean;
}

/** Plans the program for these rules. */
export function planDeviceProgram(rules: DeviceRules): DeviceProgram {
  const allowsAll = rules.allowByDefault && rules.exceptions.length === 0;
  return { bytes: encode(deviceInstructions(rules)), allowsAll };
}

/** The same before encoding: the default's opposite for each exception, then the default. */
export function deviceInstructions({ allowByDefault, exceptions }: DeviceRules): BpfInsn[] {
  return [
    load(TYPE, 0), // struct bpf_cgroup_dev_ctx: access_type, major, minor
    alu(B.BPF_MOV | B.BPF_X, ACCESS, TYPE),
    alu(B.BPF_AND | B.BPF_K, TYPE, 0, 0xffff),
    alu(B.BPF_RSH | B.BPF_K, ACCESS, 0, 16),
    load(MAJOR, 4),
    load(MINOR, 8),
    ...inOrder(exceptions).flatMap((exception) => block(exception, !allowByDefault)),
    ...answer(allowByDefault),
  ];
}

/** By number: of a thousand in another order, the kernel's verifier finds too many states to follow (E2BIG). */
const inOrder = (exceptions: readonly DeviceException[]): DeviceException[] =>
  [...exceptions].sort((a, b) => a.major - b.major || a.minor - b.minor || (a.type < b.type ? -1 : 1));

/** Each test jumps to the next block when it fails. */
function block(exception: DeviceException, allow: boolean): BpfInsn[] {
  const { type, major, minor, access } = exception;
  const wanted = type === "b" ? B.BPF_DEVCG_DEV_BLOCK : B.BPF_DEVCG_DEV_CHAR;
  const bits = [...access].reduce((sum, letter) => sum | (accessBits[letter] ?? 0), 0);
  const tests = [
    [jump(B.BPF_JNE, TYPE, wanted)],
    major < 0 ? [] : [jump(B.BPF_JNE, MAJOR, major)],
    minor < 0 ? [] : [jump(B.BPF_JNE, MINOR, minor)],
    [
      alu(B.BPF_MOV | B.BPF_X, SCRATCH, ACCESS),
      alu(B.BPF_AND | B.BPF_K, SCRATCH, 0, allow ? ~bits : bits),
      allow ? jump(B.BPF_JNE, SCRATCH, 0) : jump(B.BPF_JEQ, SCRATCH, 0),
    ],
  ].flat();
  const body = [...tests, ...answer(allow)];
  return body.map((one, i) => (isJump(one) ? { ...one, off: body.length - i - 1 } : one));
}

function answer(allow: boolean): BpfInsn[] {
  return [alu(B.BPF_MOV | B.BPF_K, ANSWER, 0, allow ? 1 : 0), instruction(B.BPF_JMP | B.BPF_EXIT)];
}

function load(dst: number, off: number): BpfInsn {
  return instruction(B.BPF_LDX | B.BPF_MEM | B.BPF_W, dst, CONTEXT, off);
}

/** 32-bit arithmetic, which clears the upper half of the register. */
function alu(op: number, dst: number, src: number, imm = 0): BpfInsn {
  return instruction(B.BPF_ALU | op, dst, src, 0, imm);
}

/** A comparison with a constant; where to is filled in later. */
function jump(op: number, dst: number, imm: number): BpfInsn {
  return instruction(B.BPF_JMP | B.BPF_K | op, dst, 0, 0, imm);
}

function isJump({ code }: BpfInsn): boolean {
  return code === (B.BPF_JMP | B.BPF_JNE) || code === (B.BPF_JMP | B.BPF_JEQ);
}

function instruction(code: number, dst = 0, src = 0, off = 0, imm = 0): BpfInsn {
  return { code, dst, src, off, imm };
}

function encode(instructions: readonly BpfInsn[]): Uint8Array {
  const out = new Struct(8 * instructions.length);
  instructions.forEach(({ code, dst, src, off, imm }, i) => {
    out.bytes[8 * i] = code;
    out.bytes[8 * i + 1] = dst | (src << 4);
    out.u16(8 * i + 2, off).i32(8 * i + 4, imm);
  });
  return out.bytes;
}
