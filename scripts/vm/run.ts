// `npm run vm -- [options] 'COMMAND'`: runs it as root in the test machine, in this directory.
import { realpathSync } from "node:fs";
import { parseArgs } from "node:util";
import { findImage, runInMachine, type Share } from "./machine.ts";
import { checkoutShares } from "./shares.ts";

const usage = `usage: npm run vm -- [options] 'COMMAND'
  -s, --share DIR    also share this directory, read-only, under the same path
  -w, --write DIR    the same, read-write
  -q, --quick        without systemd: boots faster
  -a, --arm64        an arm64 machine, which has no systemd
  -m, --memory MB    2048 unless given
  -t, --timeout S    300 unless given
  -k, --kernel ARGS  further arguments of the kernel
The checkout is shared read-only. Exit status: the command's; 124 after a timeout, 125 without an answer.`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      share: { type: "string", short: "s", multiple: true, default: [] },
      write: { type: "string", short: "w", multiple: true, default: [] },
      quick: { type: "boolean", short: "q", default: false },
      arm64: { type: "boolean", short: "a", default: false },
      memory: { type: "string", short: "m", default: "2048" },
      timeout: { type: "string", short: "t", default: "300" },
      kernel: { type: "string", short: "k", default: "" },
    },
  });
  if (positionals.length === 0) {
    console.error(usage);
    return 2;
  }
  const found = findImage(values.arm64 ? "arm64" : "x64");
  if ("impossible" in found) {
    console.error(`vm: ${found.impossible}`);
    return 125;
  }
  const share = (dirs: readonly string[], writable: boolean): Share[] =>
    dirs.map((dir) => ({ dir: realpathSync(dir), writable }));
  const end = await runInMachine(found.image, {
    command: positionals.join(" "),
    shares: [...checkoutShares(), ...share(values.share, false), ...share(values.write, true)],
    cwd: process.cwd(),
    quick: values.quick,
    megabytes: Number(values.memory),
    timeoutSeconds: Number(values.timeout),
    kernel: values.kernel,
    stdout: (chunk) => process.stdout.write(chunk),
    stderr: (chunk) => process.stderr.write(chunk),
  });
  if ("status" in end) return end.status;
  console.error(`vm: ${end.failure}`);
  return end.timedOut ? 124 : 125;
}

process.exitCode = await main();
