import { exitGroup } from "../../syscalls/process.ts";
import type { Fd } from "../../syscalls/types.ts";
import { ask, type Request } from "../channel.ts";

/** Asks the parent; when it is gone this process has no reason to go on. */
export function askOrEnd(channel: Fd, request: Request): void {
  if (!ask(channel, request)) exitGroup(1);
}
