import { clearCloexec, dup3, STREAMS } from "../../syscalls/descriptor.ts";
import { close } from "../../syscalls/open.ts";
import { fstat } from "../../syscalls/stat.ts";
import { isNullDevice, wasClosed } from "../self/standard_streams.ts";
import type { Stream } from "./context.ts";

/** Child: puts them in their places. */
export function useStreams(streams: readonly Stream[]): void {
  for (const { standards, end } of streams) {
    for (const standard of standards) dup3(end, standard, 0);
    close(end);
  }
}

/**
 * Child: where the caller had closed a stream, the null device that took its place is for the program as well, whose
 * first file would be its input or output else.
 */
export function keepNullDevice(): void {
  for (const fd of STREAMS) if (wasClosed(fd) && isNullDevice(fstat(fd))) clearCloexec(fd);
}
