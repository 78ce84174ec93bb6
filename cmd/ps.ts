import { containerPids, processTable } from "../runtime/lifecycle/ps.ts";
import { command } from "./command.ts";
import { INVALID_FORMAT, writeStdout } from "./output.ts";

export const ps = command({
  operands: "<container-id> [ps options]",
  min: 1,
  max: Number.POSITIVE_INFINITY,
  flagsFirst: true,
  description: `Lists the processes of a container. As a table it is what ps(1) prints with the given options, -ef by
default, less the processes of others; a PID column must be among what they print.`,
  examples: [
    ["ps web", "as by ps -ef"],
    ["ps web -o pid,rss,args", "other columns"],
    ["ps -f json web", "the pids alone"],
  ],
  options: {
    format: {
      kind: "string",
      short: "f",
      placeholder: "table|json",
      default: "table",
      description: "how to print",
    },
  },
  run(context, { format }, id: string, ...options: string[]) {
    // As runc: an empty list is null, which is what callers in Go decode.
    if (format === "json")
      writeStdout(`${JSON.stringify(containerPids(context, id)).replace("[]", "null")}\n`);
    else if (format === "table") writeStdout(processTable(context, id, options));
    else throw new Error(INVALID_FORMAT);
  },
});
