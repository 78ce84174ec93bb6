/** What a file is: statx(2), fstatfs(2), faccessat2(2). */

import { ENOSYS, EPERM } from "./constants/errno.ts";
import { AT_EMPTY_PATH } from "./constants/fcntl.ts";
import { S_IFMT, ST_RDONLY, STATX_BASIC_STATS, STATX_MNT_ID } from "./constants/stat.ts";
import { cstr } from "./cstring.ts";
import { pathName } from "./descriptor_name.ts";
import { host } from "./engine/host.ts";
import { OpError } from "./error.ts";
import { Struct } from "./struct.ts";
import { call, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";

// Filled and read within one function, so one of each is enough.
const statBuffer = new Struct(256);
const statfsBuffer = new Struct(120);

/** The parts of struct statx that this program asks for. */
export interface Stat {
  readonly nlink: number;
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
}

/**
 * statx(2). `flags` takes AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. Where a filter refuses it, fstatat(2) says all but the
 * mount's number, which is 0 then.
 */
export function statx(dir: Fd, path: string, flags: number): Stat {
  const stat = tryStatx(dir, path, flags);
  if (typeof stat === "number") throw OpError.from("stat", pathName(dir, path), -stat);
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
    nlink: s.getU32(16),
    uid: s.getU32(20),
    gid: s.getU32(24),
    mode: s.getU16(28),
    ino: s.getU64(32),
    size: s.getU64(40),
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
  const [nlink, mode, uid, gid, rdev] =
    host.architecture === "aarch64" ? [20, 16, 24, 28, 32] : [16, 24, 28, 32, 40];
  const major = (device: bigint): number =>
    Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n));
  const minor = (device: bigint): number => Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n));
  return {
    nlink: s.getU32(nlink),
    uid: s.getU32(uid),
    gid: s.getU32(gid),
    mode: s.getU32(mode),
    ino: s.getU64(8),
    size: s.getU64(48),
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
  call("fstatfs", [fd, statfsBuffer.bytes]);
  const flags = statfsBuffer.getU32(80);
  return { magic: statfsBuffer.getU32(0), readOnly: (flags & ST_RDONLY) !== 0, flags };
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
