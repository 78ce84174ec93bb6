// `npm run validation -- CHECKOUT [RUNTIME…]`: runs the OCI runtime-tools validation suite, built in a checkout of it
// (`make runtimetest validation-executables` there), with each runtime, and compares what they pass, test by test.
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";

const [checkout, ...named] = process.argv.slice(2);
if (checkout === undefined) {
  console.error("usage: npm run validation -- CHECKOUT [RUNTIME…]");
  process.exit(2);
}
const suite = resolve(checkout);
const runtimes = named.length > 0 ? named : [join(import.meta.dirname, "../dist/runt"), "runc"];
const only = process.env.VALIDATION_ONLY?.split(",");

type Outcome = {
  readonly passed: number;
  readonly failures: readonly string[];
  readonly skipped: number;
  readonly status: string;
};

/** TAP: lines of "ok N - text" and "not ok N - text"; "# SKIP" is neither. */
function outcomeOf(tap: string, status: string): Outcome {
  const lines = tap.split("\n");
  const skips = lines.filter((line) => /^(not )?ok .*# skip/i.test(line));
  return {
    passed: lines.filter((line) => line.startsWith("ok ") && !skips.includes(line)).length,
    failures: lines.filter((line) => line.startsWith("not ok ") && !skips.includes(line)),
    skipped: skips.length,
    status,
  };
}

function run(test: string, runtime: string): Outcome {
  const path = runtime.includes("/")
    ? resolve(runtime)
    : execFileSync("which", [runtime], { encoding: "utf8" }).trim();
  const { stdout, status, signal, error } = spawnSync(join(suite, "validation", test), [], {
    cwd: suite,
    env: { ...process.env, RUNTIME: path },
    encoding: "utf8",
    timeout: 90_000,
    killSignal: "SIGKILL",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return outcomeOf(stdout ?? "", error ? error.message : signal ? `signal ${signal}` : `exit ${status}`);
}

const tests = readdirSync(join(suite, "validation"))
  .flatMap((dir) => {
    try {
      return readdirSync(join(suite, "validation", dir))
        .filter((file) => file.endsWith(".t"))
        .map((file) => join(dir, file));
    } catch {
      return [];
    }
  })
  .filter((test) => only === undefined || only.includes(basename(test, ".t")))
  .sort();
if (tests.length === 0)
  throw new Error(`no built tests in ${suite}: run make runtimetest validation-executables there`);

const totals = runtimes.map(() => ({ passed: 0, failed: 0, broken: 0 }));
for (const test of tests) {
  const outcomes = runtimes.map((runtime) => run(test, runtime));
  outcomes.forEach(({ passed, failures, status }, i) => {
    const total = totals[i];
    if (total === undefined) return;
    total.passed += passed;
    total.failed += failures.length;
    if (status !== "exit 0") total.broken++;
  });
  const row = outcomes.map(({ passed, failures, skipped, status }) => {
    const skips = skipped > 0 ? `, ${skipped} skipped` : "";
    return `${passed} passed, ${failures.length} failed${skips}${status === "exit 0" ? "" : ` (${status})`}`;
  });
  console.log(`${basename(test, ".t")}: ${row.join("  |  ")}`);
  for (const failure of outcomes[0]?.failures ?? []) console.log(`    ${failure}`);
}
runtimes.forEach((runtime, i) => {
  const total = totals[i];
  console.log(
    `${runtime}: ${total?.passed} passed, ${total?.failed} failed; ${total?.broken} tests ended badly`,
  );
});
