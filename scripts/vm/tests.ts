// Test files in the test machine: one boot for all, in which scripts/test.ts runs them as it does here.
import { join } from "node:path";
import { readRun, type Totals } from "../test_report.ts";
import { findImage, quote, runInMachine } from "./machine.ts";
import { checkoutShares, top } from "./shares.ts";

const limitSeconds = Number(process.env.RUNT_VM_SECONDS ?? 1200);

/** Prints what they print, and counts. A machine that cannot be had here is a skip with its reason. */
export async function runInTestMachine(files: readonly string[]): Promise<Totals> {
  const found = findImage();
  if ("impossible" in found) {
    for (const file of files) console.log(`skip: ${file} in the test machine: ${found.impossible}`);
    return { passed: 0, failed: 0, skipped: files.length };
  }
  console.log(`In the test machine, ${files.length} files:`);
  const began = performance.now();
  let output = "";
  const print = (chunk: Uint8Array): void => {
    output += Buffer.from(chunk).toString();
    process.stdout.write(chunk);
  };
  const bun = join(top, "node_modules/.bin/bun");
  const end = await runInMachine(found.image, {
    command: `${settings()} ${bun} run scripts/test.ts --inside ${files.join(" ")}`,
    shares: checkoutShares(),
    cwd: top,
    timeoutSeconds: limitSeconds,
    stdout: print,
    stderr: print,
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const totals = "failure" in end ? end.failure : readRun(output, end.status, files.length);
  if (typeof totals !== "string") {
    console.log(`The test machine ran for ${seconds} s.`);
    return totals;
  }
  console.log(`FAIL in the test machine, after ${seconds} s: ${totals}`);
  return { passed: 0, failed: 1, skipped: 0 };
}

/** What the tests read from the environment, as a shell takes it; what is set here counts there. */
function settings(): string {
  const set = Object.entries(process.env).filter(([name]) => /^RUNT(_(?!VM)|$)/.test(name));
  const all = { RUNT_PATIENCE: "5", RUNT_TEST_TIMEOUT: "600", ...Object.fromEntries(set) };
  return Object.entries(all)
    .map(([name, value]) => `${name}=${quote(value ?? "")}`)
    .join(" ");
}
