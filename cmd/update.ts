import { readDocument, updateContainer } from "../runtime/lifecycle/update.ts";
import { command } from "./command.ts";
import { absolute } from "./paths.ts";
import { documentOf, updateOptions } from "./update_options.ts";

export const update = command({
  operands: "<container-id>",
  min: 1,
  max: 1,
  description: `Changes limits of a container; those that are not named stay as they are. A SIZE is in bytes, or in
powers of 1024 with k, m, g, t or p behind it; -1 is no limit. With --resources the other limits are ignored, except
for the two schemas.`,
  options: updateOptions,
  run(context, options, id: string) {
    const { resources: file = "" } = options;
    updateContainer(context, {
      id,
      resources: () =>
        file === "" ? documentOf(options) : readDocument(file === "-" ? file : absolute(file)),
      l3CacheSchema: options["l3-cache-schema"] ?? "",
      memBwSchema: options["mem-bw-schema"] ?? "",
    });
  },
});
