/**
 * Builds dist/runt: one executable, hardened. Names in the file that would let the caller's environment turn it into
 * something else are overwritten, and each must be found, so that a new Bun cannot bring one back unnoticed.
 * `--faults` builds dist/runt-faults instead, in which tests can make system calls fail.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = dirname(import.meta.dirname);
const faults = process.argv.includes("--faults");
const output = join(root, "dist", faults ? "runt-faults" : "runt");

/** Names that are replaced by others of the same length, and how often they must occur at least. */
const replacements: readonly (readonly [from: string, to: string, why: string])[] = [
  ["BUN_BE_BUN", "\x01\x01\x01_BE_BUN", "turns the program into the bun command line"],
  ["BUN_OPTIONS", "\x01\x01\x01_OPTIONS", "preloads scripts, changes the working directory"],
  ["BUN_INSPECT", "\x01\x01\x01_INSPECT", "opens a debugger port"],
  ["BUN_BYTECODE_ORDER_OUT", "\x01\x01\x01_BYTECODE_ORDER_OUT", "writes a file of the caller's choice"],
  // An import of the C library: Bun raises RLIMIT_NOFILE at its start, before the caller's limit could be read.
  ["\0setrlimit\0", "\0getrlimit\0", "would lose the caller's soft limit of open files"],
];

function build(): void {
  mkdirSync(dirname(output), { recursive: true });
  const args = [
    "build",
    "--compile",
    "--minify",
    "--bytecode",
    "--splitting",
    "--format=esm",
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--reject-unresolved",
    "--define",
    `FAULT_INJECTION=${faults}`,
    "--define",
    `RUNT_COMMIT=${JSON.stringify(commit())}`,
    join(root, "cmd/main.ts"),
    "--outfile",
    `${output}.raw`,
  ];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error("bun build failed");
  const bytes = readFileSync(`${output}.raw`);
  for (const [from, to, why] of replacements) overwrite(bytes, from, to, why);
  writeFileSync(`${output}.raw`, bytes);
  chmodSync(`${output}.raw`, 0o755);
  // By rename: a container that runs from the old file keeps it.
  renameSync(`${output}.raw`, output);
}

function overwrite(bytes: Buffer, from: string, to: string, why: string): void {
  const needle = Buffer.from(from, "latin1");
  const replacement = Buffer.from(to, "latin1");
  if (needle.length !== replacement.length) throw new Error(`${JSON.stringify(to)} has another length`);
  let count = 0;
  for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1), count++) {
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

build();
