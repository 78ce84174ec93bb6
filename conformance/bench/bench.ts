// `npm run bench`: runt, runc and crun in turn, in interleaved rounds of the same run, so that whatever else
// the machine does hits all three alike. Prints medians and ratios; there is no threshold.
import "../bun_host.ts";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CWD, O_NOCTTY, O_RDWR, openat } from "../../syscalls/file.ts";
import { openPtyPeer, unlockPty } from "../../syscalls/tty.ts";
import type { Fd } from "../../syscalls/types.ts";
import { findCommand, runtimePath } from "../needs.ts";
import { makeRootfs } from "../rootfs.ts";
import { engineProfile } from "../seccomp_profile.ts";
import { defaultSpec, type Resources } from "../spec.ts";
import { seccompBench } from "./seccomp.ts";

const rounds = Number(process.env.RUNT_ROUNDS ?? 40);

type Runtime = { readonly name: string; readonly path: string };

/**
 * crun refuses a host on which the cgroup v2 hierarchy is mounted beside v1. The whole measurement, of all
 * three, therefore runs in one private mount namespace without it.
 */
function withoutUnified(): void {
  if (process.env.RUNT_BENCH_INSIDE || !existsSync("/sys/fs/cgroup/unified")) return;
  const script = 'umount /sys/fs/cgroup/unified; exec "$@"';
  const command = ["-m", "sh", "-c", script, "sh", process.execPath, "run", import.meta.filename];
  const env = { ...process.env, RUNT_BENCH_INSIDE: "1" };
  process.exit(spawnSync("unshare", command, { stdio: "inherit", env }).status ?? 1);
}

/** Milliseconds of one command. Its output is not read through a pipe, which a container would hold open. */
function measure(argv: string[], terminal?: Fd): number {
  const [stdin, output] = terminal === undefined ? (["ignore", "ignore"] as const) : [terminal, terminal];
  const began = performance.now();
  const child = Bun.spawnSync(argv, { stdio: [stdin, output, terminal ?? "inherit"] });
  const milliseconds = performance.now() - began;
  if (child.exitCode !== 0) throw new Error(`${argv.join(" ")}: exit ${child.exitCode}`);
  return milliseconds;
}

/**
 * The largest resident set of a command in KiB, by time(1): a child of this program would inherit the maximum
 * of this program itself across exec.
 */
function residentSet(argv: string[]): number | undefined {
  if (!existsSync("/usr/bin/time")) return undefined;
  const file = join(dir, "time");
  spawnSync("/usr/bin/time", ["-q", "-f", "%M", "-o", file, ...argv], { stdio: "ignore" });
  return Number(readFileSync(file, "utf8").trim());
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

withoutUnified();
const dir = mkdtempSync(join(tmpdir(), "bench-"));
process.once("exit", () => {
  for (const runtime of runtimes)
    for (const each of [id(runtime), waitingId(runtime)])
      spawnSync(runtime.path, ["--root", join(dir, runtime.name), "delete", "--force", each]);
  rmSync(dir, { recursive: true, force: true });
});
const bundle = join(dir, "bundle");
mkdirSync(bundle);
makeRootfs(join(bundle, "rootfs"));
writeFileSync(join(bundle, "config.json"), JSON.stringify(defaultSpec()));
const waitingBundle = join(dir, "waiting");
mkdirSync(waitingBundle);
const waitingSpec = defaultSpec();
waitingSpec.process.args = ["sleep", "100000"];
waitingSpec.root.path = join(bundle, "rootfs");
writeFileSync(join(waitingBundle, "config.json"), JSON.stringify(waitingSpec));

const confined = join(dir, "confined");
mkdirSync(confined);
const confinedSpec = defaultSpec();
confinedSpec.root.path = join(bundle, "rootfs");
confinedSpec.linux.seccomp = engineProfile();
writeFileSync(join(confined, "config.json"), JSON.stringify(confinedSpec));

const onTerminal = join(dir, "terminal");
mkdirSync(onTerminal);
const terminalSpec = defaultSpec();
terminalSpec.root.path = join(bundle, "rootfs");
Object.assign(terminalSpec.process, { terminal: true });
writeFileSync(join(onTerminal, "config.json"), JSON.stringify(terminalSpec));
/** A terminal of ours for the runtimes to be attached to; `true` writes nothing on it. */
const master = openat(CWD, "/dev/ptmx", O_RDWR | O_NOCTTY);
unlockPty(master);
const terminal = openPtyPeer(master, O_RDWR | O_NOCTTY);

const candidates: readonly { name: string; path: string | undefined }[] = [
  { name: "runt", path: existsSync(runtimePath) ? runtimePath : undefined },
  { name: "runc", path: findCommand("runc") },
  { name: "crun", path: findCommand("crun") },
];
const runtimes = candidates.filter((each): each is Runtime => each.path !== undefined);
for (const each of candidates) if (!each.path) console.log(`skip: ${each.name}: not installed or not built`);

const id = (runtime: Runtime): string => `bench-${process.pid}-${runtime.name}`;
const command = (runtime: Runtime, ...args: string[]): string[] => [
  runtime.path,
  "--root",
  join(dir, runtime.name),
  ...args,
];
const call = (runtime: Runtime, ...args: string[]): number => measure(command(runtime, ...args));
const callOnTerminal = (runtime: Runtime, ...args: string[]): number =>
  measure(command(runtime, ...args), terminal);

/** Its own container for each runtime, with a process that waits, made at the first exec. */
const waiting = new Set<string>();
const waitingId = (runtime: Runtime): string => `${id(runtime)}-waiting`;

function waitingContainer(runtime: Runtime): string {
  if (!waiting.has(runtime.name)) {
    waiting.add(runtime.name);
    call(runtime, "run", "--detach", "--bundle", waitingBundle, waitingId(runtime));
  }
  return waitingId(runtime);
}

const workloads: readonly { name: string; once: (runtime: Runtime) => number }[] = [
  { name: "run true", once: (runtime) => call(runtime, "run", "--bundle", bundle, id(runtime)) },
  {
    name: "run true, seccomp profile of some 400 names",
    once: (runtime) => call(runtime, "run", "--bundle", confined, id(runtime)),
  },
  {
    name: "run true, the same with nothing cached",
    once: (runtime) => {
      rmSync(join(dir, runtime.name, ".seccomp-cache"), { recursive: true, force: true });
      return call(runtime, "run", "--bundle", confined, id(runtime));
    },
  },
  {
    name: "create, start, delete",
    once: (runtime) =>
      call(runtime, "create", "--bundle", bundle, id(runtime)) +
      call(runtime, "start", id(runtime)) +
      call(runtime, "delete", "--force", id(runtime)),
  },
  { name: "exec true", once: (runtime) => call(runtime, "exec", waitingContainer(runtime), "true") },
  {
    name: "run true, with a terminal",
    once: (runtime) => callOnTerminal(runtime, "run", "--bundle", onTerminal, id(runtime)),
  },
  {
    name: "exec true, with a terminal",
    once: (runtime) => callOnTerminal(runtime, "exec", "--tty", waitingContainer(runtime), "true"),
  },
  {
    name: "state",
    once: (runtime) => {
      call(runtime, "create", "--bundle", bundle, id(runtime));
      const milliseconds = call(runtime, "state", id(runtime));
      call(runtime, "delete", "--force", id(runtime));
      return milliseconds;
    },
  },
];

const cpu = /^model name\s*: (.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "unknown processor";
console.log(`${rounds} interleaved rounds, medians; ${cpu}`);

console.log("\nlargest resident set of `run true`");
for (const runtime of runtimes) {
  const once = (): number | undefined =>
    residentSet(command(runtime, "run", "--bundle", bundle, id(runtime)));
  const sizes = [once(), once(), once()].filter((size) => size !== undefined);
  const text =
    sizes.length > 0 ? `${(median(sizes) / 1024).toFixed(1)} MiB` : "not measured: no /usr/bin/time";
  console.log(`  ${runtime.name}  ${text}`);
}

/** Whether `run true` succeeds, three times over, with these resources, and with a cgroup namespace as engines ask for. */
function runs(runtime: Runtime, resources: Resources, cgroupNamespace: boolean): boolean {
  const narrow = join(dir, "narrow");
  mkdirSync(narrow, { recursive: true });
  const spec = defaultSpec();
  spec.root.path = join(bundle, "rootfs");
  spec.linux.resources = { ...spec.linux.resources, ...resources };
  if (cgroupNamespace) spec.linux.namespaces.push({ type: "cgroup" });
  writeFileSync(join(narrow, "config.json"), JSON.stringify(spec));
  const once = () =>
    spawnSync(runtime.path, command(runtime, "run", "--bundle", narrow, id(runtime)).slice(1), {
      stdio: "ignore",
    }).status === 0;
  const works = once() && once() && once();
  if (!works) spawnSync(runtime.path, command(runtime, "delete", "--force", id(runtime)).slice(1));
  return works;
}

/** The smallest memory limit, without swap, in KiB: by bisection between 16 KiB and 64 MiB. */
function smallestMemory(runtime: Runtime, cgroupNamespace: boolean): number {
  const unit = 16;
  let [fails, works] = [0, 4096];
  while (works - fails > 1) {
    const middle = Math.floor((fails + works) / 2);
    const limit = middle * unit * 1024;
    if (runs(runtime, { memory: { limit, swap: limit } }, cgroupNamespace)) works = middle;
    else fails = middle;
  }
  return works * unit;
}

console.log(
  "\nsmallest memory limit under which `run true` works, without and with a cgroup namespace; pids.limit 1",
);
for (const runtime of runtimes) {
  const sizes = [false, true].map((own) => `${smallestMemory(runtime, own)} KiB`.padStart(9));
  const one = runs(runtime, { pids: { limit: 1 } }, true) ? "works" : "fails";
  console.log(`  ${runtime.name}  ${sizes.join("  ")}  ${one}`);
}

for (const { name, once } of rounds > 0 ? workloads : []) {
  const samples = new Map(runtimes.map((runtime) => [runtime.name, [] as number[]]));
  for (let round = -1; round < rounds; round++)
    for (const runtime of runtimes) {
      const sample = once(runtime);
      if (round >= 0) samples.get(runtime.name)?.push(sample); // the first round only warms the caches
    }
  console.log(`\n${name}`);
  const time = (each: string): number => median(samples.get(each) ?? []);
  for (const { name: runtime } of runtimes) {
    const ratios = runtimes
      .filter((other) => other.name !== runtime)
      .map((other) => `${(time(runtime) / time(other.name)).toFixed(2)} of ${other.name}`);
    console.log(`  ${runtime}  ${time(runtime).toFixed(1).padStart(6)} ms  ${ratios.join(", ")}`);
  }
}

const runt = runtimes.find(({ name }) => name === "runt");
if (runt !== undefined) {
  const args = ["run", "--bundle", confined, id(runt)];
  const once = seccompBench(dir, join(dir, runt.name), runt.path, args);
  once(); // warms the caches
  const samples = Array.from({ length: rounds }, once);
  const of = (values: readonly number[]): string =>
    `${median(values).toFixed(2).padStart(6)} ms, at least ${Math.min(...values).toFixed(2)}`;
  const alone = samples.map(({ libseccomp }) => libseccomp).filter((each) => each !== undefined);
  console.log("\nthe seccomp program of that profile, from the configuration to the bytes");
  for (const [name, own] of [
    ["compiled", samples.map(({ compiled }) => compiled)],
    ["from the cache", samples.map(({ cached }) => cached)],
  ] as const) {
    const ratio =
      alone.length === 0 ? "" : `, ${(median(own) / median(alone)).toFixed(2)} of libseccomp alone`;
    console.log(`  runt, ${name}  ${of(own)}${ratio}`);
  }
  if (alone.length > 0) console.log(`  libseccomp alone, in C  ${of(alone)}`);
}
