import { suite } from "uvu";
import * as assert from "uvu/assert";
import { inWords, type Outcome, outcomeOf, page, unexplained } from "./validation_page.ts";

const validation = suite("the page of the validation suite");

const tap = `TAP version 13
ok 1 - first
not ok 2 - limit is set
ok 3 # SKIP no such host
not ok 4 - limit is set
1..4
`;
const good: Outcome = { passed: 2, failures: [], skipped: 0, told: [], status: "exit 0" };
const bad = outcomeOf(tap, "exit 0");
const told = outcomeOf('TAP version 13\n  ---\n  "error": "it failed\\nreally"\n  ...\n1..0\n', "exit 0");

validation("what a test printed is counted; a skipped check has neither passed nor failed", () => {
  assert.equal(bad, { ...good, passed: 1, failures: ["limit is set", "limit is set"], skipped: 1 });
  assert.is(inWords(bad), "1 passed, 2 failed, 1 skipped");
  assert.equal(told, { ...good, passed: 0, told: ["it failed\\nreally"] });
  assert.is(inWords({ ...told, status: "exit 1" }), "0 passed, 0 failed, 1 told (exit 1)");
});

const rows = [
  { test: "a", runt: good, runc: good },
  { test: "b", runt: bad, runc: good },
  { test: "c", runt: good, runc: bad },
  { test: "d", runt: told, runc: good },
];

validation("what fails with runt and is not explained is found", () => {
  assert.equal(unexplained(rows, { b: "a reason" }), ["d"]);
});

validation("the page has the sums, a row where not all passes, and the checks that fail with runt", () => {
  const host = { cgroups: "cgroup v2", kernel: "6.1", lacks: ["CAP_X"], runc: "runc 1.1.5" };
  const text = page(rows, host, { b: "a reason", c: "another" });
  for (const line of [
    "Last run: cgroup v2, kernel 6.1, no CAP_X, against runc 1.1.5.",
    "| runt | 5 | 2 | 1 | 0 | 1 |",
    "| runc | 7 | 2 | 1 | 0 | 0 |",
    "| b | 1 passed, 2 failed, 1 skipped | 2 passed, 0 failed | a reason |",
    "| c | 2 passed, 0 failed | 1 passed, 2 failed, 1 skipped | another |",
    "| d | 0 passed, 0 failed, 1 told | 2 passed, 0 failed | **not explained** |",
    "- b: limit is set (2 times)",
    "- d: it failed",
  ])
    assert.ok(text.split("\n").includes(line), line);
  assert.not.match(text, "| a |");
});

validation.run();
