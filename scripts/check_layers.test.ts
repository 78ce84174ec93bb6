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
    "bun:ffi",
    "runtime/state/a.ts",
    'import { ptr } from "bun:ffi";',
    "runtime/state/a.ts:1: only syscalls/ may import bun:ffi",
  ],
  [
    "node:",
    "syscalls/a.ts",
    'import {\n  join,\n} from "node:path";',
    "syscalls/a.ts:1: node:path: what is shipped does without the engine's modules",
  ],
  [
    "a package before it is needed",
    "cmd/help.ts",
    'import yargs from "yargs";',
    "cmd/help.ts:1: yargs is for people: to be loaded late, by import()",
  ],
  [
    "help before it is needed",
    "cmd/a.ts",
    'import { showHelp } from "./help.ts";',
    "cmd/a.ts:1: ./help.ts is for people: to be loaded late, by import()",
  ],
  [
    "the order inside runtime/",
    "runtime/process/a.ts",
    'import { a } from "../lifecycle/a.ts";',
    "runtime/process/a.ts:1: upward: runtime/process/a.ts must not import runtime/lifecycle/a.ts",
  ],
  [
    "a folder without a place",
    "runtime/news/a.ts",
    'import { a } from "../errors.ts";',
    "runtime/news/a.ts:1: runtime/news/a.ts has no place in the order of check_layers.ts",
  ],
  [
    "the fence around init/",
    "runtime/init/a.ts",
    'import { a } from "../state/store.ts";',
    "runtime/init/a.ts:1: init/ imports init, path, plan, process/fork.ts, seccomp, lsm, errors.ts, hooks.ts and types, not runtime/state/store.ts",
  ],
  [
    "await",
    "runtime/init/a.ts",
    "async function f() {\n  await g();\n}",
    "runtime/init/a.ts:2: await is out of bounds in a forked child",
  ],
  [
    "Date",
    "runtime/hooks.ts",
    "const now = new Date();",
    "runtime/hooks.ts:1: Date is out of bounds in a forked child",
  ],
  ["Intl", "runtime/path/a.ts", "Intl.x;", "runtime/path/a.ts:1: Intl is out of bounds in a forked child"],
  [
    "console",
    "runtime/path/a.ts",
    "console.log();",
    "runtime/path/a.ts:1: console is out of bounds in a forked child",
  ],
  [
    "the engine's streams",
    "runtime/init/a.ts",
    "process.stderr.write(x);",
    "runtime/init/a.ts:1: process.stdout, stderr and stdin is out of bounds in a forked child",
  ],
  [
    "a dynamic import inside a template",
    "runtime/init/a.ts",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program
    'const a = `${import("./b.ts")}`;',
    "runtime/init/a.ts:1: a dynamic import is out of bounds in a forked child",
  ],
] as const)
  layers(`refuses: ${title}`, () => assert.equal(found({ [file]: text }), [expected]));

for (const [title, file, text] of [
  ["downward", "cmd/a.ts", 'import { a } from "../runtime/errors.ts";'],
  [
    "a package, late",
    "cmd/help.ts",
    'import type { Argv } from "yargs";\nconst yargs = await import("yargs");',
  ],
  ["help, late", "cmd/a.ts", 'await import("./help.ts");'],
  ["package.json", "cmd/version.ts", 'import { version } from "../package.json";'],
  [
    "a type from higher up, of a types.ts",
    "runtime/init/a.ts",
    'import type { A } from "../cgroup/types.ts";',
  ],
  [
    "words in comments, strings and names",
    "runtime/init/a.ts",
    '// await console.log(new Date())\n/* Intl */ const a = "process.stdout"; x.console.y; lastDate; a.Date;',
  ],
  ["a test beside its file", "runtime/init/a.test.ts", 'import { b } from "node:fs";\nawait console.log();'],
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
