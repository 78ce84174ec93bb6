import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readFiles, readReport, readRun, totalsLine } from "./test_report.ts";

const report = suite("readReport");

const totals = (total: number, passed: number, skipped = 0): string =>
  `\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1ms\n\n`;

report("all passed", () => {
  assert.equal(readReport(totals(3, 3), 0), { passed: 3, failed: 0, skips: [], problems: [] });
});

report("colours do not matter", () => {
  const text = "\n  Total:     2\u001b[32m\n  Passed:    2\u001b[39m\n  Skipped:   \u001b[33m0\u001b[39m\n";
  assert.is(readReport(text, 0).passed, 2);
});

for (const [title, text, status, failed] of [
  ["a failing test", totals(3, 2), 1, 1],
  ["a hook that throws leaves fewer passed, and exit 0", totals(3, 0), 0, 3],
  ["a suite that is never run", totals(0, 0), 0, 1],
  ["no output", "", 0, 1],
  ["all passed, but the exit status is not 0", totals(3, 3), 1, 1],
  ["ended by a signal", totals(3, 3), null, 1],
  ["a skip without a reason", totals(3, 3, 1), 0, 1],
] as const)
  report(`fails: ${title}`, () => {
    const result = readReport(text, status);
    assert.is(result.failed, failed);
    assert.ok(result.problems.length > 0);
  });

report("fails: a timeout", () => {
  assert.equal(readReport("", null, 5).problems[0], "killed after 5 s");
});

report("skips with a reason are counted apart, by suite.skip or by returning", () => {
  const line = "skip: a: b is not installed\n";
  assert.equal(readReport(line + totals(3, 3, 1), 0), {
    passed: 3,
    failed: 0,
    skips: [line.trim()],
    problems: [],
  });
  assert.is(readReport(line + totals(3, 3), 0).passed, 2);
  assert.equal(readReport(line + totals(0, 0, 1), 0).problems, []);
});

report.run();

const run = suite("readRun");

const files =
  "ok   a/b.test.ts: 3 passed, 1 skipped (1.0 s)\n       skip: x: y\nFAIL c.test.ts: 1 passed (2.0 s)\n";

run("a whole run's totals, as they were printed", () => {
  for (const totals of [
    { passed: 4, failed: 1, skipped: 1 },
    { passed: 4, failed: 1, skipped: 0 },
  ])
    assert.equal(readRun(`${files}${totalsLine(totals)}\n`, 1, 2), totals);
});

run("what it printed of each file", () => {
  const text = `In it, 2 files:\n${files}     ! 1 of 3 passed\n     | text\n4 passed, 2 failed\n`;
  const [first, second] = readFiles(text.replace("1 passed (2", "1 passed, 2 failed (2"));
  const skip = "skip: x: y";
  assert.equal(first, {
    file: "a/b.test.ts",
    passed: 3,
    failed: 0,
    skips: [skip],
    output: `       ${skip}`,
  });
  assert.equal(second, {
    file: "c.test.ts",
    passed: 1,
    failed: 2,
    skips: [],
    output: "     ! 1 of 3 passed\n     | text",
  });
  assert.equal(readFiles(""), []);
  assert.equal(readFiles("ok   a.test.ts: 1 passed (1.0 s)\n").length, 1);
});

for (const [title, text, status, says] of [
  ["nothing printed", "", 125, "did not finish"],
  ["no last line", files, 124, "did not finish"],
  ["something after the last line", `${files}4 passed, 1 failed\nSegmentation fault\n`, 1, "did not finish"],
  ["a file too few", `ok   a.test.ts: 1 passed (1.0 s)\n1 passed, 0 failed\n`, 0, "1 of 2 files"],
  ["failures, and exit status 0", `${files}4 passed, 1 failed\n`, 0, "exit status 0"],
  ["no failures, and exit status 1", `${files}4 passed, 0 failed\n`, 1, "exit status 1"],
] as const)
  run(`is not believed: ${title}`, () => {
    const result = readRun(text, status, 2);
    assert.ok(typeof result === "string" && result.includes(says), JSON.stringify(result));
  });

run.run();
