// Finds every *.test.ts, runs each as its own process, and believes only what adds up: uvu ends with exit 0
// when a hook throws, when a suite is never run, and when `.only` hides the rest.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { type Outcome, runFile } from "./test_file.ts";

const top = join(import.meta.dirname, "..");
const folders = ["cmd", "runtime", "syscalls", "scripts", "conformance"];
const parallel = 2;

function findTests(folder: string): string[] {
  try {
    return readdirSync(join(top, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts") && !name.includes("node_modules"))
      .map((name) => join(top, folder, name))
      .sort();
  } catch {
    return []; // a folder that does not exist yet
  }
}

function print(outcome: Outcome): void {
  const name = relative(top, outcome.file);
  const mark = outcome.problems.length === 0 ? "ok  " : "FAIL";
  const skipped = outcome.skips.length > 0 ? `, ${outcome.skips.length} skipped` : "";
  console.log(`${mark} ${name}: ${outcome.passed} passed${skipped} (${outcome.seconds.toFixed(1)} s)`);
  for (const skip of outcome.skips) console.log(`       ${skip}`);
  for (const problem of outcome.problems) console.log(`     ! ${problem}`);
  if (outcome.problems.length > 0) console.log(outcome.output.replace(/^/gm, "     | "));
}

async function runAll(files: readonly string[], width: number): Promise<Outcome[]> {
  const queue = [...files];
  const outcomes: Outcome[] = [];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const outcome = await runFile(file);
      print(outcome);
      outcomes.push(outcome);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return outcomes;
}

const wanted = process.argv.slice(2);
const files = folders
  .flatMap(findTests)
  .filter((file) => wanted.length === 0 || wanted.some((part) => relative(top, file).includes(part)));
const isSerial = (file: string): boolean => /^\/\/ serial$/m.test(readFileSync(file, "utf8"));
const serial = files.filter(isSerial);
const outcomes = [
  ...(await runAll(
    files.filter((file) => !serial.includes(file)),
    parallel,
  )),
  ...(await runAll(serial, 1)),
];

// `.only` would make the rest of its file invisible.
const only = files.filter((file) => /^\s*\w+\.only\(/m.test(readFileSync(file, "utf8")));
for (const file of only) console.log(`FAIL ${relative(top, file)}: has a test marked .only`);

const sum = (count: (outcome: Outcome) => number): number =>
  outcomes.reduce((total, outcome) => total + count(outcome), 0);
const failed = sum((outcome) => outcome.failed) + only.length + (outcomes.length === 0 ? 1 : 0);
const skipped = sum((outcome) => outcome.skips.length);
console.log(
  `${sum((outcome) => outcome.passed)} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
);
process.exitCode = failed === 0 ? 0 : 1;
