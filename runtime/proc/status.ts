/** /proc/<pid>/status (proc_pid_status(5)). */
import { readTextAt } from "../../syscalls/io.ts";
import { CWD } from "../../syscalls/open.ts";

/** The signals that this process ignores, bit n - 1 for signal n; undefined where the kernel does not say. */
export function readIgnoredSignals(): bigint | undefined {
  const mask = fieldOf(readTextAt(CWD, "/proc/self/status"), "SigIgn");
  return mask === undefined ? undefined : BigInt(`0x${mask}`);
}

/** The value of a field in the text of such a file. */
export function fieldOf(text: string, name: string): string | undefined {
  const line = text.split("\n").find((each) => each.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}
