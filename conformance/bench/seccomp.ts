/** What a container's seccomp program costs, by the command's own account, beside libseccomp alone in a C program. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import "../bun_host.ts";
import type { LinuxSeccomp } from "../../runtime/config/types.ts";
import { planSeccompProgram } from "../../runtime/plan/seccomp/filter.ts";
import { findCommand } from "../needs.ts";
import { engineProfile } from "../seccomp_profile.ts";
import type { Commands } from "./operations.ts";
import type { Runtime } from "./runtimes.ts";
import { compare, type Summary, summarize } from "./statistics.ts";
import { markdown } from "./table.ts";

/** Prints it; milliseconds from the configuration to the bytes of the program. */
export function seccompTable(commands: Commands, runtimes: readonly Runtime[], rounds: number): unknown {
  const runt = runtimes.find(({ kind }) => kind === "runt");
  if (runt === undefined) return undefined;
  try {
    return compared(commands, runt, rounds);
  } catch (error) {
    console.log(`skip: the seccomp program: ${(error as Error).message}`);
    return undefined;
  }
}

function compared(commands: Commands, runt: Runtime, rounds: number): unknown {
  const alone = libseccomp(commands.bundles.dir);
  const samples = { compiled: [] as number[], cached: [] as number[], alone: [] as number[] };
  for (let round = -1; round < rounds; round++) {
    rmSync(join(commands.root(runt), ".seccomp-cache"), { recursive: true, force: true });
    const each = [own(commands, runt, "compiled"), own(commands, runt, "read from the cache"), alone?.()];
    if (round < 0) continue; // it only warms the caches
    samples.compiled.push(each[0] ?? Number.NaN);
    samples.cached.push(each[1] ?? Number.NaN);
    if (each[2] !== undefined) samples.alone.push(each[2]);
  }
  const row = (name: string, own: readonly number[]): string[] => [
    name,
    cell(summarize(own)),
    samples.alone.length === 0 ? "–" : `**${compare(own, samples.alone).median.toFixed(2)}**`,
  ];
  const rows = [row("runt, compiled", samples.compiled), row("runt, from the cache", samples.cached)];
  if (samples.alone.length > 0) rows.push(["libseccomp alone, in C", cell(summarize(samples.alone)), ""]);
  console.log(`\n${markdown(["the seccomp program of that profile", "ms", "/ libseccomp"], rows)}`);
  return samples;
}

const cell = ({ median, least, low, high }: Summary): string =>
  `${median.toFixed(2)} (${least.toFixed(2)}; ${low.toFixed(2)}–${high.toFixed(2)})`;

/** As the debug log of `run` says it. */
function own(commands: Commands, runt: Runtime, how: string): number {
  const log = join(commands.bundles.dir, "seccomp.log");
  rmSync(log, { force: true });
  const [file = "", ...args] = commands.run(runt, commands.bundles.confined);
  spawnSync(file, ["--debug", "--log", log, ...args], { stdio: "ignore" });
  const said = new RegExp(`seccomp program of \\d+ instructions ${how} in (\\d+) us`);
  const microseconds = said.exec(readFileSync(log, "utf8"))?.[1];
  if (microseconds === undefined) throw new Error(`the log does not say what a seccomp program ${how} costs`);
  return Number(microseconds) / 1000;
}

/** Builds the C program; the function it returns runs it. */
function libseccomp(dir: string): (() => number) | undefined {
  const program = join(dir, "libseccomp");
  const source = join(import.meta.dirname, "libseccomp.c");
  const compiler = findCommand("cc");
  const args = ["-O2", "-o", program, source, "-l:libseccomp.so.2"];
  if (compiler === undefined || spawnSync(compiler, args).status !== 0) {
    console.log("skip: libseccomp alone: no C compiler, or no libseccomp.so.2");
    return undefined;
  }
  const input = words();
  return () => Number(spawnSync(program, { input, encoding: "utf8" }).stdout) / 1000;
}

/** The profile as the C program reads it. */
function words(): string {
  const native = process.arch === "arm64" ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64";
  const plan = planSeccompProgram(engineProfile() as unknown as LinuxSeccomp, native);
  const tokens = plan.architectures.map(({ token }) => token);
  const rules = plan.rules.map(({ name, action, conditions }) => {
    const each = conditions.map(({ index, op, value, valueTwo }) => `${index} ${op} ${value} ${valueTwo}`);
    return [name, action >>> 0, conditions.length, ...each].join(" ");
  });
  return `${plan.defaultAction >>> 0} ${tokens.length} ${tokens.join(" ")}\n${rules.join("\n")}\n`;
}
