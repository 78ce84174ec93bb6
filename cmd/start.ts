import { startContainer } from "../runtime/lifecycle/start.ts";
import { command } from "./command.ts";

export const start = command({
  operands: "<container-id>",
  min: 1,
  max: 1,
  description: "Starts the user's program in a container that is in the created state.",
  options: {},
  run(context, _options, id: string) {
    startContainer(context, id);
  },
});
