/** Descriptors that become readable when something happens: eventfd(2) and inotify(7). */

import { EFD_CLOEXEC, EFD_NONBLOCK } from "./constants/eventfd.ts";
import { IN_CLOEXEC, IN_NONBLOCK } from "./constants/inotify.ts";
import { cstr } from "./cstring.ts";
import { callForFd, type ResultOrErrno, tryCall } from "./syscall.ts";
import type { Fd } from "./types.ts";

export * from "./constants/inotify.ts";

/** eventfd2(2), non-blocking, its counter at 0. */
export function eventfd(): Fd {
  return callForFd("eventfd2", [0, EFD_CLOEXEC | EFD_NONBLOCK], "eventfd");
}

/** The counter of an eventfd, which is 0 again from here on. */
export function readCounter(eventfd: Fd): bigint {
  const counter = new BigUint64Array(1);
  return tryCall("read", [eventfd, counter, 8]) === 8 ? (counter[0] ?? 0n) : 0n;
}

/** inotify_init1(2), non-blocking. */
export function inotifyInit(): Fd {
  return callForFd("inotify_init1", [IN_CLOEXEC | IN_NONBLOCK], "inotify");
}

/** inotify_add_watch(2): the watch's number, or minus errno. */
export function tryInotifyAddWatch(inotify: Fd, path: string, mask: number): ResultOrErrno {
  return tryCall("inotify_add_watch", [inotify, cstr(path), mask]);
}

/** Takes what an inotify descriptor has, so that it is readable again only for something new. */
export function drain(inotify: Fd): void {
  const buffer = new Uint8Array(4096);
  while (tryCall("read", [inotify, buffer, buffer.length]) > 0);
}
