/** What a container's seccomp program costs, by the command's own account, beside libseccomp alone in a C program. */
import "../bun_host.ts";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { planProgram } from "../../runtime/plan/seccomp.ts";
import type { LinuxSeccomp } from "../../runtime/spec/types.ts";
import { findCommand } from "../needs.ts";
import { engineProfile } from "../seccomp_profile.ts";

/** One measurement of each, in milliseconds. */
export interface SeccompSample {
  readonly compiled: number;
  readonly cached: number;
  readonly libseccomp: number | undefined;
}

/** Builds the C program in `dir`; the function it returns runs `command`, a container with the profile, twice. */
export function seccompBench(dir: string, root: string, runt: string, args: string[]): () => SeccompSample {
  const program = join(dir, "libseccomp");
  const source = join(import.meta.dirname, "libseccomp.c");
  const compiler = findCommand("cc");
  const built =
    compiler !== undefined &&
    spawnSync(compiler, ["-O2", "-o", program, source, "-l:libseccomp.so.2"]).status === 0;
  if (!built) console.log("skip: libseccomp alone: no C compiler, or no libseccomp.so.2");
  const log = join(dir, "seccomp.log");

  const own = (how: string): number => {
    rmSync(log, { force: true });
    spawnSync(runt, ["--debug", "--log", log, "--root", root, ...args], { stdio: "ignore" });
    const text = new RegExp(`seccomp program of \\d+ instructions ${how} in (\\d+) us`).exec(
      readFileSync(log, "utf8"),
    )?.[1];
    if (text === undefined) throw new Error(`the log does not say what a seccomp program ${how} costs`);
    return Number(text) / 1000;
  };
  return () => {
    rmSync(join(root, ".seccomp-cache"), { recursive: true, force: true });
    const compiled = own("compiled");
    const cached = own("read from the cache");
    const alone = built ? spawnSync(program, { input: words(), encoding: "utf8" }).stdout : undefined;
    return { compiled, cached, libseccomp: alone === undefined ? undefined : Number(alone) / 1000 };
  };
}

/** The profile as the C program reads it. */
function words(): string {
  const native = process.arch === "arm64" ? "SCMP_ARCH_AARCH64" : "SCMP_ARCH_X86_64";
  const plan = planProgram(engineProfile() as unknown as LinuxSeccomp, native);
  const tokens = plan.architectures.map(({ token }) => token);
  const rules = plan.rules.map(({ name, action, conditions }) => {
    const each = conditions.map(({ index, op, value, valueTwo }) => `${index} ${op} ${value} ${valueTwo}`);
    return [name, action >>> 0, conditions.length, ...each].join(" ");
  });
  return `${plan.defaultAction >>> 0} ${tokens.length} ${tokens.join(" ")}\n${rules.join("\n")}\n`;
}
