import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkLayers, describe, maskText, readSources } from "./check_layers.ts";

const layers = suite("check_layers");

const found = (files: Readonly<Record<string, string>>): string[] =>
  checkLayers(new Map(Object.entries(files))).map(describe);

layers("the tree as it is", () => {
  const sources = readSources(join(import.meta.dirname, ".."));
  assert.ok(sources.size > 150);
  assert.equal(checkLayers(sources).map(describe), []);
});

for (const [title, file, text, expected] of [
  [
    "upward",
    "runtime/errors.ts",
    '\nimport { a } from "../cmd/a.ts";',
    "runtime/errors.ts:2: upward: runtime/ must not import cmd/a.ts",
  ],
  [
    "upward from the bottom, by a re-export",
    "syscalls/a.ts",
    'export * from "../runtime/errors.ts";',
    "syscalls/a.ts:1: upward: syscalls/ must not import runtime/errors.ts",
  ],
  [
    "past a layer",
    "cmd/a.ts",
    'import type { Fd } from "../syscalls/types.ts";',
    "cmd/a.ts:1: cmd/ knows runtime/ only, never syscalls/types.ts",
  ],
  [
    "into the tests",
    "cmd/a.ts",
    'import "../conformance/spec.ts";',
    "cmd/a.ts:1: cmd/ must not import conformance/spec.ts",
  ],
  [
    "the primitives above syscalls/",
    "runtime/state/a.ts",
    'import { host } from "../../syscalls/engine/host.ts";',
    "runtime/state/a.ts:1: only syscalls/ may use the engine's primitives",
  ],
  [
    "a module of another platform",
    "syscalls/a.ts",
    'import {\n  join,\n} from "node:path";',
    "syscalls/a.ts:1: node:path: what is shipped has no package but yargs in cmd/ and pbf in runtime/criu/, and no module of another platform",
  ],
  [
    "a module of another platform in a unit test",
    "runtime/init/a.test.ts",
    'import { b } from "node:fs";',
    "runtime/init/a.test.ts:1: node:fs: unit tests run in the engine that ships",
  ],
  [
    "the tests' kit in what is shipped",
    "runtime/hooks/run.ts",
    'import { b } from "../../syscalls/testing/files.ts";',
    "runtime/hooks/run.ts:1: only tests may import syscalls/testing/",
  ],
  [
    "a package below cmd/",
    "runtime/hooks/run.ts",
    'import yargs from "yargs";',
    "runtime/hooks/run.ts:1: yargs: what is shipped has no package but yargs in cmd/ and pbf in runtime/criu/, and no module of another platform",
  ],
  [
    "the order inside runtime/",
    "runtime/parent/a.ts",
    'import { a } from "../lifecycle/a.ts";',
    "runtime/parent/a.ts:1: upward: runtime/parent/a.ts must not import runtime/lifecycle/a.ts",
  ],
  [
    "a folder without a place",
    "runtime/news/a.ts",
    'import { a } from "../errors.ts";',
    "runtime/news/a.ts:1: runtime/news/a.ts has no place in the order of check_layers.ts",
  ],
  [
    "an arrow up, from one room of runtime/ to the next",
    "runtime/plan/a.ts",
    'import { a } from "../host/a.ts";',
    "runtime/plan/a.ts:1: upward: runtime/plan/a.ts must not import runtime/host/a.ts",
  ],
  [
    "an arrow up for a type, whatever its file is called",
    "runtime/plan/cgroup/a.ts",
    'import type { A } from "../../cgroup/types.ts";',
    "runtime/plan/cgroup/a.ts:1: upward: runtime/plan/cgroup/a.ts must not import runtime/cgroup/types.ts",
  ],
  [
    "an arrow up to a file at the top of runtime/",
    "runtime/self/a.ts",
    'import { a } from "../channel.ts";',
    "runtime/self/a.ts:1: upward: runtime/self/a.ts must not import runtime/channel.ts",
  ],
  [
    "a neighbour on the same line",
    "runtime/hooks/a.ts",
    'import { a } from "../seccomp/a.ts";',
    "runtime/hooks/a.ts:1: to a neighbour: runtime/hooks/a.ts must not import runtime/seccomp/a.ts",
  ],
  [
    "the host's rooms in the container",
    "runtime/init/a.ts",
    'import { a } from "../state/store.ts";',
    "runtime/init/a.ts:1: init/ runs in the container, and must not import runtime/state/store.ts",
  ],
  [
    "a function of the init process in its parent",
    "runtime/parent/a.ts",
    'import { a } from "../init/a.ts";',
    "runtime/parent/a.ts:1: init/ is entered by runtime/init/container_init.ts and runtime/init/setns_init.ts alone, not by runtime/init/a.ts",
  ],
  [
    "a plan that opens something",
    "runtime/plan/cgroup/a.ts",
    'import { openat } from "../../../syscalls/open.ts";',
    "runtime/plan/cgroup/a.ts:1: plan/ touches nothing, and must not import syscalls/open.ts",
  ],
  ["await", "cmd/a.ts", "\nconst a = await g();", "cmd/a.ts:2: await and async: the product does without"],
  ["async", "cmd/a.ts", "const a = async () => {};", "cmd/a.ts:1: await and async: the product does without"],
  [
    "a promise",
    "runtime/hooks/run.ts",
    "new Promise(() => {});",
    "runtime/hooks/run.ts:1: a promise or a timer: the product does without",
  ],
  [
    "the clock",
    "runtime/hooks/run.ts",
    "const now = new Date();",
    "runtime/hooks/run.ts:1: the engine's clock: the product does without",
  ],
  [
    "the clock, by its other name",
    "syscalls/a.ts",
    "const now = Date.now();",
    "syscalls/a.ts:1: the engine's clock: the product does without",
  ],
  ["Intl", "runtime/path/a.ts", "Intl.x;", "runtime/path/a.ts:1: Intl and eval: the product does without"],
  ["console", "syscalls/a.ts", "console.log();", "syscalls/a.ts:1: console: the product does without"],
  [
    "a dynamic import inside a template",
    "runtime/init/a.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program
    'const a = `${import("./b.ts")}`;',
    "runtime/init/a.ts:1: a dynamic import: the product does without",
  ],
] as const)
  layers(`refuses: ${title}`, () => assert.equal(found({ [file]: text }), [expected]));

for (const [title, file, text] of [
  ["downward", "cmd/a.ts", 'import { a } from "../runtime/errors.ts";'],
  ["yargs in cmd/", "cmd/help.ts", 'import yargs, { type Argv } from "yargs";'],
  ["pbf in runtime/criu/", "runtime/criu/message.ts", 'import { PbfReader } from "pbf";'],
  ["a time that is given", "runtime/hooks/run.ts", "new Date(0).toISOString();"],
  ["package.json", "cmd/version.ts", 'import { version } from "../package.json";'],
  [
    "numbers, errors and types of the kernel in a plan",
    "runtime/plan/a.ts",
    'import { EPERM } from "../../syscalls/constants/errno.ts";\nimport { OpError } from "../../syscalls/error.ts";\nimport type { Rlimit } from "../../syscalls/resource.ts";',
  ],
  ["the entry of init/", "runtime/lifecycle/a.ts", 'import { a } from "../init/setns_init.ts";'],
  ["a type of init/", "runtime/parent/a.ts", 'import type { A } from "../init/a.ts";'],
  ["down, past rooms", "runtime/lifecycle/a.ts", 'import type { A } from "../path/a.ts";'],
  [
    "words in comments, strings and names",
    "runtime/init/a.ts",
    '// await console.log(new Date())\n/* Intl */ const a = "process.stdout"; x.console.y; lastDate; a.Date;',
  ],
  [
    "a test beside its file",
    "runtime/init/a.test.ts",
    'import { b } from "../../syscalls/testing/files.ts";\nawait console.log();',
  ],
] as const)
  layers(`accepts: ${title}`, () => assert.equal(found({ [file]: text }), []));

layers("a circle through two folders, but not within one, nor through types", () => {
  assert.equal(
    found({
      "conformance/a.ts": 'import "../scripts/b.ts";',
      "scripts/b.ts": 'import { c } from "./c.ts";',
      "scripts/c.ts": 'import { a } from "../conformance/a.ts";',
    }),
    ["scripts/c.ts:1: circular import: conformance/a.ts → scripts/b.ts → scripts/c.ts → conformance/a.ts"],
  );
  assert.equal(
    found({ "scripts/b.ts": 'import { c } from "./c.ts";', "scripts/c.ts": 'import { b } from "./b.ts";' }),
    [],
  );
  assert.equal(
    found({
      "conformance/a.ts": 'import type { B } from "../scripts/b.ts";',
      "scripts/b.ts": 'import { type X, a } from "../conformance/a.ts";',
    }),
    [],
  );
});

layers("what is masked keeps its place", () => {
  assert.is(maskText('a("x // y"); // "z"\nb'), 'a("      ");       \nb');
  assert.is(maskText('/["]/.test(a); "b"'), '     .test(a); " "');
  assert.is(maskText('x = /["]/g; "b"'), 'x =      g; " "');
  assert.is(maskText("a / b / c"), "a / b / c");
});

layers.run();
