/**
 * Builds dist/runt: bundles the TypeScript, has the host load and evaluate it, and links the host around the heap that
 * this left (syscalls/engine/README.md). `--faults` builds dist/runt-faults instead, in which tests can make system
 * calls fail; `--target NAME`, for another machine (targets.ts), dist/NAME/runt.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.ts";
import { type Addition, buildExecutable, buildHost, findLibraries } from "./engine.ts";
import {
  blocksOf,
  carryOver,
  firstOf,
  layOut,
  MAX_BLOCKS,
  orderFile,
  placesIn,
  placesOf,
  readOrder,
} from "./heap_order.ts";
import { ownTarget, type Target, targetNamed } from "./targets.ts";

const root = dirname(import.meta.dirname);

export type Build = {
  readonly faults?: boolean;
  readonly target?: string;
  /** Another program than runt's own. */
  readonly entry?: string;
  /** Another place than dist/. */
  readonly output?: string;
  /** The bundle with something done to it, and what that needs of the host. */
  readonly instrument?: { readonly edit: (program: string) => string; readonly addition: Addition };
};

/** Where everything goes that an executable is made of. */
const workOf = (executable: string): string => join(dirname(executable), "build", basename(executable));

/** The bundle that is in an executable. */
export const programOf = (executable: string): string => join(workOf(executable), "runt.js");

/** Returns the path of the executable. */
export async function build({
  faults = false,
  target: name,
  entry,
  output: elsewhere,
  instrument,
}: Build = {}): Promise<string> {
  const target = name === undefined ? ownTarget() : targetNamed(name);
  const output = elsewhere ?? join(root, "dist", name ?? "", faults ? "runt-faults" : "runt");
  const work = workOf(output);
  mkdirSync(work, { recursive: true });
  const libraries = findLibraries(target);
  const program = programOf(output);
  const define = {
    "globalThis.FAULT_INJECTION": String(faults),
    RUNT_COMMIT: JSON.stringify(commit()),
    QUICKJS_VERSION: JSON.stringify(libraries.version),
    // yargs takes hold of it, to show values in errors that are not made here.
    "console.log": "undefined",
  };
  await bundle({ entry: entry ?? join(root, "cmd/main.ts"), output: program, define });
  if (instrument !== undefined) writeFileSync(program, instrument.edit(readFileSync(program, "utf8")));
  const host = buildHost(target, libraries, work, instrument?.addition);
  const image = join(work, "image");
  freezeInOrder(target, host, program, image);
  const executable = join(work, "runt");
  buildExecutable(target, libraries, work, image, executable, instrument?.addition);
  refuseTraces(executable, readFileSync(program));
  // By rename: a container that runs from the old file keeps it.
  renameSync(executable, output);
  return output;
}

/** Twice: which blocks there are is known only when they have been made, and then where each is to lie. */
function freezeInOrder(target: Target, host: string, program: string, image: string): void {
  const blocks = blocksOf(image, freeze(target, host, program, image, 0, []));
  const sizes = blocks.map(({ size }) => size);
  const order = readOrder(readFileSync(orderFile, "utf8"));
  const { places, length } = layOut(sizes, carryOver(order, sizes), firstOf(blocks));
  const made = blocksOf(image, freeze(target, host, program, image, length, places));
  if (made.some(({ size }, index) => size !== sizes[index]))
    throw new Error("the heap is not the same when its blocks lie in another order");
}

/** `given`: where blocks are to lie, in `reserved` bytes at the beginning. Returns where they lie. */
function freeze(
  target: Target,
  host: string,
  program: string,
  image: string,
  reserved: number,
  given: readonly number[],
): number[] {
  const words = new Uint32Array(MAX_BLOCKS);
  words.set([reserved, ...given]);
  writeFileSync(placesOf(image), words);
  runHost(target, host, ["freeze", program, image, placesOf(image)], program);
  return placesIn(image);
}

/** The program's modules are evaluated here, and may not look at this machine: what they throw names the module. */
function runHost(target: Target, host: string, args: readonly string[], program: string): void {
  const emulator = target === ownTarget() ? [] : [`qemu-${target.triplet.split("-")[0]}-static`];
  const [command = host, ...words] = [...emulator, host, ...args];
  const { status, stderr, error } = spawnSync(command, words, { encoding: "utf8", env: {} });
  if (status === 0) return;
  const text = error?.message ?? stderr;
  throw new Error(
    `freezing failed: ${text.replace(/\(runt:(\d+)(:\d+)?\)/g, (_, line) => `(${moduleAt(program, Number(line))})`)}`,
  );
}

/** The bundler writes the name of each module above it. */
function moduleAt(program: string, line: number): string {
  const lines = readFileSync(program, "utf8").split("\n").slice(0, line);
  return lines.findLast((text) => /^\/\/ \S+\.(ts|m?js)$/.test(text))?.slice(3) ?? `line ${line}`;
}

/** Nothing of the machine that built it may be in the file. */
function refuseTraces(executable: string, program: Buffer): void {
  const found = traces(readFileSync(executable), program);
  if (found.length > 0)
    throw new Error(`the executable tells of the machine that built it: ${found.join(", ")}`);
}

/** The paths, names and variables of this machine that are in a file, but for what the program itself says. */
export function traces(file: Buffer, program: Buffer): string[] {
  const { homedir, username } = userInfo();
  const paths = [root, process.execPath, homedir, `/${username}/`, `${hostname()}.`];
  const variables = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  return [...paths, ...variables].filter(
    (text) => text.length > 4 && file.includes(text) && !program.includes(text),
  );
}

function commit(): string {
  const { stdout, status } = spawnSync("git", ["describe", "--always", "--dirty"], {
    cwd: root,
    encoding: "utf8",
  });
  return status === 0 ? stdout.trim() : "unknown";
}

if (import.meta.main) {
  const options = { faults: { type: "boolean" }, target: { type: "string" } } as const;
  await build(parseArgs({ options }).values);
}
