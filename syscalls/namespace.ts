/** Namespaces and the names kept in them: unshare(2), setns(2), sethostname(2), ioctl_ns(2). */
import { NS_GET_NSTYPE } from "./constants/ioctl.ts";
import { CLONE_NEWNS } from "./constants/sched.ts";
import { cstr } from "./cstring.ts";
import { forgetProc } from "./descriptor_name.ts";
import { call, failure, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";
import { encodeUtf8 } from "./utf8.ts";

export * from "./constants/sched.ts";

/** unshare(2). */
export function unshare(flags: number): void {
  call("unshare", [flags]);
}

/** setns(2) with an nsfs descriptor; `type` is CLONE_NEW*, which the kernel checks. */
export function setns(fd: Fd, type: number, object: string): void {
  const result = trySetns(fd, type);
  if (result < 0) throw failure("setns", [fd, type], -result, object);
}

/** The same, also with a pidfd and several types at once (Linux 5.8); failure is an answer. */
export function trySetns(fd: Fd, types: number): ResultOrErrno {
  const result = tryCall("setns", [fd, types]);
  if (result >= 0 && types & CLONE_NEWNS) forgetProc();
  return result;
}

/** NS_GET_NSTYPE: which CLONE_NEW* a descriptor stands for; fails with ENOTTY on other files. */
export function tryNamespaceType(fd: Fd): ResultOrErrno {
  return tryCall("ioctl", [fd, NS_GET_NSTYPE]);
}

/** sethostname(2). */
export function sethostname(name: string): void {
  const bytes = encodeUtf8(cstr(name));
  call("sethostname", [bytes, bytes.length]);
}

/** setdomainname(2). */
export function setdomainname(name: string): void {
  const bytes = encodeUtf8(cstr(name));
  call("setdomainname", [bytes, bytes.length]);
}
