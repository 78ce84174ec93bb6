/** Reading and writing: what goes through a descriptor. */

import { EAGAIN } from "./constants/errno.ts";
import { O_RDONLY, SPLICE_F_NONBLOCK } from "./constants/fcntl.ts";
import { FIONREAD } from "./constants/ioctl.ts";
import { POLLIN, POLLOUT } from "./constants/poll.ts";
import { textOf } from "./cstring.ts";
import { pathName } from "./descriptor_name.ts";
import { OpError } from "./error.ts";
import { openat } from "./open.ts";
import { poll } from "./poll.ts";
import { closing } from "./scope.ts";
import { call, failure, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";
import { encodeUtf8 } from "./utf8.ts";

/** read(2) into `buffer`; 0 at the end. */
export function read(fd: Fd, buffer: Uint8Array): number {
  return call("read", [fd, buffer, buffer.length]);
}

/** read(2) whose failure (EAGAIN, EIO of a closed pty) is an answer. */
export function tryRead(fd: Fd, buffer: Uint8Array): ResultOrErrno {
  return tryCall("read", [fd, buffer, buffer.length]);
}

/** write(2), possibly short. */
export function tryWrite(fd: Fd, bytes: Uint8Array): ResultOrErrno {
  return tryCall("write", [fd, bytes, bytes.length]);
}

/** write(2) once; a short write is not an error, the count is returned. Control files take one value a write. */
export function write(fd: Fd, bytes: Uint8Array, object?: string): number {
  return call("write", [fd, bytes, bytes.length], object);
}

/** Writes everything, over short writes and EAGAIN of non-blocking descriptors. */
export function writeAll(fd: Fd, bytes: Uint8Array, object?: string): void {
  let rest = bytes;
  while (rest.length > 0) {
    const count = tryCall("write", [fd, rest, rest.length]);
    if (count === -EAGAIN) {
      poll([{ fd, events: POLLOUT }], -1);
      continue;
    }
    if (count < 0) throw failure("write", [fd], -count, object);
    rest = rest.subarray(count);
  }
}

const chunk = new Uint8Array(64 * 1024);

/** Everything from here to the end of the file, at most `limit` bytes (more is an error to the caller: undefined). */
export function readToEnd(fd: Fd): Uint8Array;
export function readToEnd(fd: Fd, limit: number): Uint8Array | undefined;
export function readToEnd(fd: Fd, limit = Number.POSITIVE_INFINITY): Uint8Array | undefined {
  return readParts(fd, limit, false);
}

/**
 * The same for a regular file, and for one of /proc or of cgroups that the kernel writes in one piece (single_open):
 * a read that is not filled has all of it, and is the last.
 */
export function readWhole(fd: Fd): Uint8Array;
export function readWhole(fd: Fd, limit: number): Uint8Array | undefined;
export function readWhole(fd: Fd, limit = Number.POSITIVE_INFINITY): Uint8Array | undefined {
  return readParts(fd, limit, true);
}

function readParts(fd: Fd, limit: number, whole: boolean): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const count = tryCall("read", [fd, chunk, chunk.length]);
    if (count === -EAGAIN) {
      poll([{ fd, events: POLLIN }], -1);
      continue;
    }
    if (count < 0) throw failure("read", [fd], -count);
    if (count === 0) break;
    total += count;
    if (total > limit) return undefined;
    parts.push(chunk.slice(0, count));
    if (whole && count < chunk.length) break;
  }
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/** The text of a small file such as those of /proc and cgroups. */
export function readTextAt(dir: Fd, path: string): string {
  return closing(openat(dir, path, O_RDONLY), (fd) => {
    const bytes = readToEnd(fd);
    return textOf(bytes, bytes.length);
  });
}

/** The text of a small file that the kernel writes in one piece. */
export function readPieceAt(dir: Fd, path: string): string {
  return closing(openat(dir, path, O_RDONLY), (fd) => {
    const bytes = readWhole(fd);
    return textOf(bytes, bytes.length);
  });
}

/** Opens, writes once, closes: what control files of /proc and cgroups want. */
export function writeTextAt(dir: Fd, path: string, flags: number, text: string, mode = 0): void {
  closing(openat(dir, path, flags, mode), (fd) => {
    const written = tryWrite(fd, encodeUtf8(text));
    if (written < 0) throw OpError.from("write", pathName(dir, path), -written);
  });
}

/** sendfile(2): copies within the kernel; 0 at the end of `from`. */
export function sendfile(to: Fd, from: Fd, count: number): number {
  return call("sendfile", [to, from, null, count]);
}

/**
 * splice(2) of up to `count` bytes, one of the two being a pipe: bytes moved, 0 at the end, or minus errno. It never
 * waits for a pipe (-EAGAIN: nothing to take, or no room), but may for another kind of file. -EINVAL: this kind of file,
 * or one that is open for appending, takes no part in it.
 */
export function trySplice(from: Fd, to: Fd, count: number): ResultOrErrno {
  return tryCall("splice", [from, null, to, null, count, SPLICE_F_NONBLOCK]);
}

/** FIONREAD (pipe(7)): how much a pipe holds, asked at either end. */
export function bytesToRead(pipe: Fd): number {
  const count = new Int32Array(1);
  call("ioctl", [pipe, FIONREAD, count]);
  return count[0] ?? 0;
}

/** lseek(2) to an absolute offset. */
export function seekTo(fd: Fd, offset: number): void {
  call("lseek", [fd, offset, 0]);
}
