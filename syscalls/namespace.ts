/** Namespaces and the names kept in them: unshare(2), setns(2), sethostname(2), ioctl_ns(2). */
import { NS_GET_NSTYPE } from "./constants/ioctl.ts";
import { CLONE_NEWNS } from "./constants/sched.ts";
import { cstr } from "./cstring.ts";
import { forgetProc } from "./descriptor_name.ts";
import { call, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";
import { encodeUtf8 } from "./utf8.ts";

export * from "./constants/sched.ts";

/** unshare(2). */
export function unshare(flags: number): void {
  call("unshare", [flags]);
}

/** setns(2) with an nsfs descriptor; `type` is CLONE_NEW*, which the kernel checks. */
export function setns(fd: Fd, type: number, object: string): void {
  call("setns", [fd, type], object);
  if (type & CLONE_NEWNS) forgetProc();
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
