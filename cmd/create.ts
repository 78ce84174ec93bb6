import { createContainer } from "../runtime/lifecycle/create.ts";
import { command } from "./command.ts";
import { createOptions, createRequest } from "./create_options.ts";

export const create = command({
  operands: "<container-id>",
  min: 1,
  max: 1,
  description: `Creates a container from a bundle: a directory with a config.json and a root filesystem.
The user's program does not run before "start".`,
  examples: [["create --bundle /srv/web --pid-file web.pid web", "then: start web"]],
  options: createOptions,
  run(context, options, id: string) {
    createContainer(context, createRequest(id, options));
  },
});
