/**
 * libseccomp (seccomp_init(3) and its kin), opened on demand: the field's compiler from rules to a filter program.
 * Its functions are no system calls and do not pass through the door; a failure is minus errno, thrown as OpError.
 */
import { dlopen, FFIType } from "bun:ffi";
import { OpError } from "./error.ts";
import { close, memfdCreate, readToEnd, seekTo } from "./file.ts";
import { addressOf } from "./libc.ts";
import { Struct } from "./struct.ts";
import type { HostPath } from "./types.ts";
import { encodeUtf8 } from "./utf8.ts";

const { i32, u32, ptr } = FFIType;

/** struct scmp_arg_cmp; `value` is the mask of SCMP_CMP_MASKED_EQ, whose second operand is `valueTwo`. */
export interface Comparison {
  readonly index: number;
  readonly op: number;
  readonly value: bigint;
  readonly valueTwo: bigint;
}

/** System call names where the library can read them, made once for the look-ups of each architecture. */
export class NameTable {
  readonly names: readonly string[];
  readonly bytes: Uint8Array;
  /** The library reads them as C strings: what a NUL byte would cut short is no name. */
  constructor(names: readonly string[]) {
    this.names = [...new Set(names)].filter((name) => !name.includes("\0"));
    this.bytes = encodeUtf8(`${this.names.join("\0")}\0`);
  }
}

/** A filter being made, for one architecture. */
export interface Filter {
  /** seccomp_rule_add_array(3): `syscall` is a number of the native architecture; all comparisons must hold. */
  add(action: number, syscall: number, comparisons: readonly Comparison[], name: string): void;
  /** seccomp_export_bpf(3). */
  exportProgram(): Uint8Array;
  /** seccomp_release(3). */
  release(): void;
}

/** The functions of an opened library. */
export interface Libseccomp {
  /**
   * seccomp_syscall_resolve_name_arch(3) of each name, in their order: __NR_SCMP_ERROR for an unknown one, another
   * negative number for a call that only other architectures have, or that has no number of its own in this one.
   */
  resolve(architecture: number, table: NameTable): Int32Array;
  /** seccomp_init(3) and the two calls that put another architecture in the place of the native one. */
  filter(defaultAction: number, architecture: number, native: number): Filter;
}

/** dlopen(3) of an absolute path that the caller has found trustworthy. */
export function openLibseccomp(path: HostPath): Libseccomp {
  const { symbols } = dlopen(path, {
    seccomp_init: { args: [u32], returns: ptr },
    seccomp_release: { args: [ptr], returns: FFIType.void },
    seccomp_arch_add: { args: [ptr, u32], returns: i32 },
    seccomp_arch_remove: { args: [ptr, u32], returns: i32 },
    seccomp_syscall_resolve_name_arch: { args: [u32, ptr], returns: i32 },
    seccomp_rule_add_array: { args: [ptr, u32, i32, u32, ptr], returns: i32 },
    seccomp_export_bpf: { args: [ptr, i32], returns: i32 },
  });
  const check = (result: number, op: string, object: string): void => {
    if (result < 0) throw OpError.from(op, object, -result);
  };
  const makeFilter = (defaultAction: number, architecture: number, native: number): Filter => {
    const context = symbols.seccomp_init(defaultAction);
    if (context === null) throw OpError.from("seccomp_init", `action 0x${defaultAction.toString(16)}`, 22);
    const release = (): void => symbols.seccomp_release(context);
    if (architecture !== native) {
      const name = `architecture 0x${architecture.toString(16)}`;
      try {
        check(symbols.seccomp_arch_add(context, architecture), "seccomp_arch_add", name);
        check(symbols.seccomp_arch_remove(context, native), "seccomp_arch_remove", name);
      } catch (error) {
        release();
        throw error;
      }
    }
    return {
      add: (action, syscall, comparisons, name) => {
        const table = comparisonTable(comparisons);
        const address = table === undefined ? null : (addressOf(table) as never);
        const result = symbols.seccomp_rule_add_array(context, action, syscall, comparisons.length, address);
        check(result, "seccomp_rule_add", name);
      },
      exportProgram: () => {
        const fd = memfdCreate("seccomp");
        try {
          check(symbols.seccomp_export_bpf(context, fd), "seccomp_export_bpf", "");
          seekTo(fd, 0);
          return readToEnd(fd) ?? new Uint8Array();
        } finally {
          close(fd);
        }
      },
      release,
    };
  };
  return {
    resolve: (architecture, table) => {
      const numbers = new Int32Array(table.names.length);
      const base = addressOf(table.bytes);
      let offset = 0;
      for (let i = 0; i < numbers.length; i++) {
        numbers[i] = symbols.seccomp_syscall_resolve_name_arch(architecture, (base + offset) as never);
        offset = table.bytes.indexOf(0, offset) + 1;
      }
      return numbers;
    },
    filter: makeFilter,
  };
}

function comparisonTable(comparisons: readonly Comparison[]): Uint8Array | undefined {
  if (comparisons.length === 0) return undefined;
  const table = new Struct(24 * comparisons.length);
  comparisons.forEach(({ index, op, value, valueTwo }, i) => {
    table
      .u32(24 * i, index)
      .u32(24 * i + 4, op)
      .u64(24 * i + 8, value)
      .u64(24 * i + 16, valueTwo);
  });
  return table.bytes;
}
