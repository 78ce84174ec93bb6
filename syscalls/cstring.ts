/** Strings for the kernel: NUL-terminated UTF-8, refused when they could mean something else there. */
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

/** Thrown for a string that the kernel would cut short or that is not valid Unicode. */
export class BadString extends Error {
  override readonly name = "BadString";
}

declare const checked: unique symbol;
/** A string that means the same to the kernel. */
export type CString = string & { readonly [checked]: true };

/** The string for a system call; throws BadString for an embedded NUL or a lone surrogate. */
export function cstr(text: string): CString {
  if (text.includes("\0")) throw new BadString(`${JSON.stringify(text)} contains a NUL byte`);
  if (!text.isWellFormed()) throw new BadString(`${JSON.stringify(text)} is not valid Unicode`);
  return text as CString;
}

/** The same as bytes with the NUL behind them, for what the kernel finds by a pointer in a structure. */
export function cstrBytes(text: string): Uint8Array<ArrayBuffer> {
  return encodeUtf8(`${cstr(text)}\0`);
}

/** A char *const[] as execve(2) wants it; keep the returned value referenced until the call is over. */
export interface StringArray {
  readonly pointers: BigUint64Array;
  readonly strings: readonly Uint8Array[];
}

/** The text before the first NUL of a buffer that the kernel filled. */
export function textOf(bytes: Uint8Array, length?: number): string {
  const end = length ?? bytes.indexOf(0);
  return decodeUtf8(end < 0 ? bytes : bytes.subarray(0, end));
}
