/** Names in directories: made, removed, renamed, listed, and links read. */

import { cstr, textOf } from "./cstring.ts";
import { call, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";

/** readlinkat(2). An empty path reads the link that `dir` itself is open on. */
export function readlinkat(dir: Fd, path: string): string {
  const buffer = new Uint8Array(4096);
  const length = call("readlinkat", [dir, cstr(path), buffer, buffer.length]);
  return textOf(buffer, length);
}

/** readlinkat(2) whose failure is an answer: undefined. */
export function tryReadlinkat(dir: Fd, path: string): string | undefined {
  const buffer = new Uint8Array(4096);
  const length = tryCall("readlinkat", [dir, cstr(path), buffer, buffer.length]);
  return length < 0 ? undefined : textOf(buffer, length);
}

/** mkdirat(2); `mode` before the umask. */
export function mkdirat(dir: Fd, path: string, mode: number): void {
  call("mkdirat", [dir, cstr(path), mode]);
}

/** mkdirat(2) whose failure (EEXIST) is an answer. */
export function tryMkdirat(dir: Fd, path: string, mode: number): ResultOrErrno {
  return tryCall("mkdirat", [dir, cstr(path), mode]);
}

/** unlinkat(2). */
export function unlinkat(dir: Fd, path: string): void {
  call("unlinkat", [dir, cstr(path), 0]);
}

/** unlinkat(2) whose failure is an answer; `flags` takes AT_REMOVEDIR. */
export function tryUnlinkat(dir: Fd, path: string, flags = 0): ResultOrErrno {
  return tryCall("unlinkat", [dir, cstr(path), flags]);
}

/** renameat(2). */
export function renameat(fromDir: Fd, from: string, toDir: Fd, to: string): void {
  call("renameat", [fromDir, cstr(from), toDir, cstr(to)]);
}

/** symlinkat(2): makes `path`, a link that says `target`. */
export function trySymlinkat(target: string, dir: Fd, path: string): ResultOrErrno {
  return tryCall("symlinkat", [cstr(target), dir, cstr(path)]);
}

/** mknodat(2) of any type; `mode` holds S_IFCHR and the like, `device` comes from makedev. */
export function mknodat(dir: Fd, path: string, mode: number, device = 0n): void {
  call("mknodat", [dir, cstr(path), mode, device]);
}

/** mknodat(2) whose failure is an answer. */
export function tryMknodat(dir: Fd, path: string, mode: number, device = 0n): ResultOrErrno {
  return tryCall("mknodat", [dir, cstr(path), mode, device]);
}

/** The dev_t of a major and a minor number (linux/kdev_t.h, new_encode_dev). */
export function makedev(major: number, minor: number): bigint {
  return BigInt((minor & 0xff) | ((major & 0xfff) << 8)) | (BigInt(minor & ~0xff) << 12n);
}

/** One entry of a directory. `type` is DT_* (4 directory, 8 file, 10 link). */
export interface DirEntry {
  readonly name: string;
  readonly type: number;
}

/** All entries of an open directory but "." and ".." (getdents64(2)). */
export function readDirectory(dir: Fd): DirEntry[] {
  const buffer = new Uint8Array(32 * 1024);
  const view = new DataView(buffer.buffer);
  const entries: DirEntry[] = [];
  for (;;) {
    const count = call("getdents64", [dir, buffer, buffer.length]);
    if (count === 0) return entries;
    for (let at = 0; at < count; ) {
      const length = view.getUint16(at + 16, true);
      const name = textOf(buffer.subarray(at + 19, at + length));
      if (name !== "." && name !== "..") entries.push({ name, type: buffer[at + 18] ?? 0 });
      at += length;
    }
  }
}
