/** What `create` and `run` have in common. */
import type { createContainer } from "../runtime/lifecycle/create.ts";
import type { OptionTable, OptionValues } from "./options.ts";
import { absolute, optionalPath } from "./paths.ts";

export const createOptions = {
  bundle: {
    kind: "string",
    short: "b",
    placeholder: "DIR",
    description: "the bundle; the current directory when not given",
  },
  "console-socket": {
    kind: "string",
    placeholder: "PATH",
    description: "unix socket that gets the master of the container's terminal",
  },
  "pidfd-socket": {
    kind: "string",
    placeholder: "PATH",
    description: "unix socket that gets a pidfd of the init process",
  },
  "pid-file": {
    kind: "string",
    placeholder: "PATH",
    description: "file to write the init process's pid to; a descriptor by /dev/fd/N",
  },
  "no-pivot": {
    kind: "boolean",
    description: "move the root filesystem instead of pivot_root (for a root on a ramdisk)",
  },
  "no-new-keyring": { kind: "boolean", description: "keep the caller's session keyring" },
  "preserve-fds": {
    kind: "number",
    placeholder: "N",
    default: 0,
    description: "pass N more file descriptors, after stdio and $LISTEN_FDS",
  },
} as const satisfies OptionTable;

type CreateRequest = Parameters<typeof createContainer>[1];

export function createRequest(id: string, options: OptionValues<typeof createOptions>): CreateRequest {
  return {
    id,
    bundle: absolute(options.bundle || "."),
    ...optionalPath("consoleSocket", options["console-socket"]),
    ...optionalPath("pidfdSocket", options["pidfd-socket"]),
    ...optionalPath("pidFile", options["pid-file"]),
    noPivot: options["no-pivot"],
    noNewKeyring: options["no-new-keyring"],
    preserveFds: options["preserve-fds"],
  };
}
