// The tests of the engine's primitives, of its memory and of its stack once more, under valgrind and without an error.
// What valgrind does not know of the executable that is shipped is its layout: the same sources are linked as an
// ordinary program. Primitives run on malloc, so that whoever leaves a block is seen; the memory is the engine's own.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { buildForValgrind, findLibraries } from "./engine.ts";
import { ownTarget } from "./targets.ts";
import { readReport } from "./test_report.ts";
import { bundleUnitTest, unitCommand } from "./unit.ts";

const top = join(import.meta.dirname, "..");
const valgrind = suite("valgrind");
const missing = spawnSync("valgrind", ["--version"]).status !== 0;
const work = join(top, "dist/unit/valgrind");

for (const [name, arena] of [
  ["utf8", "heap_fixture"],
  ["host", "heap_fixture"],
  ["memory", "arena"],
] as const) {
  const title = `syscalls/engine/${name}.test.ts on ${arena}.c`;
  if (missing) console.log(`skip: ${title}: there is no valgrind (package valgrind)`);
  (missing ? valgrind.skip : valgrind)(title, async () => {
    const file = join(top, `syscalls/engine/${name}.test.ts`);
    await bundleUnitTest(file);
    const host = buildForValgrind(ownTarget(), findLibraries(ownTarget()), work, arena);
    const options = [
      "--quiet",
      "--error-exitcode=99",
      "--main-stacksize=8388608",
      "--max-stackframe=8388608",
    ];
    const suppressed = `--suppressions=${join(import.meta.dirname, "valgrind.supp")}`;
    const words = [...options, suppressed, host, ...unitCommand(file).slice(1), "quick"];
    const { status, stdout, stderr } = spawnSync("valgrind", words, { encoding: "utf8", cwd: top });
    const report = readReport(stdout, status);
    const said = stdout + stderr.replace(/^--.*\n/gm, ""); // it knows not every system call
    assert.equal(report.problems, [], said);
    assert.ok(report.passed > 0);
    assert.not.match(stderr, /^==\d+==/m, said);
  });
}
valgrind.run();
