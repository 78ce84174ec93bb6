import { containerEvents } from "../runtime/lifecycle/events.ts";
import { command } from "./command.ts";
import { writeStdout } from "./output.ts";

export const events = command({
  operands: "<container-id>",
  min: 1,
  max: 1,
  description: `Prints a JSON object a line for each event of a container: its statistics, at every interval, and each
time that the OOM killer ends one of its processes. Stops when the container's cgroup is removed.`,
  options: {
    interval: {
      kind: "duration",
      placeholder: "DURATION",
      default: "5s",
      description: 'time between two statistics, such as "300ms" or "1m30s"',
    },
    stats: { kind: "boolean", description: "print the statistics once, and nothing else" },
  },
  run(context, { interval, stats }, id: string) {
    containerEvents(context, { id, interval, once: stats }, writeStdout);
  },
});
