/** The kernel's half of classic_bpf.ts, for tests: runs a filter program. */
import * as assert from "uvu/assert";

/** struct seccomp_data, without the instruction pointer. */
export interface Call {
  readonly arch: number;
  readonly nr: number;
  readonly args?: readonly bigint[];
}

/** struct sock_filter, taken apart once for all runs of a program. */
interface Decoded {
  readonly code: Uint16Array;
  /** How far the jump goes when its condition does not hold, and when it does. */
  readonly jump: readonly [no: Uint8Array, yes: Uint8Array];
  readonly k: Uint32Array;
}

const decoded = new WeakMap<Uint8Array, Decoded>();

function decode(program: Uint8Array): Decoded {
  const known = decoded.get(program);
  if (known !== undefined) return known;
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const indices = Array.from({ length: program.length / 8 }, (_, i) => 8 * i);
  const result: Decoded = {
    code: Uint16Array.from(indices, (at) => view.getUint16(at, true)),
    jump: [
      Uint8Array.from(indices, (at) => view.getUint8(at + 3)),
      Uint8Array.from(indices, (at) => view.getUint8(at + 2)),
    ],
    k: Uint32Array.from(indices, (at) => view.getUint32(at + 4, true)),
  };
  decoded.set(program, result);
  return result;
}

/** struct seccomp_data as the program loads it, in words. */
function words({ arch, nr, args = [] }: Call): Uint32Array {
  const data = new Uint32Array(16);
  data[0] = nr;
  data[1] = arch;
  args.forEach((value, i) => {
    data[4 + 2 * i] = Number(value & 0xffffffffn);
    data[5 + 2 * i] = Number(value >> 32n);
  });
  return data;
}

/** How a run ended. */
export interface Ended {
  /** What the program returns. */
  readonly returned: number;
  /** The index of its last instruction. */
  readonly at: number;
  /** Whether an argument of the call was looked at: if not, any other call of this number ends alike. */
  readonly looked: boolean;
}

/** Runs a program (Documentation/networking/filter.rst). */
export function runFilter(program: Uint8Array, call: Call): Ended {
  const { code, jump, k: operands } = decode(program);
  const [no, yes] = jump;
  const data = words(call);
  const memory = new Uint32Array(16);
  let a = 0;
  let looked = false;
  for (let at = 0; at < code.length; at++) {
    const k = operands[at] as number;
    switch (code[at]) {
      case 0x00:
        a = k;
        break;
      case 0x20:
        assert.is(k % 4, 0);
        looked ||= k >= 16;
        assert.ok(k < 64, `instruction ${at} loads what is behind the data`);
        a = data[k / 4] as number;
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
        at += (a === k ? yes : no)[at] as number;
        break;
      case 0x25:
        at += (a > k ? yes : no)[at] as number;
        break;
      case 0x35:
        at += (a >= k ? yes : no)[at] as number;
        break;
      case 0x45:
        at += ((a & k) !== 0 ? yes : no)[at] as number;
        break;
      case 0x06:
        return { returned: k, at, looked };
      default:
        assert.unreachable(`instruction ${at} has the code 0x${code[at]?.toString(16)}`);
    }
  }
  assert.unreachable("the program has no end");
  return { returned: 0, at: 0, looked };
}
