import { deleteContainer } from "../runtime/lifecycle/delete.ts";
import { command } from "./command.ts";

export const deleteCommand = command({
  operands: "<container-id>",
  min: 1,
  max: 1,
  description: "Deletes what a container that is not running still holds: its cgroup and its state.",
  options: {
    force: {
      kind: "boolean",
      short: "f",
      description: "kill the container first; no error when there is none",
    },
  },
  run(context, { force }, id: string) {
    deleteContainer(context, { id, force });
  },
});
