import { killContainer } from "../runtime/lifecycle/kill.ts";
import { isSignal, parseSignal } from "../runtime/signals.ts";
import { command } from "./command.ts";

/** "-9", "-KILL" and "-SIGKILL" as the option that says so; what is no signal stays. */
function signalOption(word: string): string {
  const name = /^-([A-Za-z0-9][A-Za-z0-9+-]*)$/.exec(word)?.[1];
  return name !== undefined && isSignal(name) ? `--signal=${name}` : word;
}

export const kill = command({
  operands: "<container-id> [signal]",
  min: 1,
  max: 2,
  description: `Sends a signal, SIGTERM by default, to a container's init process. The signal is a number or a name in
any case, with or without SIG: 9, KILL, sigterm, RTMIN+3. As with kill(1), "-9" and "-KILL" name it as well. Without a
pid namespace of the container's own KILL is for all of its processes, also when the init process has gone.`,
  examples: [
    ["kill web", "asks it to end"],
    ["kill web HUP", "another signal"],
    ["kill -9 web", "as kill(1) is told"],
    ["kill --all web 9", "every process, at once"],
  ],
  options: {
    signal: {
      kind: "string",
      short: "s",
      placeholder: "SIGNAL",
      description: "the signal, in place of the second word",
    },
    all: { kind: "boolean", short: "a", description: "send it to all processes of the container" },
  },
  rewrite: (argv) => {
    const end = argv.indexOf("--");
    return argv.map((word, i) => (end >= 0 && i >= end ? word : signalOption(word)));
  },
  run(context, { all, signal: option }, id: string, word = "") {
    if (option && word) throw new Error(`two signals: ${option} and ${word}`);
    // As runc (kill.go): an empty word, such as a script's unset variable, is none.
    killContainer(context, { id, signal: parseSignal(option || word || "SIGTERM"), all });
  },
});
