/** What brings a control file back to where it was before it was written. */
import type { CgroupWrite } from "./write.ts";

/** The files that a write changes; a cgroup that is made idle, or not, has other shares afterwards. */
export function filesChangedBy({ file, orElse }: CgroupWrite): readonly string[] {
  if (file === "cpu.idle") return ["cpu.shares", "cpu.weight", file];
  return orElse === undefined ? [file] : [file, orElse.file];
}

/**
 * The write that undoes `write` in a file that had this text. Files with a line for each device or interface take one
 * line a write; a line that was not there is replaced by the one that means no limit.
 */
export function restoringWrite(write: CgroupWrite, file: string, text: string): CgroupWrite {
  const { controller, from, retryLast } = write;
  const value = valueBefore(write.value, file, text);
  // The shares of a cgroup that was idle before cannot be written, and need not be.
  const extra = write.file === "cpu.idle" ? { ignoreErrnos: ["EINVAL", "ERANGE"] } : {};
  return { controller, file, value, from, ...(retryLast && { retryLast }), ...extra };
}

function valueBefore(written: string, file: string, text: string): string {
  if (file === "memory.oom_control") return /^oom_kill_disable (\d)/.exec(text)?.[1] ?? "0";
  const [key = "", ...values] = written.split(" ");
  const lines = text.split("\n");
  // cpu.max and the like have two numbers in one line and no key.
  if (values.length > 0 && !/^(max|\d+)$/.test(key)) {
    return lines.find((line) => line.startsWith(`${key} `)) ?? `${key} ${unlimited(file, values)}`;
  }
  return lines[0] ?? "";
}

/** "8:0 rbps=1 riops=2" → "rbps=max riops=max"; v1 throttles have 0 for none, and weights the default. */
function unlimited(file: string, values: readonly string[]): string {
  if (file.includes("throttle") || file.includes("priomap")) return "0";
  return values.map((value) => (value.includes("=") ? value.replace(/=.*/, "=max") : "default")).join(" ");
}
