/**
 * What the engine gives to TypeScript besides ECMAScript: the primitives of primitives.c and seccomp.c. Only syscalls/
 * uses them. While the program is built, those that touch the machine throw: a module's top level may not need them.
 */

/** What can be handed to the kernel as an address. */
export type Buffer = Uint8Array | Int32Array | Uint32Array | Uint16Array | BigInt64Array | BigUint64Array;

/**
 * What one register takes: a whole number of at most 53 bits, the low 64 bits of a bigint, where a buffer is, or where
 * a copy of a text is, in UTF-8 with a NUL behind it, that lasts as long as the call.
 */
export type Word = number | bigint | string | Buffer | null;

export interface Host {
  /** Which machine the executable is for. */
  readonly architecture: "x86_64" | "aarch64";
  /**
   * syscall(2): the result, or minus errno. A TypeError for what fits no register (of a
   * text, one with a NUL or half of a surrogate pair), and nothing has been called then.
   */
  syscall(number: number, a?: Word, b?: Word, c?: Word, d?: Word, e?: Word, f?: Word): number;
  /** Where a buffer is, as long as it is referenced; 0 for an empty one. */
  addressOf(buffer: Buffer): number;
  /** UTF-8; half of a surrogate pair becomes U+FFFD. */
  encode(text: string): Uint8Array<ArrayBuffer>;
  /** From UTF-8; what is none becomes U+FFFD. */
  decode(bytes: Uint8Array): string;
  /** How many bytes from the beginning are whole characters of UTF-8. */
  validUtf8(bytes: Uint8Array): number;
  /** A name for some bytes, which others may have as well: FNV-1a of 64 bits. */
  hash(bytes: Uint8Array): bigint;
  /** argv as it was given, each word with the NUL byte behind it. */
  arguments(): Uint8Array<ArrayBuffer>;
  /** The environment as it was given, each variable with the NUL byte behind it. */
  environment(): Uint8Array<ArrayBuffer>;
  /** Of the libseccomp that is linked in, such as "2.6.0". */
  readonly seccompVersion: string;
  /**
   * seccomp_init(3) of a filter for `architecture`, which takes the place of the native one: 0, or minus errno. One is
   * made at a time: EBUSY before the last one is released.
   */
  seccompInit(action: number, architecture: number, native: number): number;
  /** seccomp_release(3). */
  seccompRelease(): number;
  /** seccomp_syscall_resolve_name_arch(3) of each name, which a NUL byte ends. */
  seccompResolve(architecture: number, names: Uint8Array, numbers: Int32Array): number;
  /** seccomp_rule_add_array(3); `comparisons` is an array of struct scmp_arg_cmp. */
  seccompAdd(action: number, syscall: number, comparisons: Uint8Array): number;
  /** seccomp_export_bpf(3). */
  seccompExport(fd: number): number;
}

export const host: Host = (globalThis as unknown as { readonly host: Host }).host;
