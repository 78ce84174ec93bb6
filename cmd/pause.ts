import { pauseContainer } from "../runtime/lifecycle/pause.ts";
import { command } from "./command.ts";

export const pause = command({
  operands: "<container-id>",
  min: 1,
  max: 1,
  description: `Freezes every process of a container that is created or running, or what is left of one without a pid
namespace of its own whose init process has gone.`,
  options: {},
  run(context, _options, id: string) {
    pauseContainer(context, id);
  },
});
