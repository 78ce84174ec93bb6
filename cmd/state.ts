import { stringifyJson } from "../runtime/config/json.ts";
import { containerState } from "../runtime/lifecycle/state.ts";
import { command } from "./command.ts";
import { writeStdout } from "./output.ts";

export const state = command({
  operands: "<container-id>",
  min: 1,
  max: 1,
  description: "Prints the state of a container as the runtime specification defines it.",
  options: {},
  run(context, _options, id: string) {
    // As runc: two spaces, no newline at the end.
    writeStdout(stringifyJson(containerState(context, id), "  "));
  },
});
