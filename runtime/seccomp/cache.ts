/**
 * Compiled filter programs, kept in <state root>/.seccomp-cache under the hash of all that they depend on. The name
 * begins with a dot, which no container id may. What is read back is loaded into the kernel as a security boundary,
 * so everything about it is checked first, and whatever is not as it was written is not there.
 */

import { S_IFREG } from "../../syscalls/constants/stat.ts";
import { host } from "../../syscalls/engine/host.ts";
import { OpError } from "../../syscalls/error.ts";
import {
  CWD,
  close,
  fstat,
  isType,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  openat,
  readDirectory,
  readToEnd,
  renameat2,
  tryMkdirat,
  tryOpenat,
  tryStatx,
  tryUnlinkat,
  writeAll,
} from "../../syscalls/file.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { getpid } from "../../syscalls/process.ts";
import { BPF_MAXINSNS } from "../../syscalls/seccomp.ts";
import type { Fd, HostPath } from "../../syscalls/types.ts";
import { SECCOMP_CACHE } from "../state/container_id.ts";

/** Part of each key: to be raised when this file's format or what is compiled changes. */
export const CACHE_FORMAT = 3;

/** A host has a handful of profiles; engines that make one for each container must not fill the state root. */
const MOST_ENTRIES = 64;

const MAGIC = 0x31706d6373746e72n; // "rntscmp1"
const HEADER = 24;

/** The program of this key, or undefined. */
export function readCached(root: HostPath, key: string): Uint8Array | undefined {
  const fd = tryOpenat(CWD, `${root}/${SECCOMP_CACHE}/${key}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return undefined;
  try {
    const stat = fstat(fd as Fd);
    const { mode, uid, size } = stat;
    const ours = (uid === 0 || uid === geteuid()) && (mode & 0o022) === 0 && isType(stat, S_IFREG);
    const fits = size > HEADER && size <= HEADER + 8 * BPF_MAXINSNS && Number(size) % 8 === 0;
    const bytes = ours && fits ? readToEnd(fd as Fd, Number(size)) : undefined;
    return bytes === undefined ? undefined : unwrap(bytes, key);
  } finally {
    close(fd as Fd);
  }
}

/** Keeps a program; a cache that cannot be written is no reason to fail, so the reason is only returned. */
export function writeCached(root: HostPath, key: string, program: Uint8Array): string | undefined {
  try {
    const directory = openDirectory(root);
    try {
      makeRoom(directory);
      store(directory, key, wrap(program, key));
    } finally {
      close(directory);
    }
    return undefined;
  } catch (error) {
    if (error instanceof OpError) return error.message;
    throw error;
  }
}

function openDirectory(root: HostPath): Fd {
  const path = `${root}/${SECCOMP_CACHE}`;
  tryMkdirat(CWD, path, 0o700);
  const fd = openat(CWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  const { mode, uid } = fstat(fd);
  if ((uid === 0 || uid === geteuid()) && (mode & 0o022) === 0) return fd;
  close(fd);
  throw OpError.from("open", path, 1, "may be written by others");
}

function store(directory: Fd, key: string, bytes: Uint8Array): void {
  const temporary = `${key}.${getpid()}`;
  tryUnlinkat(directory, temporary);
  const fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeAll(fd, bytes, temporary);
    renameat2(directory, temporary, directory, key);
  } catch (error) {
    tryUnlinkat(directory, temporary);
    throw error;
  } finally {
    close(fd);
  }
}

/** The oldest go; a file that another command has removed meanwhile is gone as well. */
function makeRoom(directory: Fd): void {
  const entries = readDirectory(directory);
  if (entries.length < MOST_ENTRIES) return;
  const age = ({ name }: { readonly name: string }): bigint => {
    const stat = tryStatx(directory, name, 0);
    return typeof stat === "number" ? 0n : stat.mtimeSec;
  };
  const byAge = entries.map((entry) => ({ name: entry.name, age: age(entry) }));
  byAge.sort((a, b) => Number(a.age - b.age));
  for (const { name } of byAge.slice(0, entries.length - MOST_ENTRIES / 2)) tryUnlinkat(directory, name);
}

/** Header: the magic, a checksum over key and program, and the program's length. */
function wrap(program: Uint8Array, key: string): Uint8Array {
  const bytes = new Uint8Array(HEADER + program.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, MAGIC, true);
  view.setBigUint64(8, checksum(program, key), true);
  view.setBigUint64(16, BigInt(program.length), true);
  bytes.set(program, HEADER);
  return bytes;
}

function unwrap(bytes: Uint8Array, key: string): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const program = bytes.subarray(HEADER);
  const intact =
    bytes.length > HEADER &&
    view.getBigUint64(0, true) === MAGIC &&
    view.getBigUint64(16, true) === BigInt(program.length) &&
    view.getBigUint64(8, true) === checksum(program, key);
  return intact ? program : undefined;
}

/** Against damage, not against an attacker: who can write here can write the checksum as well. */
function checksum(program: Uint8Array, key: string): bigint {
  return BigInt.asUintN(64, host.hash(program) ^ BigInt(`0x${key}`));
}
