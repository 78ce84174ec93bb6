import { resumeContainer } from "../runtime/lifecycle/pause.ts";
import { command } from "./command.ts";

export const resume = command({
  operands: "<container-id>",
  min: 1,
  max: 1,
  description: "Lets the processes of a paused container go on.",
  options: {},
  run(context, _options, id: string) {
    resumeContainer(context, id);
  },
});
