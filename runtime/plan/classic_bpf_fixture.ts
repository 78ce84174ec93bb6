/** The kernel's half of classic_bpf.ts, for tests: runs a filter program. */
import * as assert from "uvu/assert";

/** struct seccomp_data, without the instruction pointer. */
export interface Call {
  readonly arch: number;
  readonly nr: number;
  readonly args?: readonly bigint[];
}

/** The value that the program returns (Documentation/networking/filter.rst), and the index of its last instruction. */
export function runFilter(
  program: Uint8Array,
  { arch, nr, args = [] }: Call,
): { readonly returned: number; readonly at: number } {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, nr, true);
  data.setUint32(4, arch, true);
  args.forEach((value, i) => {
    data.setBigUint64(16 + 8 * i, value, true);
  });
  const memory = new Uint32Array(16);
  let a = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const k = code.getUint32(8 * at + 4, true);
    const jump = (holds: boolean): void => {
      at += code.getUint8(8 * at + (holds ? 2 : 3));
    };
    switch (code.getUint16(8 * at, true)) {
      case 0x00:
        a = k;
        break;
      case 0x20:
        a = data.getUint32(k, true);
        break;
      case 0x60:
        a = memory[k] ?? 0;
        break;
      case 0x02:
        memory[k] = a;
        break;
      case 0x54:
        a = (a & k) >>> 0;
        break;
      case 0x05:
        at += k;
        break;
      case 0x15:
        jump(a === k);
        break;
      case 0x25:
        jump(a > k);
        break;
      case 0x35:
        jump(a >= k);
        break;
      case 0x45:
        jump((a & k) !== 0);
        break;
      case 0x06:
        return { returned: k, at };
      default:
        assert.unreachable(`instruction ${at} has the code 0x${code.getUint16(8 * at, true).toString(16)}`);
    }
  }
  assert.unreachable("the program has no end");
  return { returned: 0, at: 0 };
}
