import { killContainer } from "../runtime/lifecycle/kill.ts";
import { parseSignal } from "../runtime/signals.ts";
import { command } from "./command.ts";

export const kill = command({
  operands: "<container-id> [signal]",
  min: 1,
  max: 2,
  description: `Sends a signal, SIGTERM by default, to a container's init process. The signal is a number or a name in
any case, with or without SIG: 9, KILL, sigterm, RTMIN+3.`,
  examples: [
    ["kill web", "asks it to end"],
    ["kill web HUP", "another signal"],
    ["kill --all web 9", "every process, at once"],
  ],
  options: {
    all: { kind: "boolean", short: "a", description: "send it to all processes of the container" },
  },
  run(context, { all }, id: string, signal = "") {
    // As runc: an empty word, such as a script's unset variable, is none.
    killContainer(context, { id, signal: parseSignal(signal || "SIGTERM"), all });
  },
});
