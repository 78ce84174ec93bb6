// `npm run test:engines [-- --write --here --vm PATH-SUBSTRING…]`: the engine suites in their long form, with runt and
// with runc, on this machine and, where they are made for it, in the test machine; `--here` or `--vm` for one of these.
// Prints the table of what passed; `--write` puts its rows into README.md. Fails unless all pass with both.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { parseArgs } from "node:util";
import { cgroupVersion } from "../conformance/needs.ts";
import { type Counts, engineTable, type Row, withTable } from "./engine_table.ts";
import { runFile } from "./test_file.ts";
import { readFiles } from "./test_report.ts";
import { runInTestMachine } from "./vm/tests.ts";

const top = join(import.meta.dirname, "..");
const folder = join(top, "conformance/engines");
const readme = join(top, "README.md");
const flag = { type: "boolean", default: false } as const;
const { values: flags, positionals: words } = parseArgs({
  allowPositionals: true,
  options: { write: flag, here: flag, vm: flag },
});

const { RUNT: _, RUNTIME: __, ...rest } = process.env;
const long = { RUNT_TEST_TIMEOUT: "900", RUNT_VM_SECONDS: "3600", ...rest, RUNT_ENGINES: "long" };
const environments = {
  runt: { ...long, RUNT: join(top, "dist/runt") },
  runc: { ...long, RUNTIME: "runc" },
};

const files = readdirSync(folder)
  .filter(
    (name) => name.endsWith(".test.ts") && (words.length === 0 || words.some((word) => name.includes(word))),
  )
  .sort()
  .map((name) => join(folder, name));
const mark = (file: string): string | undefined => readFileSync(file, "utf8").match(/^\/\/ (vm.*)$/m)?.[1];
const filesHere = flags.vm ? [] : files.filter((file) => mark(file) !== "vm only");
const filesThere = flags.here ? [] : files.filter((file) => mark(file) !== undefined);

async function here(file: string, runtime: keyof typeof environments): Promise<Counts> {
  const outcome = await runFile(file, environments[runtime]);
  console.log(
    `${basename(file)} with ${runtime}: ${outcome.passed} passed, ${outcome.failed} failed (${outcome.seconds.toFixed(1)} s)`,
  );
  for (const skip of outcome.skips) console.log(`  ${skip}`);
  if (outcome.problems.length > 0) console.log(outcome.output.replace(/^/gm, "  | "));
  return outcome;
}

/** In one boot; the counts by file. */
async function there(runtime: keyof typeof environments): Promise<(file: string) => Counts | undefined> {
  const names = filesThere.map((file) => relative(top, file));
  const run = await runInTestMachine(names, "x64", environments[runtime]);
  const reports = readFiles(run.output);
  unreported += run.failed > 0 && reports.every(({ failed }) => failed === 0) ? 1 : 0;
  return (file) => reports.find((report) => report.file === relative(top, file));
}

let unreported = 0;
const rows: Row[] = [];
for (const file of filesHere) {
  const counts = { runt: await here(file, "runt"), runc: await here(file, "runc") };
  rows.push({ file: basename(file), cgroups: cgroupVersion === 1 ? "v1" : "v2", ...counts });
}
if (filesThere.length > 0) {
  const counts = { runt: await there("runt"), runc: await there("runc") };
  for (const file of filesThere) {
    const [runt, runc] = [counts.runt(file), counts.runc(file)];
    if (runt && runc) rows.push({ file: basename(file), cgroups: "v2, by systemd", runt, runc });
  }
}
const table = engineTable(rows);
console.log(`\n${table}`);
if (flags.write) writeFileSync(readme, withTable(readFileSync(readme, "utf8"), table));

const all = rows.flatMap(({ runt, runc }) => [runt, runc]);
const sum = (count: (each: Counts) => number): number => all.reduce((total, each) => total + count(each), 0);
const failed = sum((each) => each.failed) + unreported;
console.log(`${sum((each) => each.passed)} passed, ${failed} failed`);
process.exitCode = failed === 0 && rows.length > 0 ? 0 : 1;
