import { suite } from "uvu";
import * as assert from "uvu/assert";
import { instrument } from "./instrument.ts";

const tests = suite("instrumenting a bundle");

const body = "  one();\n  two();\n  three();\n}";

tests("functions of ours are marked, of packages and of a few lines not", () => {
  const own = `// runtime/a.ts\nfunction long(a, b) {\n${body}\nfunction brief() {\n  one();\n}`;
  const others = `// node_modules/a/b.mjs\nfunction other() {\n${body}`;
  const { program, names } = instrument(`${own}\n${others}`);
  assert.equal(names, ["", "long (runtime/a.ts)"]);
  assert.match(program, "function long(a, b) { $mark(2); try {\n");
  assert.match(program, "  three();\n} finally { $mark(3); } }\nfunction brief() {\n");
});

tests("methods and functions in variables, and no statements", () => {
  const method = "  look(at) {\n    if (at) {\n      a();\n      b();\n      c();\n    }\n  }";
  const { names } = instrument(`// cmd/a.ts\nclass A {\n${method}\n}\nvar f = (x) => {\n${body};`);
  assert.equal(names, ["", "look (cmd/a.ts)", "f (cmd/a.ts)"]);
});

tests.run();
