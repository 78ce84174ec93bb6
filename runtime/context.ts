/** What every operation gets from the command line, as one plain value made once and never changed. */
import type { HostPath } from "../syscalls/types.ts";

export interface RuntimeContext {
  /** Where container state is kept; absolute. */
  readonly root: HostPath;
  /** True when --root named it: a default root that does not exist yet is no error, a given one is. */
  readonly rootGiven?: boolean;
  /** The mode of a root that has to be made. */
  readonly rootMode?: number;
  readonly systemdCgroup: boolean;
  readonly rootless: boolean | "auto";
  warn(message: string): void;
  debugLog(message: string): void;
}
