// `npm run test:engines [-- --write | -- PATH-SUBSTRING…]`: the engine suites in their long form, with runt and with
// runc, and the table of what passed; `--write`, with all of them, puts it into README.md. Fails unless all pass with
// both.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { engineTable, withTable } from "./engine_table.ts";
import { type Outcome, runFile } from "./test_file.ts";

const top = join(import.meta.dirname, "..");
const folder = join(top, "conformance/engines");
const readme = join(top, "README.md");
const write = process.argv.includes("--write");
const words = process.argv.slice(2).filter((word) => word !== "--write");
if (write && words.length > 0) throw new Error("the table in README.md is of all suites");
const runtimes = { runt: join(top, "dist/runt"), runc: undefined };

async function run(file: string, runtime: keyof typeof runtimes): Promise<Outcome> {
  const { RUNT: _, RUNTIME: __, ...rest } = process.env;
  const path = runtimes[runtime];
  const named = path === undefined ? { RUNTIME: runtime } : { RUNT: path };
  const outcome = await runFile(file, { RUNT_TEST_TIMEOUT: "900", ...rest, ...named, RUNT_ENGINES: "long" });
  console.log(
    `${basename(file)} with ${runtime}: ${outcome.passed} passed, ${outcome.failed} failed (${outcome.seconds.toFixed(1)} s)`,
  );
  for (const skip of outcome.skips) console.log(`  ${skip}`);
  if (outcome.problems.length > 0) console.log(outcome.output.replace(/^/gm, "  | "));
  return outcome;
}

const rows: { file: string; runt: Outcome; runc: Outcome }[] = [];
for (const name of readdirSync(folder)
  .filter((each) => each.endsWith(".test.ts"))
  .sort()) {
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
  const file = join(folder, name);
  rows.push({ file: name, runt: await run(file, "runt"), runc: await run(file, "runc") });
}
const table = engineTable(rows);
console.log(`\n${table}`);
if (write) writeFileSync(readme, withTable(readFileSync(readme, "utf8"), table));

const all = rows.flatMap(({ runt, runc }) => [runt, runc]);
const sum = (count: (outcome: Outcome) => number): number =>
  all.reduce((total, each) => total + count(each), 0);
const failed = sum((outcome) => outcome.failed);
console.log(`${sum((outcome) => outcome.passed)} passed, ${failed} failed`);
process.exitCode = failed === 0 && rows.length > 0 ? 0 : 1;
