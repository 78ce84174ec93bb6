/** The clocks of a new time namespace (config-linux.md "Offset for Time Namespace", time_namespaces(7)). */
import type { LinuxTimeOffsets } from "../config/types.ts";

/** What to write to /proc/self/timens_offsets, a line for each clock; "" leaves both as on the host. */
export function planTimeOffsets(offsets: LinuxTimeOffsets = {}): string {
  return (["monotonic", "boottime"] as const)
    .flatMap((clock) => {
      const offset = offsets[clock];
      return offset === undefined ? [] : [`${clock} ${offset.secs ?? 0} ${offset.nanosecs ?? 0}\n`];
    })
    .join("");
}
