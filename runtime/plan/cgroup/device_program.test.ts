/** The program is run by an interpreter of its few instructions and compared with what the rules say. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { LinuxDeviceCgroup } from "../../config/types.ts";
import { deviceInstructions, planDeviceProgram } from "./device_program.ts";
import { emulateDeviceRules } from "./device_rules.ts";

const READ = 2;
const WRITE = 4;
const MKNOD = 1;
const types = { b: 1, c: 2 } as const;

/** What the kernel would do with the bytes: linux/bpf.h, written down again from the manual (bpf(2), RFC 9669). */
function interpret(program: Uint8Array, context: readonly number[]): number {
  const view = new DataView(program.buffer, program.byteOffset, program.length);
  const registers = Array.from({ length: 11 }, () => 0n);
  const mask = 0xffffffffn;
  for (let pc = 0; pc < program.length / 8; pc++) {
    const code = view.getUint8(8 * pc);
    const [dst, src] = [view.getUint8(8 * pc + 1) & 15, view.getUint8(8 * pc + 1) >> 4];
    const off = view.getInt16(8 * pc + 2, true);
    const imm = BigInt(view.getInt32(8 * pc + 4, true));
    const [left, right] = [registers[dst] ?? 0n, registers[src] ?? 0n];
    switch (code) {
      case 0x61: // ldxw
        assert.is(src, 1, "a load from something that is not the context");
        registers[dst] = BigInt(context[off / 4] ?? Number.NaN);
        break;
      case 0xbc: // mov32 register
        registers[dst] = right & mask;
        break;
      case 0xb4: // mov32 constant
        registers[dst] = imm & mask;
        break;
      case 0x54: // and32
        registers[dst] = left & imm & mask;
        break;
      case 0x74: // rsh32
        registers[dst] = (left & mask) >> imm;
        break;
      case 0x55: // jne
        assert.ok(off > 0);
        if (left !== BigInt.asUintN(64, imm)) pc += off;
        break;
      case 0x15: // jeq
        assert.ok(off > 0);
        if (left === BigInt.asUintN(64, imm)) pc += off;
        break;
      case 0x95: // exit
        return Number(registers[0]);
      default:
        throw new Error(`instruction ${pc}: code 0x${code.toString(16)}`);
    }
  }
  throw new Error("the end was reached without exit");
}

/** "c 1:3 rw" → whether these rules let it through. */
function allows(rules: readonly LinuxDeviceCgroup[], asked: string): boolean {
  const [type = "", numbers = "", access = ""] = asked.split(" ");
  const [major = 0, minor = 0] = numbers.split(":").map(Number);
  const bits = [...access].reduce((sum, letter) => sum | { r: READ, w: WRITE, m: MKNOD }[letter as "r"], 0);
  const context = [types[type as "b"] | (bits << 16), major, minor];
  const result = interpret(planDeviceProgram(emulateDeviceRules(rules)).bytes, context);
  assert.ok(result === 0 || result === 1);
  return result === 1;
}

const deny = { allow: false, access: "rwm" } as const;
const allowAll = { allow: true, access: "rwm" } as const;

const cases: readonly {
  title: string;
  rules: readonly LinuxDeviceCgroup[];
  allowed: string;
  denied: string;
}[] = [
  {
    title: "no rules: the default devices and mknod of anything",
    rules: [],
    allowed: "c 1:3 rwm, c 1:5 r, c 5:2 rw, c 136:0 rw, c 136:7 rwm, c 10:200 rw, c 240:1 m, b 8:0 m",
    denied: "c 1:4 r, c 1:1 w, b 8:0 r, b 8:0 rm, c 10:201 rw, b 1:3 rw, c 135:0 r, c 3:1 r",
  },
  {
    title: "one device more",
    rules: [deny, { allow: true, type: "c", major: 10, minor: 229, access: "rw" }],
    allowed: "c 10:229 r, c 10:229 w, c 10:229 rw, c 1:3 rw, c 10:229 m",
    denied: "c 10:229 rwm, b 10:229 r, c 10:230 r, c 11:229 r",
  },
  {
    title: "every minor of a major, every major, of one kind",
    rules: [
      deny,
      { allow: true, type: "b", major: 7, access: "r" },
      { allow: true, type: "c", minor: 9, access: "w" },
    ],
    allowed: "b 7:0 r, b 7:1048575 r, c 77:9 w",
    denied: "b 7:0 w, b 7:0 rw, c 7:0 r, c 77:9 r, b 77:9 w",
  },
  {
    title: "allow-all with exceptions: what is denied in part is denied",
    rules: [
      allowAll,
      { allow: false, type: "b", major: 8, access: "w" },
      { allow: false, type: "c", major: 4, minor: 64, access: "rwm" },
    ],
    allowed: "b 8:0 r, b 8:0 m, b 9:0 rwm, c 4:63 rwm, c 8:0 rw",
    denied: "b 8:0 w, b 8:3 rw, b 8:0 wm, c 4:64 r, c 4:64 rw, c 4:64 m",
  },
  {
    title: "type a with a number: block and character devices",
    rules: [deny, { allow: true, major: 77, access: "r" }],
    allowed: "b 77:1 r, c 77:1 r",
    denied: "b 77:1 w, c 78:1 r",
  },
  {
    title: "the largest numbers that the kernel knows",
    rules: [deny, { allow: true, type: "c", major: 4095, minor: 1048575, access: "rw" }],
    allowed: "c 4095:1048575 rw",
    denied: "c 4095:1048574 rw, c 4094:1048575 rw",
  },
];

const program = suite("planDeviceProgram");
for (const { title, rules, allowed, denied } of cases)
  program(title, () => {
    for (const asked of allowed.split(", ")) assert.ok(allows(rules, asked), `${asked} is denied`);
    for (const asked of denied.split(", ")) assert.not(allows(rules, asked), `${asked} is allowed`);
  });

program("every access to every device allowed is two instructions after the loads", () => {
  assert.is(deviceInstructions(emulateDeviceRules([allowAll])).length, 8);
  assert.ok(allows([allowAll], "b 8:0 rwm"));
});

program("the bytes of the first and the last instruction", () => {
  const { bytes, allowsAll } = planDeviceProgram(emulateDeviceRules([allowAll]));
  assert.is(allowsAll, true);
  assert.is(
    planDeviceProgram(
      emulateDeviceRules([allowAll, { allow: false, type: "c", major: 1, minor: 11, access: "r" }]),
    ).allowsAll,
    false,
  );
  assert.equal([...bytes.subarray(0, 8)], [0x61, 0x12, 0, 0, 0, 0, 0, 0]); // r2 = *(u32 *)(r1 + 0)
  assert.equal([...bytes.subarray(-8)], [0x95, 0, 0, 0, 0, 0, 0, 0]);
});
program.run();
