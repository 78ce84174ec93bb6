import { runContainer } from "../runtime/lifecycle/run.ts";
import { command } from "./command.ts";
import { createOptions, createRequest } from "./create_options.ts";

export const run = command({
  operands: "<container-id>",
  min: 1,
  max: 1,
  description: `Creates and starts a container from a bundle. In the foreground it forwards signals, waits, exits with
the status of the user's program (128 + N when signal N ended it), and deletes the container.`,
  examples: [
    ["run web", "in the foreground, from the bundle in this directory"],
    ["run -d --bundle /srv/web web", "in the background"],
  ],
  options: {
    ...createOptions,
    detach: { kind: "boolean", short: "d", description: "return once the user's program has started" },
    keep: { kind: "boolean", description: "do not delete the container when it has ended" },
    "no-subreaper": { kind: "boolean", description: "do not reap the container's orphaned processes" },
  },
  run(context, options, id: string) {
    return runContainer(context, {
      ...createRequest(id, options),
      detach: options.detach,
      keep: options.keep,
      noSubreaper: options["no-subreaper"],
    });
  },
});
