/** Signal dispositions, the mask, and signals as descriptors. */

import { SFD_CLOEXEC, SFD_NONBLOCK, SIG_BLOCK, SIG_IGN, SIG_SETMASK } from "./constants/signal.ts";
import { call, tryCall, tryCallForFd } from "./syscall.ts";
import type { Failure, Fd } from "./types.ts";

export * from "./constants/signal.ts";

/** The highest signal number (asm-generic/signal.h, _NSIG). */
export const SIGNAL_MAX = 64;

/** One disposition back to SIG_DFL. */
export function defaultSignal(signal: number): void {
  const act = new BigUint64Array(4); // struct sigaction of the kernel, all zero: SIG_DFL
  // EINVAL for the two numbers that libc keeps to itself is impossible here: this is the raw call.
  tryCall("rt_sigaction", [signal, act, null, 8]);
}

/** One disposition to SIG_IGN. */
export function ignoreSignal(signal: number): void {
  tryCall("rt_sigaction", [signal, new BigUint64Array([SIG_IGN, 0n, 0n, 0n]), null, 8]);
}

/** The mask with these signals, as the kernel's sigset_t. */
export function signalMask(signals: readonly number[]): bigint {
  return signals.reduce((mask, signal) => mask | (1n << BigInt(signal - 1)), 0n);
}

/** A mask of all signals (SIGKILL and SIGSTOP are left out by the kernel itself). */
export const ALL_SIGNALS = 0xffffffffffffffffn;

/** rt_sigprocmask(2) SIG_BLOCK: returns the mask before. */
export function blockSignals(mask: bigint): bigint {
  const old = new BigUint64Array(1);
  call("rt_sigprocmask", [SIG_BLOCK, new BigUint64Array([mask]), old, 8], "");
  return old[0] ?? 0n;
}

/** rt_sigprocmask(2) SIG_SETMASK. */
export function setSignalMask(mask: bigint): void {
  call("rt_sigprocmask", [SIG_SETMASK, new BigUint64Array([mask]), null, 8], "");
}

/**
 * signalfd4(2), non-blocking: reads give struct signalfd_siginfo of 128 bytes, the number first. Failure is an answer; what
 * does without it is PendingSignals.
 */
export function trySignalfd(mask: bigint): Fd | Failure {
  return tryCallForFd("signalfd4", [-1, new BigUint64Array([mask]), 8, SFD_CLOEXEC | SFD_NONBLOCK]);
}

/** The next pending signal's number from a signalfd, 0 when there is none. */
export function readSignal(fd: Fd): number {
  const info = new Uint8Array(128);
  const count = tryCall("read", [fd, info, 128]);
  return count === 128 ? new DataView(info.buffer).getUint32(0, true) : 0;
}
