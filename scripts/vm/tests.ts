// Test files in the test machine: one boot for all, in which scripts/test.ts runs them as it does here.
import { join } from "node:path";
import { bunFor, targetNamed } from "../targets.ts";
import { readRun, type Totals } from "../test_report.ts";
import { isUnitTest, makeUnitTests } from "../unit.ts";
import { type Architecture, type End, findImage, quote, runInMachine } from "./machine.ts";
import { checkoutShares, top } from "./shares.ts";

export type MachineRun = Totals & { readonly output: string };

type Settings = Readonly<Record<string, string | undefined>>;

/** Bun there, and the runtime under test unless another is named. */
const programs = {
  x64: () => ({ bun: join(top, "node_modules/.bin/bun"), runt: undefined }),
  arm64: () => ({
    bun: bunFor(targetNamed("linux-arm64")),
    runt: join(top, "dist/linux-arm64/runt"),
  }),
};

/**
 * Prints what they print, and counts. A machine that cannot be had here is a skip with its reason. `env` has what the
 * tests read of an environment, and in RUNT_VM_SECONDS how long all may take.
 */
export async function runInTestMachine(
  files: readonly string[],
  architecture: Architecture = "x64",
  env: Settings = process.env,
): Promise<MachineRun> {
  const found = findImage(architecture);
  if ("impossible" in found) {
    for (const file of files) console.log(`skip: ${file} in the test machine: ${found.impossible}`);
    return { passed: 0, failed: 0, skipped: files.length, output: "" };
  }
  // There the checkout is read-only, and has none of the tools of the build.
  await makeUnitTests(
    files.map((file) => join(top, file)).filter(isUnitTest),
    targetNamed(`linux-${architecture}`),
  );
  console.log(`In the test machine, ${files.length} files:`);
  const began = performance.now();
  let output = "";
  const print = (chunk: Uint8Array): void => {
    output += Buffer.from(chunk).toString();
    process.stdout.write(chunk);
  };
  const { bun, runt } = programs[architecture]();
  const settings = assignments(env.RUNTIME === undefined ? { RUNT: runt, ...env } : env);
  const boot = (): Promise<End> =>
    runInMachine(found.image, {
      command: `uname -srm; ${settings} ${bun} run scripts/test.ts --inside ${files.join(" ")}`,
      shares: checkoutShares(),
      cwd: top,
      timeoutSeconds: Number(env.RUNT_VM_SECONDS ?? 1200),
      firstWordSeconds: 180,
      stdout: print,
      stderr: print,
    });
  let end = await boot();
  if ("failure" in end && end.silent) {
    // Before any test: it is QEMU that hung, or the kernel in it.
    console.log(`${end.failure}\nOnce more:`);
    end = await boot();
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const totals = "failure" in end ? end.failure : readRun(output, end.status, files.length);
  if (typeof totals !== "string") {
    console.log(`The test machine ran for ${seconds} s.`);
    return { ...totals, output };
  }
  console.log(`FAIL in the test machine, after ${seconds} s: ${totals}`);
  return { passed: 0, failed: 1, skipped: 0, output };
}

/** What the tests read from the environment, as a shell takes it; what is set here counts there. */
function assignments(env: Settings): string {
  const set = Object.entries(env).filter(
    ([name, value]) => value !== undefined && /^RUNT(IME$|_(?!VM)|$)/.test(name),
  );
  const all = { RUNT_TIMEOUT_FACTOR: "5", RUNT_TEST_TIMEOUT: "600", ...Object.fromEntries(set) };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${quote(value ?? "")}`)
    .join(" ");
}
