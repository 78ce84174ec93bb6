import { suite } from "uvu";
import * as assert from "uvu/assert";
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
    { file: "a.test.ts", runt: counts(2, 0, [], said), runc: counts(1, 1, ["skip: b: c"], said) },
    { file: "b.test.ts", runt: counts(0, 0, ["skip: c: d"], ""), runc: counts(0, 0, [], "") },
  ];
  const [, , ...lines] = engineTable(rows).split("\n");
  assert.equal(lines, ["| thing 1.2 (by hand) | 2 passed | 1 passed, 1 failed, 1 skipped | `a.test.ts` |"]);
});

table("is put between its marks, again and again", () => {
  const text = "a\n<!-- engines: npm run test:engines -- --write -->\nold\n<!-- /engines -->\nb\n";
  const once = withTable(text, "| new |");
  assert.is(
    once,
    "a\n<!-- engines: npm run test:engines -- --write -->\n\n| new |\n\n<!-- /engines -->\nb\n",
  );
  assert.is(withTable(once, "| new |"), once);
  assert.throws(() => withTable("a\nb\n", ""), "no <!-- engines");
});

table.run();
