// `npm run validation -- CHECKOUT [RUNTIME…]`: runs the OCI runtime-tools validation suite, built in a checkout of it
// (`make runtimetest validation-executables` there), with each runtime, and compares what they pass, test by test.
// Each test has a mount namespace of its own: runc leaves mounts on the host where a container has none, in which the
// suite then removes files.
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
  /** Failures of a test that has no checks and only tells them. */
  readonly told: number;
  readonly status: string;
};

/** TAP: lines of "ok N - text" and "not ok N - text"; "# SKIP" is neither. */
function outcomeOf(tap: string, status: string): Outcome {
  const lines = tap.split("\n");
  const skips = lines.filter((line) => /^(not )?ok .*# skip/i.test(line));
  const checks = lines.filter((line) => /^(not )?ok /.test(line));
  return {
    passed: checks.filter((line) => line.startsWith("ok ") && !skips.includes(line)).length,
    failures: checks.filter((line) => line.startsWith("not ok ") && !skips.includes(line)),
    skipped: skips.length,
    told: checks.length > 0 ? 0 : lines.filter((line) => /^ +"error": "./.test(line)).length,
    status,
  };
}

function run(test: string, runtime: string): Outcome {
  const path = runtime.includes("/")
    ? resolve(runtime)
    : execFileSync("which", [runtime], { encoding: "utf8" }).trim();
  const { stdout, status, signal, error } = spawnSync(
    "unshare",
    ["--mount", join(suite, "validation", test)],
    {
      cwd: suite,
      env: { ...process.env, RUNTIME: path },
      encoding: "utf8",
      timeout: 90_000,
      killSignal: "SIGKILL",
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
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

const totals = runtimes.map(() => ({ passed: 0, failed: 0, skipped: 0, told: 0, broken: 0 }));
for (const test of tests) {
  const outcomes = runtimes.map((runtime) => run(test, runtime));
  outcomes.forEach(({ passed, failures, skipped, told, status }, i) => {
    const total = totals[i];
    if (total === undefined) return;
    total.passed += passed;
    total.failed += failures.length;
    total.skipped += skipped;
    total.told += told;
    if (status !== "exit 0") total.broken++;
  });
  const row = outcomes.map(({ passed, failures, skipped, told, status }) => {
    const skips = skipped > 0 ? `, ${skipped} skipped` : "";
    const more = told > 0 ? `, ${told} told` : "";
    return `${passed} passed, ${failures.length} failed${skips}${more}${status === "exit 0" ? "" : ` (${status})`}`;
  });
  console.log(`${basename(test, ".t")}: ${row.join("  |  ")}`);
  for (const failure of outcomes[0]?.failures ?? []) console.log(`    ${failure}`);
}
runtimes.forEach((runtime, i) => {
  const total = totals[i];
  console.log(
    `${runtime}: ${total?.passed} passed, ${total?.failed} failed, ${total?.skipped} skipped; ` +
      `${total?.broken} tests ended badly, ${total?.told} without checks told of a failure`,
  );
});
