/**
 * Signals that are ignored stay so over an execve (signal(7)): those that the caller ignores, and those that this program
 * does. A program that it starts gets them all back at their default. Which they are is looked up once, as asking the
 * kernel to reset each of 64 takes a child longer than all else that it does for its signals.
 */
import { ALL_SIGNALS, defaultSignal, SIGNAL_MAX } from "../../syscalls/signal.ts";
import { readIgnoredSignals } from "../proc/status.ts";

let ignored: readonly number[] | undefined;

/** SigIgn of proc_pid_status(5): to be called where /proc is the host's. */
export function lookUpIgnoredSignals(): readonly number[] {
  const mask = readIgnoredSignals() ?? ALL_SIGNALS;
  ignored = Array.from({ length: SIGNAL_MAX }, (_, i) => i + 1).filter(
    (signal) => (mask >> BigInt(signal - 1)) & 1n,
  );
  return ignored;
}

/** Each of them to its default. Nothing else is ever ignored here, and execve resets what is handled. */
export function resetIgnoredSignals(): void {
  for (const signal of ignored ?? lookUpIgnoredSignals()) defaultSignal(signal);
}
