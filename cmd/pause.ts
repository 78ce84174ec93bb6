import { pauseContainer } from "../runtime/lifecycle/pause.ts";
import { command } from "./command.ts";

export const pause = command({
  operands: "<container-id>",
  min: 1,
  max: 1,
  description: "Freezes every process of a container that is created or running.",
  options: {},
  run(context, _options, id: string) {
    pauseContainer(context, id);
  },
});
