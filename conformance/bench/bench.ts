/**
 * `npm run bench -- [FLAGS]`: runt, crun and runc in interleaved rounds (docs/bench.md). Prints tables and never fails
 * on a time.
 *
 *   --short         a few rounds of the first operations, as continuous integration runs it
 *   --rounds N      instead of 40
 *   --only TEXT     the operations with this in their names
 *   --peers DIR     further crun and runc executables in that directory
 *   --json FILE     writes all samples there
 *   --beside N      a life cycle beside so many live containers, instead of 1000; 0 for none
 *   --engines       containerd, Podman and Docker with each runtime
 *   --memory        the smallest memory limits, and nothing else
 *   --profile       where the time of runt's commands goes, and nothing else
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { makeBundles } from "./bundles.ts";
import { engineRows } from "./engines.ts";
import { Commands, type Operation, operations, SLEEPER } from "./operations.ts";
import { profile } from "./profile.ts";
import { measure, type Row } from "./rounds.ts";
import { findRuntimes, type Runtime } from "./runtimes.ts";
import { beside, besideTable, scaleOperations } from "./scale.ts";
import { seccompTable } from "./seccomp.ts";
import { sizeOf } from "./sizes.ts";
import { smallest, smallestTable } from "./smallest_memory.ts";
import { Stopwatch } from "./stopwatch.ts";
import { busyTable, sizeTable, timeTable } from "./table.ts";

const flag = { type: "boolean", default: false } as const;
const text = { type: "string" } as const;
const { values: flags } = parseArgs({
  options: {
    short: flag,
    engines: flag,
    memory: flag,
    profile: flag,
    rounds: text,
    only: text,
    peers: text,
    json: text,
    beside: text,
  },
});

/**
 * crun refuses a host on which the cgroup v2 hierarchy is mounted beside v1. The whole measurement, of all runtimes,
 * therefore runs in one private mount namespace without it.
 */
function withoutUnified(): void {
  if (process.env.RUNT_BENCH_INSIDE || !existsSync("/sys/fs/cgroup/unified")) return;
  const script = 'umount /sys/fs/cgroup/unified; exec "$@"';
  const again = [process.execPath, "run", import.meta.filename, ...process.argv.slice(2)];
  const env = { ...process.env, RUNT_BENCH_INSIDE: "1" };
  const inside = spawnSync("unshare", ["-m", "sh", "-c", script, "sh", ...again], { stdio: "inherit", env });
  process.exit(inside.status ?? 1);
}

withoutUnified();
const rounds = Number(flags.rounds ?? (flags.short ? 5 : 40));
const runtimes = findRuntimes(flags.peers);
const bundles = makeBundles();
const commands = new Commands(bundles);
const stopwatch = new Stopwatch(bundles.dir);

process.once("exit", () => {
  for (const runtime of runtimes)
    for (const what of [SLEEPER, "once", "life", "created", "narrow"]) {
      const [file = "", ...args] = commands.delete(runtime, what);
      spawnSync(file, args);
    }
  rmSync(bundles.dir, { recursive: true, force: true });
});

const machine = (): string => {
  const cpu = /^model name\s*: (.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? process.arch;
  const kernel = readFileSync("/proc/sys/kernel/osrelease", "utf8").trim();
  return `${cpu}, ${navigator.hardwareConcurrency} processors, Linux ${kernel}`;
};

const report: { machine: string; rounds: number; rows: Row[]; [more: string]: unknown } = {
  machine: machine(),
  rounds,
  rows: [],
};
console.log(`${report.machine}; ${rounds} interleaved rounds: medians (least; quartiles)`);

if (flags.memory) {
  report.smallest = runtimes.map((runtime) => smallest(runtime, commands));
  console.log(`\n${smallestTable(report.smallest as ReturnType<typeof smallest>[])}`);
} else if (flags.profile) {
  report.profile = await profile(commands, rounds, flags.only);
} else await compareAll();
if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(report, null, 1)}\n`);

async function compareAll(): Promise<void> {
  for (const runtime of runtimes) stopwatch.perform([[{ quiet: commands.detached(runtime, SLEEPER) }]]);
  const wanted = [...operations(commands), ...scaleOperations(commands)]
    .filter(({ long }) => !flags.short || !long)
    .filter(({ name }) => flags.only === undefined || name.includes(flags.only));
  for (const operation of wanted) report.rows.push(row(operation));
  if (flags.engines) report.rows.push(...(await engineRows(runtimes, row)));
  if (report.rows.length > 0)
    console.log(`\n${timeTable(report.rows, runtimes)}\n\n${busyTable(report.rows, runtimes)}`);
  if (flags.only !== undefined) return;
  const sizes = runtimes.map((runtime) => sizeOf(runtime, commands, stopwatch));
  report.sizes = sizes;
  console.log(`\n${sizeTable(sizes)}`);
  if (flags.short) return;
  report.seccomp = seccompTable(commands, runtimes, rounds);
  const count = Number(flags.beside ?? 1000);
  if (count === 0) return;
  const all = runtimes.map((runtime) => beside(runtime, commands, count, rounds, stopwatch));
  report.beside = all;
  console.log(`\n${besideTable(all)}`);
}

/** Says what it is doing on standard error: the table comes when all is done. */
function row(operation: Operation, able: readonly Runtime[] = runtimes, watch: Stopwatch = stopwatch): Row {
  const began = performance.now();
  const made = measure(operation, able, Math.max(3, Math.round(rounds * (operation.rounds ?? 1))), watch);
  const ratios = made.ratios.map(({ median, to }) => `${median.toFixed(2)} of ${to}`).join(", ");
  console.error(`${operation.name}: ${ratios} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  return made;
}
