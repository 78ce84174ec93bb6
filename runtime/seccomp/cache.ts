/**
 * Compiled filter programs, kept in <state root>/.seccomp-cache. A file holds the text of all that its program depends
 * on, and counts only for that very text; its name, a hash of the text, serves to find it. The directory's name begins
 * with a dot, which no container id may. What is read back is loaded into the kernel as a security boundary, so
 * everything about it is checked first, and whatever is not as it was written is not there.
 */

import { EPERM } from "../../syscalls/constants/errno.ts";
import { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } from "../../syscalls/constants/fcntl.ts";
import { S_IFREG } from "../../syscalls/constants/stat.ts";
import { readDirectory, tryMkdirat, tryUnlinkat } from "../../syscalls/directory.ts";
import { OpError } from "../../syscalls/error.ts";
import { hashBytes } from "../../syscalls/hash.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { readWhole } from "../../syscalls/io.ts";
import { CWD, openat, tryOpenat } from "../../syscalls/open.ts";
import { checked, closing } from "../../syscalls/scope.ts";
import { BPF_MAXINSNS } from "../../syscalls/seccomp.ts";
import { fstat, isType, tryStatx } from "../../syscalls/stat.ts";
import { type Fd, failed, type HostPath } from "../../syscalls/types.ts";
import { decodeUtf8, encodeUtf8 } from "../../syscalls/utf8.ts";
import { replaceFile } from "../path/replace_file.ts";
import { SECCOMP_CACHE } from "../state/container_id.ts";

/** Part of each text: to be raised when what is compiled from the same rules changes. */
export const CACHE_FORMAT = 4;

/** A host has a handful of profiles; engines that make one for each container must not fill the state root. */
const MAX_ENTRIES = 64;

/** In bytes. Docker's profile has some 15,000; what is larger than this is compiled each time. */
const MAX_TEXT = 1024 * 1024;
const MAX_PROGRAM = 8 * BPF_MAXINSNS;

/** Header: four numbers of 64 bits, the magic, a hash of all behind it, the lengths of the text and the program. */
const MAGIC = 0x32706d6373746e72n; // "rntscmp2"
const HEADER = 32;
const CHECKED = 16;

/**
 * The program that was kept for this text, or undefined. Another text with the same hash is no error: it has taken
 * this one's place, as this one will take its.
 */
export function readCached(root: HostPath, text: string): Uint8Array | undefined {
  const path = `${root}/${SECCOMP_CACHE}/${nameOf(encodeUtf8(text))}`;
  const fd = tryOpenat(CWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (failed(fd)) return undefined;
  return closing(fd, () => {
    const stat = fstat(fd);
    const { mode, uid, size } = stat;
    const ours = (uid === 0 || uid === geteuid()) && (mode & 0o022) === 0 && isType(stat, S_IFREG);
    const fits = size > HEADER && size <= HEADER + MAX_TEXT + MAX_PROGRAM;
    const bytes = ours && fits ? readWhole(fd, Number(size)) : undefined;
    return bytes === undefined ? undefined : unwrap(bytes, text);
  });
}

/** Keeps a program; a cache that cannot be written is no reason to fail, so the reason is only returned. */
export function writeCached(root: HostPath, text: string, program: Uint8Array): string | undefined {
  const textBytes = encodeUtf8(text);
  if (textBytes.length > MAX_TEXT) return `its rules are longer than ${MAX_TEXT} bytes`;
  try {
    closing(openDirectory(root), (directory) => {
      makeRoom(directory);
      replaceFile(directory, nameOf(textBytes), wrap(textBytes, program), 0o600);
    });
    return undefined;
  } catch (error) {
    if (error instanceof OpError) return error.message;
    throw error;
  }
}

function nameOf(text: Uint8Array): string {
  return hashBytes(text).toString(16).padStart(16, "0").slice(-16);
}

function openDirectory(root: HostPath): Fd {
  const path = `${root}/${SECCOMP_CACHE}`;
  tryMkdirat(CWD, path, 0o700);
  return checked(openat(CWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), (fd) => {
    const { mode, uid } = fstat(fd);
    if ((uid !== 0 && uid !== geteuid()) || (mode & 0o022) !== 0)
      throw OpError.from("open", path, EPERM, "may be written by others");
  });
}

/** The oldest go; a file that another command has removed meanwhile is gone as well. */
function makeRoom(directory: Fd): void {
  const entries = readDirectory(directory);
  if (entries.length < MAX_ENTRIES) return;
  const age = ({ name }: { readonly name: string }): bigint => {
    const stat = tryStatx(directory, name, 0);
    return typeof stat === "number" ? 0n : stat.mtimeSec;
  };
  const byAge = entries.map((entry) => ({ name: entry.name, age: age(entry) }));
  byAge.sort((a, b) => Number(a.age - b.age));
  for (const { name } of byAge.slice(0, entries.length - MAX_ENTRIES / 2)) tryUnlinkat(directory, name);
}

function wrap(text: Uint8Array, program: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + text.length + program.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, MAGIC, true);
  view.setBigUint64(16, BigInt(text.length), true);
  view.setBigUint64(24, BigInt(program.length), true);
  bytes.set(text, HEADER);
  bytes.set(program, HEADER + text.length);
  view.setBigUint64(8, hashBytes(bytes.subarray(CHECKED)), true);
  return bytes;
}

function unwrap(bytes: Uint8Array, text: string): Uint8Array | undefined {
  if (bytes.length < HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const textLength = view.getBigUint64(16, true);
  const programLength = view.getBigUint64(24, true);
  const intact =
    view.getBigUint64(0, true) === MAGIC &&
    BigInt(HEADER) + textLength + programLength === BigInt(bytes.length) &&
    textLength <= MAX_TEXT &&
    programLength > 0n &&
    programLength <= MAX_PROGRAM &&
    programLength % 8n === 0n &&
    // Against damage, not against an attacker: who can write here can write the hash as well.
    view.getBigUint64(8, true) === hashBytes(bytes.subarray(CHECKED));
  if (!intact) return undefined;
  const start = HEADER + Number(textLength);
  // Compared as strings, which is done at native speed. What is no UTF-8 reads as U+FFFD; nothing like that is written.
  return decodeUtf8(bytes.subarray(HEADER, start)) === text ? bytes.slice(start) : undefined;
}
