/** User and group ids (credentials(7)). The raw calls change this thread only, which is the only one. */
import { call, type ResultOrErrno, tryCall } from "./syscall.ts";

/** geteuid(2). */
export function geteuid(): number {
  return call("geteuid", []);
}

/** getegid(2). */
export function getegid(): number {
  return call("getegid", []);
}

/** setresuid(2), all three the same. */
export function setAllUids(uid: number): void {
  call("setresuid", [uid, uid, uid]);
}

/** setresgid(2), all three the same. */
export function setAllGids(gid: number): void {
  call("setresgid", [gid, gid, gid]);
}

/** setgroups(2). */
export function setgroups(gids: readonly number[]): void {
  call("setgroups", [gids.length, Uint32Array.from(gids)]);
}

/** setgroups(2) to none; failure (EPERM: no right to, or denied in this user namespace) is an answer. */
export function tryDropGroups(): ResultOrErrno {
  return tryCall("setgroups", [0, null]);
}
