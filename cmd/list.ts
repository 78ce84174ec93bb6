import { stringifyJson } from "../runtime/config/json.ts";
import { listContainers } from "../runtime/lifecycle/list.ts";
import { command } from "./command.ts";
import { formatTable, INVALID_FORMAT, writeStdout } from "./output.ts";

export const list = command({
  operands: "",
  min: 0,
  max: 0,
  description: "Lists the containers below the root that the global option --root names.",
  options: {
    format: {
      kind: "string",
      short: "f",
      placeholder: "table|json",
      default: "table",
      description: "how to print",
    },
    quiet: { kind: "boolean", short: "q", description: "print only container ids" },
  },
  run(context, { format, quiet }) {
    if (format !== "table" && format !== "json") throw new Error(INVALID_FORMAT);
    const containers = listContainers(context);
    if (quiet) writeStdout(containers.map(({ id }) => `${id}\n`).join(""));
    // As runc: an empty list is null, which is what callers in Go decode.
    else if (format === "json")
      writeStdout(`${stringifyJson(containers.length === 0 ? null : containers)}\n`);
    else writeStdout(formatTable([columns, ...containers.map(row)]));
  },
});

const columns = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"];

function row(container: ReturnType<typeof listContainers>[number]): string[] {
  const { id, pid, status, bundle, created, owner } = container;
  return [id, String(pid), status, bundle, created, owner];
}
