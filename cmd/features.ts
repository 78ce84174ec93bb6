import { stringifyJson } from "../runtime/config/json.ts";
import { features as featuresOf } from "../runtime/lifecycle/features.ts";
import { command } from "./command.ts";
import { writeStdout } from "./output.ts";
import { commit, quickjs, version } from "./version.ts";

export const features = command({
  operands: "",
  min: 0,
  max: 0,
  description: `Prints what this build can do, as the features structure of the runtime specification. It says nothing of
what this kernel can do.`,
  options: {},
  run() {
    writeStdout(`${stringifyJson(featuresOf({ version, commit, quickjs }), "    ")}\n`);
  },
});
