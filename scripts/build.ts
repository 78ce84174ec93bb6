/**
 * Builds dist/runt: one executable, hardened. Names in the file that would let the caller's environment turn it into
 * something else are overwritten, and each must be found, so that a new Bun cannot bring one back unnoticed.
 * `--faults` builds dist/runt-faults instead, in which tests can make system calls fail; `--target NAME`, for another
 * machine (targets.ts), dist/NAME/runt.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { sections } from "./elf.ts";
import { bunFor, targetNamed } from "./targets.ts";

const root = dirname(import.meta.dirname);

export type Build = { readonly faults?: boolean; readonly target?: string };

/** What Bun is told in every build. What it would read from the working directory, where the executable is run, stays unread. */
export const flags: readonly string[] = [
  "--compile",
  "--minify",
  "--bytecode",
  // Most commands end before a compiled function has paid for its compilation: a quarter of the time of `state`.
  "--compile-jit-policy=10",
  "--splitting",
  "--format=esm",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
  "--reject-unresolved",
];

type Replacement = readonly [from: string, to: string, why: string, section?: string];

/** Names that are replaced by others of the same length, in one section or in all of Bun's own. */
export const replacements: readonly Replacement[] = [
  ["BUN_BE_BUN", "\x01\x01\x01_BE_BUN", "turns the program into the bun command line"],
  ["BUN_OPTIONS", "\x01\x01\x01_OPTIONS", "preloads scripts, changes the working directory"],
  ["BUN_INSPECT", "\x01\x01\x01_INSPECT", "opens a debugger port"],
  ["BUN_BYTECODE_ORDER_OUT", "\x01\x01\x01_BYTECODE_ORDER_OUT", "writes a file of the caller's choice"],
  // An import of the C library: Bun raises RLIMIT_NOFILE at its start, before the caller's limit could be read.
  ["\0setrlimit\0", "\0getrlimit\0", "would lose the caller's soft limit of open files", ".dynstr"],
];

/** Where our own program is. */
const PAYLOAD = ".bun";

/** Returns the path of the executable. */
export function build({ faults = false, target }: Build = {}): string {
  const output = join(root, "dist", target ?? "", faults ? "runt-faults" : "runt");
  mkdirSync(dirname(output), { recursive: true });
  // The target besides the file: it decides what `process.arch` is folded to.
  const other =
    target === undefined
      ? []
      : [`--target=bun-${target}`, `--compile-executable-path=${bunFor(targetNamed(target))}`];
  const args = [
    "build",
    ...flags,
    ...other,
    "--define",
    `globalThis.FAULT_INJECTION=${faults}`,
    "--define",
    `RUNT_COMMIT=${JSON.stringify(commit())}`,
    join(root, "cmd/main.ts"),
    "--outfile",
    `${output}.raw`,
  ];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error("bun build failed");
  const bytes = readFileSync(`${output}.raw`);
  for (const replacement of replacements) overwrite(bytes, replacement);
  writeFileSync(`${output}.raw`, bytes);
  chmodSync(`${output}.raw`, 0o755);
  // By rename: a container that runs from the old file keeps it.
  renameSync(`${output}.raw`, output);
  return output;
}

/** Replaces every occurrence; that there is none is an error. */
export function overwrite(file: Buffer, [from, to, why, only]: Replacement): void {
  const needle = Buffer.from(from, "latin1");
  const replacement = Buffer.from(to, "latin1");
  if (needle.length !== replacement.length) throw new Error(`${JSON.stringify(to)} has another length`);
  let count = 0;
  for (const { name, offset, size } of sections(file)) {
    if (only === undefined ? name === PAYLOAD : name !== only) continue;
    const bytes = file.subarray(offset, offset + size);
    for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1), count++)
      replacement.copy(bytes, at);
  }
  if (count === 0)
    throw new Error(`${JSON.stringify(from)} (${why}) is not in the executable: has Bun changed?`);
}

function commit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { cwd: root, encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

if (import.meta.main) {
  const options = { faults: { type: "boolean" }, target: { type: "string" } } as const;
  build(parseArgs({ options }).values);
}
