/** Session keyrings: keyctl(2). */
import { KEYCTL_DESCRIBE, KEYCTL_JOIN_SESSION_KEYRING, KEYCTL_SETPERM } from "./constants/keyctl.ts";
import { cstr, textOf } from "./cstring.ts";
import { call, type ResultOrErrno, tryCall } from "./syscall.ts";

/** KEYCTL_JOIN_SESSION_KEYRING: its serial number, or minus errno (ENOSYS without CONFIG_KEYS). */
export function tryJoinSessionKeyring(name: string): ResultOrErrno {
  return tryCall("keyctl", [KEYCTL_JOIN_SESSION_KEYRING, cstr(name)]);
}

/** KEYCTL_DESCRIBE: "type;uid;gid;perm;description". */
export function describeKey(serial: number): string {
  const buffer = new Uint8Array(512);
  const length = call("keyctl", [KEYCTL_DESCRIBE, serial, buffer, buffer.length]);
  return textOf(buffer, length - 1);
}

/** KEYCTL_SETPERM. */
export function setKeyPermissions(serial: number, mask: number): void {
  call("keyctl", [KEYCTL_SETPERM, serial, mask]);
}
