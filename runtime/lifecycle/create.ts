/** create (runtime.md "Create"): everything but the user's program, which waits for start. */
import { close } from "../../syscalls/open.ts";
import { go } from "../channel.ts";
import type { RuntimeContext } from "../context.ts";
import { destroy } from "./delete.ts";
import { launch } from "./launch.ts";
import type { CreateRequest } from "./prepare.ts";
import { openConsoleSocket, prepare } from "./prepare.ts";

/** Makes the container; when this returns its init process waits to be started. */
export function createContainer(context: RuntimeContext, asked: CreateRequest): void {
  const { request, spec } = prepare(context, asked);
  const consoleSocket = openConsoleSocket(spec.process.terminal ?? false, request.consoleSocket, true);
  const { channel, dir, state } = launch(context, request, spec, {
    waitForStart: true,
    consoleSocket,
    streams: [],
  });
  try {
    go(channel);
  } catch (error) {
    destroy(context, dir, state);
    throw error;
  }
  close(channel);
}
