/** What the parent hands to every process that becomes a user's program: made before the fork. */
import type { Fd } from "../../syscalls/types.ts";
import type { SeccompFilter } from "../seccomp/filter.ts";
import type { Stream } from "./streams.ts";

export interface ChildContext {
  /** Where the child and the parent talk (channel.ts). */
  readonly channel: Fd;
  /** The container's filter, compiled; every process in it is subject to it. */
  readonly seccomp: SeccompFilter | undefined;
  /** Where the master of the pty goes. */
  readonly consoleSocket: Fd | undefined;
  /** What become its standard streams; the others are the caller's. */
  readonly streams: readonly Stream[];
  /** Descriptors 3 to 2+N are the user's. */
  readonly preservedFds: number;
}
