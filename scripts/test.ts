// Finds every *.test.ts, runs each as its own process, unit tests on the engine that ships (unit.ts) and others on Bun,
// and believes only what adds up: uvu ends with exit 0 when a hook throws, when a suite is never run, and when `.only`
// hides the rest.
//
//   test.ts              all: here, and those marked for it in the test machine (scripts/vm)
//   test.ts PATH…        here, the files with one of these in their path
//   test.ts --vm         those marked for it, in the test machine
//   test.ts --vm PATH…   in the test machine, the files with one of these in their path, marked or not
//   test.ts --arm64 […]  in the test machine of arm64, likewise
//
// A line in the file marks it: `// vm`, here and in the test machine; `// vm only`, nowhere but there; `// arm64`, in
// that of arm64 when it is asked for; `// serial`, with no other beside it, and `// vm serial`, the same but only in a
// test machine. `--inside` is for these, where files run whatever their marks.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { type Outcome, runFile } from "./test_file.ts";
import { type Totals, totalsLine } from "./test_report.ts";
import { bundleUnitTest, isUnitTest, makeUnitHost } from "./unit.ts";
import { runInTestMachine } from "./vm/tests.ts";

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
  const failed = outcome.failed > 0 ? `, ${outcome.failed} failed` : "";
  console.log(
    `${mark} ${name}: ${outcome.passed} passed${failed}${skipped} (${outcome.seconds.toFixed(1)} s)`,
  );
  for (const [said] of outcome.output.matchAll(/engine: .*, runtime .*$/gm)) console.log(`       ${said}`);
  for (const skip of outcome.skips) console.log(`       ${skip}`);
  for (const problem of outcome.problems) console.log(`     ! ${problem}`);
  if (outcome.problems.length > 0) console.log(outcome.output.replace(/^/gm, "     | "));
}

async function runAll(files: readonly string[], width: number): Promise<Outcome[]> {
  const queue = [...files];
  const outcomes: Outcome[] = [];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      if (isUnitTest(file) && !flags.inside) await bundleUnitTest(file);
      const outcome = await runFile(file);
      print(outcome);
      outcomes.push(outcome);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return outcomes;
}

const { values: flags, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    vm: { type: "boolean", default: false },
    arm64: { type: "boolean", default: false },
    inside: { type: "boolean", default: false },
  },
});
const files = folders
  .flatMap(findTests)
  .filter((file) => wanted.length === 0 || wanted.some((part) => relative(top, file).includes(part)));
const marked = (...marks: readonly string[]): string[] =>
  files.filter((file) => marks.some((mark) => readFileSync(file, "utf8").split("\n").includes(`// ${mark}`)));

const vmOnly = flags.inside ? [] : marked("vm only");
const elsewhere = flags.vm || flags.arm64;
const here = elsewhere ? [] : files.filter((file) => !vmOnly.includes(file));
const inMachine =
  wanted.length === 0 ? marked(...(flags.arm64 ? ["arm64"] : ["vm", "vm only"])) : elsewhere ? files : [];
const serial = marked("serial", ...(flags.inside ? ["vm serial"] : []));
if (here.some(isUnitTest) && !flags.inside) makeUnitHost();
const outcomes = [
  ...(await runAll(
    here.filter((file) => !serial.includes(file)),
    parallel,
  )),
  ...(await runAll(
    here.filter((file) => serial.includes(file)),
    1,
  )),
];
const unseen = flags.arm64 ? [] : vmOnly.filter((file) => !inMachine.includes(file));
for (const file of unseen) console.log(`skip: ${relative(top, file)}: runs in the test machine only: --vm`);
const nothing: Totals = { passed: 0, failed: 0, skipped: 0 };
const machine =
  inMachine.length > 0
    ? await runInTestMachine(
        inMachine.map((file) => relative(top, file)),
        flags.arm64 ? "arm64" : "x64",
      )
    : nothing;

// `.only` would make the rest of its file invisible.
const only = files.filter((file) => /^\s*\w+\.only\(/m.test(readFileSync(file, "utf8")));
for (const file of only) console.log(`FAIL ${relative(top, file)}: has a test marked .only`);

const sum = (count: (outcome: Outcome) => number): number =>
  outcomes.reduce((total, outcome) => total + count(outcome), 0);
const totals: Totals = {
  passed: sum((outcome) => outcome.passed) + machine.passed,
  failed: sum((outcome) => outcome.failed) + only.length + (files.length === 0 ? 1 : 0) + machine.failed,
  skipped: sum((outcome) => outcome.skips.length) + unseen.length + machine.skipped,
};
console.log(totalsLine(totals));
process.exitCode = totals.failed === 0 ? 0 : 1;
