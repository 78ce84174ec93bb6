import { exampleSpec } from "../runtime/config/example.ts";
import { stringifyJson } from "../runtime/config/json.ts";
import { onlyCgroup2 } from "../runtime/host/cgroup_layout.ts";
import { createFile, getegid, geteuid } from "../runtime/self/command.ts";
import { command } from "./command.ts";
import { absolute } from "./paths.ts";

export const spec = command({
  operands: "",
  min: 0,
  max: 0,
  description: `Writes an example config.json that runs "sh" in the directory rootfs. A file that is there is left alone.`,
  options: {
    bundle: {
      kind: "string",
      short: "b",
      placeholder: "DIR",
      description: "where to write it; the current directory when not given",
    },
    rootless: { kind: "boolean", description: "make it usable without root privileges" },
  },
  run(_context, { bundle, rootless }) {
    const path = absolute(`${bundle || "."}/config.json`);
    const example = exampleSpec({ rootless, euid: geteuid(), egid: getegid(), cgroup2: onlyCgroup2() });
    if (!createFile(path, stringifyJson(example, "\t")))
      throw new Error("File config.json exists. Remove it first");
  },
});
