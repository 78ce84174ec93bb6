/**
 * Files of unit tests, which run where the product does: without Node. Paths are the host's; what fails throws.
 */

import { EEXIST } from "../constants/errno.ts";
import {
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  O_TRUNC,
  O_WRONLY,
} from "../constants/fcntl.ts";
import { S_IFDIR } from "../constants/stat.ts";
import { cstr } from "../cstring.ts";
import {
  mkdirat,
  readDirectory,
  renameat,
  tryMkdirat,
  trySymlinkat,
  tryUnlinkat,
  unlinkat,
} from "../directory.ts";
import { OpError } from "../error.ts";
import { readToEnd, writeAll } from "../io.ts";
import { CWD, close, openat } from "../open.ts";
import { getpid } from "../process.ts";
import { isType, type Stat, statx, tryStatx } from "../stat.ts";
import { call } from "../syscall.ts";
import { decodeUtf8, encodeUtf8 } from "../utf8.ts";

/** The parts with one slash between each two of them; ".." and the like stay. */
export function join(...parts: readonly string[]): string {
  return parts
    .filter((part) => part !== "")
    .join("/")
    .replace(/\/{2,}/g, "/");
}

/** The path without its last part. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/"))) || "/";
}

let made = 0;

/** A new directory of /tmp, which only its owner may enter. */
export function makeTemporary(prefix: string): string {
  for (;;) {
    const path = `/tmp/${prefix}${getpid()}-${made++}`;
    const result = tryMkdirat(CWD, path, 0o700);
    if (result === 0) return path;
    if (result !== -EEXIST) throw OpError.from("mkdir", path, -result);
  }
}

/** The same for as long as `body` runs. */
export function withTemporary<T>(prefix: string, body: (path: string) => T): T {
  const path = makeTemporary(prefix);
  try {
    return body(path);
  } finally {
    removeTree(path);
  }
}

/** A directory and those that it lies in, as far as they are missing. */
export function makeDirectories(path: string): void {
  for (let end = path.indexOf("/", 1); end > 0; end = path.indexOf("/", end + 1))
    tryMkdirat(CWD, path.slice(0, end), 0o777);
  if (tryMkdirat(CWD, path, 0o777) === 0) return;
  if (!isType(statx(CWD, path, 0), S_IFDIR)) throw OpError.from("mkdir", path, EEXIST);
}

/** A directory in one that is there. */
export function makeDirectory(path: string): void {
  mkdirat(CWD, path, 0o777);
}

/** Makes a file, or what is in one. */
export function writeFile(path: string, content: string | Uint8Array, mode = 0o666): void {
  put(path, content, O_TRUNC, mode);
}

export function appendFile(path: string, content: string | Uint8Array): void {
  put(path, content, O_APPEND, 0o666);
}

function put(path: string, content: string | Uint8Array, flags: number, mode: number): void {
  const fd = openat(CWD, path, O_WRONLY | O_CREAT | flags, mode);
  try {
    writeAll(fd, typeof content === "string" ? encodeUtf8(content) : content, path);
  } finally {
    close(fd);
  }
}

export function readFile(path: string): Uint8Array {
  const fd = openat(CWD, path, O_RDONLY);
  try {
    return readToEnd(fd);
  } finally {
    close(fd);
  }
}

export function readText(path: string): string {
  return decodeUtf8(readFile(path));
}

/** The names in a directory, in order. */
export function namesIn(path: string): string[] {
  const fd = openat(CWD, path, O_RDONLY | O_DIRECTORY);
  try {
    return readDirectory(fd)
      .map(({ name }) => name)
      .sort();
  } finally {
    close(fd);
  }
}

/** Of what links lead to. */
export function exists(path: string): boolean {
  return typeof tryStatx(CWD, path, 0) !== "number";
}

/** Of what links lead to. */
export function statOf(path: string): Stat {
  return statx(CWD, path, 0);
}

/** Of a link itself. */
export function linkStatOf(path: string): Stat {
  return statx(CWD, path, AT_SYMLINK_NOFOLLOW);
}

/** Makes `path` a link that says `target`. */
export function makeLink(target: string, path: string): void {
  const result = trySymlinkat(target, CWD, path);
  if (result < 0) throw OpError.from("symlink", path, -result);
}

export function rename(from: string, to: string): void {
  renameat(CWD, from, CWD, to);
}

export function setLength(path: string, length: number): void {
  const fd = openat(CWD, path, O_WRONLY);
  try {
    call("ftruncate", [fd, length], path, "truncate");
  } finally {
    close(fd);
  }
}

export function setMode(path: string, mode: number): void {
  call("fchmodat", [CWD, cstr(path), mode], path, "chmod");
}

export function setOwner(path: string, uid: number, gid: number): void {
  call("fchownat", [CWD, cstr(path), uid, gid, 0], path, "chown");
}

/** Removes a file or a link. */
export function removeFile(path: string): void {
  unlinkat(CWD, path);
}

/** Removes what is there, with all that is in it; follows no link. */
export function removeTree(path: string): void {
  if (tryUnlinkat(CWD, path) === 0 || typeof tryStatx(CWD, path, AT_SYMLINK_NOFOLLOW) === "number") return;
  const fd = openat(CWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    for (const { name } of readDirectory(fd)) removeTree(`${path}/${name}`);
  } finally {
    close(fd);
  }
  const result = tryUnlinkat(CWD, path, AT_REMOVEDIR);
  if (result < 0) throw OpError.from("rmdir", path, -result);
}
