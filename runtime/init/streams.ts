/** The standard streams of a program, where they are not the caller's (process/streams.ts). */
import { close, dup3 } from "../../syscalls/file.ts";
import type { Fd } from "../../syscalls/types.ts";

/** A descriptor that is to be one or two standard streams of the program. */
export interface Stream {
  readonly standards: readonly Fd[];
  readonly end: Fd;
}

/** Child: puts them in their places. */
export function useStreams(streams: readonly Stream[]): void {
  for (const { standards, end } of streams) {
    for (const standard of standards) dup3(end, standard, 0);
    close(end);
  }
}
