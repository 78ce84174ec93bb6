// The primitives of syscalls/engine/host.ts for what runs on Bun: tests from outside and scripts, which use some of the
// runtime's typed system calls and tables. To be imported before them.
import { dlopen, FFIType, ptr, read } from "bun:ffi";
import type { Buffer, Host, Word } from "../syscalls/engine/host.ts";

const { symbols } = dlopen("libc.so.6", {
  syscall: { args: Array(7).fill(FFIType.i64), returns: FFIType.i64_fast },
  __errno_location: { args: [], returns: FFIType.ptr },
});
// This process has one thread that makes calls.
const errnoAddress = symbols.__errno_location();

function addressOf(buffer: Buffer): number {
  return buffer.byteLength === 0 ? 0 : ptr(buffer);
}

function register(word: Word | undefined): number | bigint {
  if (typeof word === "number" || typeof word === "bigint") return word;
  if (typeof word === "string") return addressOf(kept(encoder.encode(`${word}\0`)));
  return word === undefined || word === null ? 0 : addressOf(word);
}

/** The copies of texts of the last call: what is not referenced may be collected while the kernel reads it. */
let copies: Uint8Array[] = [];
function kept(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  copies.push(bytes);
  return bytes;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

const host: Partial<Host> = {
  architecture: process.arch === "arm64" ? "aarch64" : "x86_64",
  syscall(number, a, b, c, d, e, f) {
    copies = [];
    const registers = [number, a, b, c, d, e, f].map(register) as Parameters<typeof symbols.syscall>;
    const result = Number(symbols.syscall(...registers));
    return result === -1 && errnoAddress !== null ? -read.i32(errnoAddress, 0) : result;
  },
  addressOf,
  encode: (text) => encoder.encode(text),
  decode: (bytes) => decoder.decode(bytes),
  arguments: () => encoder.encode(process.argv.map((word) => `${word}\0`).join("")),
  environment: () =>
    encoder.encode(
      Object.entries(process.env)
        .map(([name, value]) => `${name}=${value}\0`)
        .join(""),
    ),
};

(globalThis as { host?: Partial<Host> }).host ??= host;
