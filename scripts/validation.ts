// `npm run validation -- [--write] CHECKOUT [TEST…]`: runs the OCI runtime-tools validation suite, built in a checkout
// of it (`make runtimetest validation-executables` there), with runt and with runc, and compares what they pass, test by
// test; `--write`, with all tests, makes docs/conformance.md of it. Fails when a test fails with runt that
// validation_reasons.ts does not explain. Each test has a mount namespace of its own: runc leaves mounts on the host
// where a container has none, in which the suite then removes files.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { basename, join, resolve } from "node:path";
import { cgroupVersion, findCommand } from "../conformance/needs.ts";
import { type Host, inWords, type Outcome, outcomeOf, page, unexplained } from "./validation_page.ts";

const top = join(import.meta.dirname, "..");
const write = process.argv.includes("--write");
const [checkout, ...only] = process.argv.slice(2).filter((word) => word !== "--write");
if (checkout === undefined || (write && only.length > 0)) {
  console.error(
    "usage: npm run validation -- [--write] CHECKOUT [TEST…]; docs/conformance.md is of all tests",
  );
  process.exit(2);
}
const suite = resolve(checkout);
const runc = findCommand("runc");
if (runc === undefined) throw new Error("there is no runc to compare with");

function run(test: string, runtime: string): Outcome {
  const { stdout, status, signal, error } = spawnSync(
    "unshare",
    ["--mount", join(suite, "validation", test)],
    {
      cwd: suite,
      env: { ...process.env, RUNTIME: runtime },
      encoding: "utf8",
      timeout: 90_000,
      killSignal: "SIGKILL",
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  return outcomeOf(stdout ?? "", error ? error.message : signal ? `signal ${signal}` : `exit ${status}`);
}

const host = (): Host => ({
  cgroups:
    cgroupVersion === 2 ? "cgroup v2" : `cgroup v1${existsSync("/sys/fs/cgroup/unified") ? " hybrid" : ""}`,
  kernel: release().split(/[-+]/)[0]?.split(".").slice(0, 2).join(".") ?? "?",
  lacks: hasSysResource() ? [] : ["CAP_SYS_RESOURCE"],
  runc: execFileSync(runc, ["--version"], { encoding: "utf8" }).split("\n")[0]?.replace(" version", "") ?? "",
});

function hasSysResource(): boolean {
  const CAP_SYS_RESOURCE = 24n;
  const bounding = /^CapBnd:\t(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return (BigInt(`0x${bounding}`) >> CAP_SYS_RESOURCE) % 2n === 1n;
}

const built = (dir: string): string[] =>
  existsSync(join(suite, "validation", dir, `${dir}.t`)) ? [join(dir, `${dir}.t`)] : [];

const tests = readdirSync(join(suite, "validation"))
  .flatMap(built)
  .filter((test) => only.length === 0 || only.includes(basename(test, ".t")))
  .sort();
if (tests.length === 0)
  throw new Error(`no built tests in ${suite}: run make runtimetest validation-executables there`);

const rows = tests.map((file) => {
  const test = basename(file, ".t");
  const row = { test, runt: run(file, join(top, "dist/runt")), runc: run(file, runc) };
  console.log(`${test}: ${inWords(row.runt)}  |  ${inWords(row.runc)}`);
  for (const text of [...row.runt.failures, ...row.runt.told]) console.log(`    ${text}`);
  return row;
});
if (write) writeFileSync(join(top, "docs/conformance.md"), page(rows, host()));
const failed = unexplained(rows);
for (const test of failed) console.error(`${test} fails with runt, and nothing explains it`);
process.exitCode = failed.length === 0 ? 0 : 1;
