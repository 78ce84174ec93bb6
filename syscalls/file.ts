/** Files and directories: one function a system call. Descriptors are O_CLOEXEC from birth. */
import { EAGAIN, ENOSYS, EPERM } from "./constants/errno.ts";
import {
  AT_EMPTY_PATH,
  AT_FDCWD,
  AT_REMOVEDIR,
  AT_SYMLINK_NOFOLLOW,
  F_ADD_SEALS,
  F_DUPFD_CLOEXEC,
  F_GET_SEALS,
  F_GETFD,
  F_SETFD,
  FD_CLOEXEC,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  O_CLOEXEC,
  O_RDONLY,
  SPLICE_F_NONBLOCK,
} from "./constants/fcntl.ts";
import { FIONREAD } from "./constants/ioctl.ts";
import { POLLIN, POLLOUT } from "./constants/poll.ts";
import { S_IFMT, ST_RDONLY, STATX_BASIC_STATS, STATX_MNT_ID } from "./constants/stat.ts";
import { cstr, cstrBytes, textOf } from "./cstring.ts";
import { call, type ResultOrErrno, tryCall } from "./door.ts";
import { host } from "./engine/host.ts";
import { OpError } from "./error.ts";
import { Struct } from "./struct.ts";
import type { Fd } from "./types.ts";
import { encodeUtf8 } from "./utf8.ts";

export * from "./constants/fcntl.ts";

// Filled and read within one function, so one of each is enough.
const openHow = new Struct(24);
const statBuffer = new Struct(256);
const statfsBuffer = new Struct(120);

/** The current directory as a directory descriptor. */
export const CWD = AT_FDCWD as Fd;

/** openat(2), always O_CLOEXEC. `mode` is for O_CREAT, before the umask. */
export function openat(dir: Fd, path: string, flags: number, mode = 0): Fd {
  return call("openat", [dir, cstr(path), flags | O_CLOEXEC, mode], describe(dir, path), "open") as Fd;
}

/** openat(2) whose failure is an answer: minus errno. */
export function tryOpenat(dir: Fd, path: string, flags: number, mode = 0): ResultOrErrno {
  return tryCall("openat", [dir, cstr(path), flags | O_CLOEXEC, mode]);
}

/** openat2(2) with struct open_how: `resolve` is RESOLVE_*; failure is an answer. */
export function tryOpenat2(dir: Fd, path: string, flags: number, resolve: number, mode = 0): ResultOrErrno {
  openHow
    .u64(0, flags | O_CLOEXEC)
    .u64(8, mode)
    .u64(16, resolve);
  return tryCall("openat2", [dir, cstr(path), openHow.bytes, 24]);
}

/** close(2); errors are of no use to anyone, the descriptor is gone. */
export function close(fd: Fd): void {
  tryCall("close", [fd]);
}

/** close_range(2) with `flags` (CLOSE_RANGE_CLOEXEC marks instead of closing); failure is an answer. */
export function tryCloseRange(first: number, last: number, flags: number): ResultOrErrno {
  return tryCall("close_range", [first, last, flags]);
}

/** read(2) into `buffer`; 0 at the end. */
export function read(fd: Fd, buffer: Uint8Array): number {
  return call("read", [fd, buffer, buffer.length], `fd ${fd}`);
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
export function write(fd: Fd, bytes: Uint8Array, object = `fd ${fd}`): number {
  return call("write", [fd, bytes, bytes.length], object);
}

/** Writes everything, over short writes and EAGAIN of non-blocking descriptors. */
export function writeAll(fd: Fd, bytes: Uint8Array, object = `fd ${fd}`): void {
  let rest = bytes;
  while (rest.length > 0) {
    const count = tryCall("write", [fd, rest, rest.length]);
    if (count === -EAGAIN) {
      poll([{ fd, events: POLLOUT }], -1);
      continue;
    }
    if (count < 0) throw OpError.from("write", object, -count);
    rest = rest.subarray(count);
  }
}

const chunk = new Uint8Array(64 * 1024);

/** Everything from here to the end of the file, at most `limit` bytes (more is an error to the caller: undefined). */
export function readToEnd(fd: Fd): Uint8Array;
export function readToEnd(fd: Fd, limit: number): Uint8Array | undefined;
export function readToEnd(fd: Fd, limit = Number.POSITIVE_INFINITY): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const count = tryCall("read", [fd, chunk, chunk.length]);
    if (count === -EAGAIN) {
      poll([{ fd, events: POLLIN }], -1);
      continue;
    }
    if (count < 0) throw OpError.from("read", `fd ${fd}`, -count);
    if (count === 0) break;
    total += count;
    if (total > limit) return undefined;
    parts.push(chunk.slice(0, count));
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
  const fd = openat(dir, path, O_RDONLY);
  try {
    const bytes = readToEnd(fd);
    return textOf(bytes, bytes.length);
  } finally {
    close(fd);
  }
}

/** Opens, writes once, closes: what control files of /proc and cgroups want. */
export function writeTextAt(dir: Fd, path: string, flags: number, text: string, mode = 0): void {
  const fd = openat(dir, path, flags, mode);
  try {
    write(fd, encodeUtf8(text), describe(dir, path));
  } finally {
    close(fd);
  }
}

/** readlinkat(2). An empty path reads the link that `dir` itself is open on. */
export function readlinkat(dir: Fd, path: string): string {
  const buffer = new Uint8Array(4096);
  const length = call(
    "readlinkat",
    [dir, cstr(path), buffer, buffer.length],
    describe(dir, path),
    "readlink",
  );
  return textOf(buffer, length);
}

/** readlinkat(2) whose failure is an answer: undefined. */
export function tryReadlinkat(dir: Fd, path: string): string | undefined {
  const buffer = new Uint8Array(4096);
  const length = tryCall("readlinkat", [dir, cstr(path), buffer, buffer.length]);
  return length < 0 ? undefined : textOf(buffer, length);
}

/** The parts of struct statx that this program asks for. */
export interface Stat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly ino: bigint;
  readonly size: bigint;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly mountId: bigint;
  readonly mtimeSec: bigint;
  readonly mtimeNsec: number;
  readonly ctimeSec: bigint;
}

/**
 * statx(2). `flags` takes AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. Where a filter refuses it, fstatat(2) says all but the
 * mount's number, which is 0 then.
 */
export function statx(dir: Fd, path: string, flags: number): Stat {
  const stat = tryStatx(dir, path, flags);
  if (typeof stat === "number") throw OpError.from("stat", describe(dir, path), -stat);
  return stat;
}

/** statx(2) whose failure is an answer: minus errno. */
export function tryStatx(dir: Fd, path: string, flags: number): Stat | ResultOrErrno {
  const name = cstr(path);
  const result = tryCall("statx", [dir, name, flags, STATX_BASIC_STATS | STATX_MNT_ID, statBuffer.bytes]);
  if (result === 0) return decodeStat(statBuffer);
  if (result !== -ENOSYS && result !== -EPERM) return result;
  const other = tryCall("newfstatat", [dir, name, statBuffer.bytes, flags]);
  return other < 0 ? other : decodeOldStat(statBuffer);
}

/** statx(2) of an open descriptor. */
export function fstat(fd: Fd): Stat {
  return statx(fd, "", AT_EMPTY_PATH);
}

function decodeStat(s: Struct): Stat {
  return {
    uid: s.getU32(20),
    gid: s.getU32(24),
    mode: s.getU16(28),
    ino: s.getU64(32),
    size: s.getU64(40),
    ctimeSec: s.getU64(96),
    mtimeSec: s.getU64(112),
    mtimeNsec: s.getU32(120),
    rdevMajor: s.getU32(128),
    rdevMinor: s.getU32(132),
    devMajor: s.getU32(136),
    devMinor: s.getU32(140),
    mountId: s.getU64(144),
  };
}

/** struct stat of asm/stat.h, in which the two architectures differ up to the size. */
function decodeOldStat(s: Struct): Stat {
  const [mode, uid, gid, rdev] = host.architecture === "aarch64" ? [16, 24, 28, 32] : [24, 28, 32, 40];
  const major = (device: bigint): number =>
    Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n));
  const minor = (device: bigint): number => Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n));
  return {
    uid: s.getU32(uid),
    gid: s.getU32(gid),
    mode: s.getU32(mode),
    ino: s.getU64(8),
    size: s.getU64(48),
    ctimeSec: s.getU64(104),
    mtimeSec: s.getU64(88),
    mtimeNsec: s.getU32(96),
    rdevMajor: major(s.getU64(rdev)),
    rdevMinor: minor(s.getU64(rdev)),
    devMajor: major(s.getU64(0)),
    devMinor: minor(s.getU64(0)),
    mountId: 0n,
  };
}

/** True when the mode of a Stat is of this type (S_IFDIR …). */
export function isType(stat: Stat, type: number): boolean {
  return (stat.mode & S_IFMT) === type;
}

/** What fstatfs(2) says of the file system and the mount that a descriptor is on. */
export interface FsInfo {
  /** f_type, see constants/magic.ts. */
  readonly magic: number;
  /** ST_RDONLY: the mount or the file system is read-only. */
  readonly readOnly: boolean;
  /** ST_*, the flags of the mount. */
  readonly flags: number;
}

/** fstatfs(2). */
export function fstatfs(fd: Fd): FsInfo {
  call("fstatfs", [fd, statfsBuffer.bytes], `fd ${fd}`);
  const flags = statfsBuffer.getU32(80);
  return { magic: statfsBuffer.getU32(0), readOnly: (flags & ST_RDONLY) !== 0, flags };
}

/** mkdirat(2); `mode` before the umask. */
export function mkdirat(dir: Fd, path: string, mode: number): void {
  call("mkdirat", [dir, cstr(path), mode], describe(dir, path), "mkdir");
}

/** mkdirat(2) whose failure (EEXIST) is an answer. */
export function tryMkdirat(dir: Fd, path: string, mode: number): ResultOrErrno {
  return tryCall("mkdirat", [dir, cstr(path), mode]);
}

/** unlinkat(2). */
export function unlinkat(dir: Fd, path: string): void {
  call("unlinkat", [dir, cstr(path), 0], describe(dir, path), "unlink");
}

/** unlinkat(2) whose failure is an answer; `flags` takes AT_REMOVEDIR. */
export function tryUnlinkat(dir: Fd, path: string, flags = 0): ResultOrErrno {
  return tryCall("unlinkat", [dir, cstr(path), flags]);
}

/** unlinkat(2) with AT_REMOVEDIR. */
export function rmdirat(dir: Fd, path: string): void {
  call("unlinkat", [dir, cstr(path), AT_REMOVEDIR], describe(dir, path), "rmdir");
}

/** renameat(2). */
export function renameat(fromDir: Fd, from: string, toDir: Fd, to: string): void {
  call("renameat", [fromDir, cstr(from), toDir, cstr(to)], describe(toDir, to), "rename");
}

/** symlinkat(2): makes `path`, a link that says `target`. */
export function trySymlinkat(target: string, dir: Fd, path: string): ResultOrErrno {
  return tryCall("symlinkat", [cstr(target), dir, cstr(path)]);
}

/** mknodat(2) of any type; `mode` holds S_IFCHR and the like, `device` comes from makedev. */
export function mknodat(dir: Fd, path: string, mode: number, device = 0n): void {
  call("mknodat", [dir, cstr(path), mode, device], describe(dir, path), "mknod");
}

/** mknodat(2) whose failure is an answer. */
export function tryMknodat(dir: Fd, path: string, mode: number, device = 0n): ResultOrErrno {
  return tryCall("mknodat", [dir, cstr(path), mode, device]);
}

/** The dev_t of a major and a minor number (linux/kdev_t.h, new_encode_dev). */
export function makedev(major: number, minor: number): bigint {
  return BigInt((minor & 0xff) | ((major & 0xfff) << 8)) | (BigInt(minor & ~0xff) << 12n);
}

/** fchmodat(2); follows links, so hand it a name that was just made in a directory of ours. */
export function fchmodat(dir: Fd, path: string, mode: number): void {
  call("fchmodat", [dir, cstr(path), mode], describe(dir, path), "chmod");
}

/** fchmod(2). */
export function fchmod(fd: Fd, mode: number): void {
  call("fchmod", [fd, mode], `fd ${fd}`);
}

/** fchownat(2) without following links. */
export function lchownat(dir: Fd, path: string, uid: number, gid: number): void {
  call("fchownat", [dir, cstr(path), uid, gid, AT_SYMLINK_NOFOLLOW], describe(dir, path), "chown");
}

/** fchownat(2) of the user alone, without following links; failure is an answer. */
export function tryFchownat(dir: Fd, path: string, uid: number): ResultOrErrno {
  return tryCall("fchownat", [dir, cstr(path), uid, -1, AT_SYMLINK_NOFOLLOW]);
}

/** fchown(2) whose failure is an answer. */
export function tryFchown(fd: Fd, uid: number, gid: number): ResultOrErrno {
  return tryCall("fchown", [fd, uid, gid]);
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
    const count = call("getdents64", [dir, buffer, buffer.length], `fd ${dir}`, "read directory");
    if (count === 0) return entries;
    for (let at = 0; at < count; ) {
      const length = view.getUint16(at + 16, true);
      const name = textOf(buffer.subarray(at + 19, at + length));
      if (name !== "." && name !== "..") entries.push({ name, type: buffer[at + 18] ?? 0 });
      at += length;
    }
  }
}

/** fcntl(2) with a number as argument, failure an answer. */
export function tryFcntl(fd: Fd, command: number, argument = 0): ResultOrErrno {
  return tryCall("fcntl", [fd, command, argument]);
}

/** Makes a descriptor survive execve(2); the opposite of what everything else here does, hence by name. */
export function clearCloexec(fd: Fd): void {
  const flags = call("fcntl", [fd, F_GETFD], `fd ${fd}`);
  call("fcntl", [fd, F_SETFD, flags & ~FD_CLOEXEC], `fd ${fd}`);
}

/** The opposite, for what came through our own execve(2). */
export function setCloexec(fd: Fd): void {
  call("fcntl", [fd, F_SETFD, FD_CLOEXEC], `fd ${fd}`);
}

/** A second descriptor of the same open file, at or above `minimum`. */
export function dupAbove(fd: Fd, minimum: number): Fd {
  return call("fcntl", [fd, F_DUPFD_CLOEXEC, minimum], `fd ${fd}`, "dup") as Fd;
}

/** dup3(2): makes `to` the same open file as `from`; `flags` is 0 or O_CLOEXEC. */
export function dup3(from: Fd, to: Fd, flags: number): void {
  call("dup3", [from, to, flags], `fd ${from} to ${to}`, "dup");
}

/** flock(2); failure (EWOULDBLOCK of LOCK_NB) is an answer. */
export function tryFlock(fd: Fd, operation: number): ResultOrErrno {
  return tryCall("flock", [fd, operation]);
}

/** pipe2(2), O_CLOEXEC: [read end, write end]. */
export function pipe(flags = 0): [Fd, Fd] {
  const fds = new Int32Array(2);
  call("pipe2", [fds, flags | O_CLOEXEC], "");
  return [fds[0] as Fd, fds[1] as Fd];
}

/** memfd_create(2) that can be sealed. */
export function memfdCreate(name: string): Fd {
  return call("memfd_create", [cstr(name), MFD_CLOEXEC | MFD_ALLOW_SEALING], name) as Fd;
}

/** F_ADD_SEALS. */
export function addSeals(fd: Fd, seals: number): void {
  call("fcntl", [fd, F_ADD_SEALS, seals], `fd ${fd}`, "seal");
}

/** F_GET_SEALS; 0 for a file that has none. */
export function getSeals(fd: Fd): number {
  return Math.max(0, tryCall("fcntl", [fd, F_GET_SEALS]));
}

/** sendfile(2): copies within the kernel; 0 at the end of `from`. */
export function sendfile(to: Fd, from: Fd, count: number): number {
  return call("sendfile", [to, from, null, count], `fd ${from}`);
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
  call("ioctl", [pipe, FIONREAD, count], `fd ${pipe}`, "count bytes");
  return count[0] ?? 0;
}

/** lseek(2) to an absolute offset. */
export function seekTo(fd: Fd, offset: number): void {
  call("lseek", [fd, offset, 0], `fd ${fd}`);
}

/** umask(2): sets it and returns the one before. */
export function umask(mask: number): number {
  return call("umask", [mask], "");
}

/** chdir(2). */
export function chdir(path: string): void {
  call("chdir", [cstr(path)], path);
}

/** chdir(2) whose failure is an answer. */
export function tryChdir(path: string): ResultOrErrno {
  return tryCall("chdir", [cstr(path)]);
}

/** fchdir(2). */
export function fchdir(fd: Fd): void {
  call("fchdir", [fd], `fd ${fd}`);
}

/** getcwd(2), the raw call: outside the root it says "(unreachable)/…", which libc would hide. */
export function getcwd(): string {
  const buffer = new Uint8Array(4096);
  const length = call("getcwd", [buffer, buffer.length], "");
  return textOf(buffer, length - 1);
}

/** chroot(2). */
export function chroot(path: string): void {
  call("chroot", [cstr(path)], path);
}

/**
 * faccessat2(2); failure is an answer. Where there is none (before Linux 5.8) faccessat(2) takes no flags and asks for
 * the real ids.
 */
export function tryAccess(dir: Fd, path: string, mode: number, flags: number): ResultOrErrno {
  const name = cstr(path);
  const result = tryCall("faccessat2", [dir, name, mode, flags]);
  return result === -ENOSYS || result === -EPERM ? tryCall("faccessat", [dir, name, mode]) : result;
}

/** What to wait for on a descriptor, and what came. */
export interface PollRequest {
  readonly fd: Fd;
  readonly events: number;
}

/** poll(2) by ppoll; `timeoutMs` < 0 waits for ever. Returns the events of each request, in order. */
export function poll(requests: readonly PollRequest[], timeoutMs: number): number[] {
  // struct pollfd: fd, then in one word of little-endian machines events and revents. Relays live in this function, and
  // a word costs the interpreter less than a field.
  const table = new Int32Array(2 * requests.length);
  for (let i = 0; i < requests.length; i++) {
    const { fd, events } = requests[i] as PollRequest;
    table[2 * i] = fd;
    table[2 * i + 1] = events;
  }
  let timeout: BigInt64Array | null = null;
  if (timeoutMs >= 0) {
    timeout = new BigInt64Array([
      BigInt(Math.floor(timeoutMs / 1000)),
      BigInt(Math.round((timeoutMs % 1000) * 1e6)),
    ]);
  }
  call("ppoll", [table, requests.length, timeout, null, 0], "", "poll");
  const came: number[] = [];
  for (let i = 0; i < requests.length; i++) came.push((table[2 * i + 1] as number) >>> 16);
  return came;
}

function describe(dir: Fd, path: string): string {
  if (dir === CWD || path.startsWith("/")) return path;
  return path === "" ? `fd ${dir}` : `fd ${dir}/${path}`;
}

/** fsetxattr(2) of the SELinux label, which ends with a NUL. */
export function setLabel(fd: Fd, label: string): void {
  const text = cstrBytes(label);
  call("fsetxattr", [fd, cstr("security.selinux"), text, text.length, 0], `fd ${fd}`);
}
