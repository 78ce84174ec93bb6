/**
 * The only place where the C library is opened. Few symbols on purpose: each is compiled when the library
 * is opened. "libc.so.6" is a name that the loader always resolves; Bun would look for a missing one in the cwd.
 */
import { dlopen, FFIType, ptr, read } from "bun:ffi";

const library = dlopen("libc.so.6", {
  syscall: {
    args: [FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64],
    returns: FFIType.i64_fast,
  },
  __errno_location: { args: [], returns: FFIType.ptr },
});

/** syscall(2): up to six arguments, the result or -1 with errno set. */
export const rawSyscall = library.symbols.syscall as (
  number: number,
  ...args: [Word, Word, Word, Word, Word, Word]
) => number | bigint;

/** A register's worth: a number where it is exact, a bigint for 64-bit masks. */
export type Word = number | bigint;

// errno is thread-local and this process has one thread that makes calls, so its address is constant, also after fork.
const errnoAddress = library.symbols.__errno_location();

/** errno of the last failed rawSyscall; must be read before anything else runs. */
export function lastErrno(): number {
  return errnoAddress === null ? 0 : read.i32(errnoAddress, 0);
}

/** The address of a buffer, valid while the buffer is referenced (JavaScriptCore does not move objects). */
export function addressOf(buffer: NodeJS.TypedArray | DataView): number {
  return buffer.byteLength === 0 ? 0 : ptr(buffer as NodeJS.TypedArray);
}
