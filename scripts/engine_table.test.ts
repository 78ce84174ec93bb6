import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../syscalls/testing/saying.ts";
import { engineTable, withTable } from "./engine_table.ts";

const table = suite("engine table");

const counts = (passed: number, failed: number, skips: readonly string[], output: string) => ({
  passed,
  failed,
  skips,
  output,
});

table("a row for each suite that says its engine, with what passed", () => {
  const said = " a  engine: thing 1.2 (by hand), runtime /x/runt\n• •\n";
  const rows = [
    {
      file: "a.test.ts",
      cgroups: "moon",
      runt: counts(2, 0, [], said),
      runc: counts(1, 1, ["skip: b: c"], said),
    },
    {
      file: "b.test.ts",
      cgroups: "moon",
      runt: counts(0, 0, ["skip: c: d"], ""),
      runc: counts(0, 0, [], ""),
    },
  ];
  const [, , ...lines] = engineTable(rows).split("\n");
  assert.equal(lines, [
    "| thing 1.2 (by hand) | moon | 2 passed | 1 passed, 1 failed, 1 skipped | `a.test.ts` |",
  ]);
});

table("is put between its marks, in place of the rows of the same suites with the same cgroups", () => {
  const mark = "<!-- engines: npm run test:engines -- --write -->";
  const text = `a\n${mark}\nold\n<!-- /engines -->\nb\n`;
  const [first, second] = engineTable([]).split("\n");
  const row = (engine: string, machine: string, file: string) =>
    `| ${engine} | ${machine} | 1 passed | 1 passed | ${file} |`;
  const with_ = (...rows: string[]) =>
    `a\n${mark}\n\n${[first, second, ...rows].join("\n")}\n\n<!-- /engines -->\nb\n`;
  const [one, two, there] = [row("x 1", "m", "one"), row("x 1", "m", "two"), row("x 1", "n", "one")];
  const once = withTable(text, [first, second, there, two].join("\n"));
  assert.is(once, with_(two, there));
  assert.is(withTable(once, one), with_(one, two, there));
  assert.is(withTable(once, row("x 2", "m", "two")), with_(row("x 2", "m", "two"), there));
  assert.throws(() => withTable("a\nb\n", ""), saying("no <!-- engines"));
});

table.run();
