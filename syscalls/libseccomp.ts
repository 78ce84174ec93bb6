/**
 * libseccomp (seccomp_init(3) and its kin), linked in: the field's compiler from rules to a filter program.
 * Its functions are no system calls and do not pass through `tryCall`; a failure is minus errno, thrown as OpError.
 */
import { EDOM, EINVAL } from "./constants/errno.ts";
import { memfdCreate } from "./descriptor.ts";
import { host } from "./engine/host.ts";
import { OpError } from "./error.ts";
import { readToEnd, seekTo } from "./io.ts";
import { closing } from "./scope.ts";
import { Struct } from "./struct.ts";
import { encodeUtf8 } from "./utf8.ts";

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

/** The architecture that this program was built for, by the name that a profile has for it. */
export const nativeArchitecture = host.architecture === "aarch64" ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64";

/** Of the library that is linked in, such as "2.6.0". */
export function seccompVersion(): string {
  return host.seccompVersion;
}

/**
 * seccomp_syscall_resolve_name_arch(3) of each name, in their order: __NR_SCMP_ERROR for an unknown one, another
 * negative number for a call that only other architectures have, or that has no number of its own in this one.
 */
export function resolveNames(architecture: number, table: NameTable): Int32Array {
  const numbers = new Int32Array(table.names.length);
  host.seccompResolve(architecture, table.bytes, numbers);
  return numbers;
}

/**
 * seccomp_init(3) and the two calls that put another architecture in the place of the native one. One filter is made at a
 * time: this one has to be released before the next. `name` is what the error calls that architecture: EINVAL for one
 * that the library does not know, EDOM for one of the other byte order.
 */
export function makeFilter(
  defaultAction: number,
  architecture: number,
  native: number,
  name = hex(architecture),
): Filter {
  const result = host.seccompInit(defaultAction, architecture, native);
  if (result < 0 && architecture !== native)
    throw OpError.from("seccomp_arch_add", name, -result, whyNoArchitecture(-result));
  check(result, "seccomp_init", `action ${hex(defaultAction)}`);
  return {
    add: (action, syscall, comparisons, name) => {
      const table = comparisonTable(comparisons);
      check(host.seccompAdd(action, syscall, table), "seccomp_rule_add", name);
    },
    exportProgram: () => {
      return closing(memfdCreate("seccomp"), (fd) => {
        check(host.seccompExport(fd), "seccomp_export_bpf", "");
        seekTo(fd, 0);
        return readToEnd(fd);
      });
    },
    release: () => {
      host.seccompRelease();
    },
  };
}

function whyNoArchitecture(errno: number): string | undefined {
  if (errno === EDOM) return "its byte order is not this machine's";
  return errno === EINVAL ? `libseccomp ${seccompVersion()} is too old and does not know it` : undefined;
}

const hex = (number: number): string => `0x${number.toString(16)}`;

function check(result: number, op: string, object: string): number {
  if (result < 0) throw OpError.from(op, object, -result);
  return result;
}

function comparisonTable(comparisons: readonly Comparison[]): Uint8Array {
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
