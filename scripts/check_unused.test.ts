import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readSources } from "./check_layers.ts";
import { unusedExports } from "./check_unused.ts";

const unused = suite("check_unused");

unused("the tree as it is", () => {
  const sources = readSources(join(import.meta.dirname, ".."));
  assert.ok(sources.size > 150);
  assert.equal(unusedExports(sources), []);
});

unused("finds what only its own file names, in comments and strings of others too", () => {
  const files = {
    "runtime/a.ts": "export function used() {}\nexport const own = 1;\nexport class Gone {}\nused(own);",
    "runtime/b.ts": '// own, Gone\nimport { used } from "./a.ts";\nused("own");',
    "syscalls/constants/a.ts": "export const PR_NAME = 1;",
  };
  assert.equal(unusedExports(new Map(Object.entries(files))), ["runtime/a.ts: own", "runtime/a.ts: Gone"]);
});

unused.run();
