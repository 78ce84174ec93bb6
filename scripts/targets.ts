/** The machines that an executable can be built for. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

export type Target = {
  readonly name: string;
  /** As npm calls it, and as the names of Bun's packages do. */
  readonly cpu: "x64" | "arm64";
  readonly bun: string;
  /** As Debian calls it, and the toolchain. */
  readonly debian: string;
  readonly triplet: string;
};

const targets: readonly Target[] = [
  { name: "linux-x64", cpu: "x64", bun: "linux-x64", debian: "amd64", triplet: "x86_64-linux-gnu" },
  { name: "linux-arm64", cpu: "arm64", bun: "linux-aarch64", debian: "arm64", triplet: "aarch64-linux-gnu" },
];

export function targetNamed(name: string): Target {
  const found = targets.find((target) => target.name === name);
  if (found === undefined)
    throw new Error(`no target ${name}; there are ${targets.map((target) => target.name).join(", ")}`);
  return found;
}

/** The target that this program itself runs on. */
export const ownTarget = (): Target => targetNamed(`linux-${process.arch}`);

/**
 * The executable of Bun, which runs the tests from outside, for a target's test machine: of this installation, or
 * fetched once by npm into dist/bun, of the same version.
 */
export function bunFor(target: Target): string {
  if (target === ownTarget()) return process.execPath;
  const version = Bun.version;
  const directory = join(root, "dist/bun");
  const file = join(directory, `${target.bun}-${version}`);
  if (existsSync(file)) return file;
  mkdirSync(directory, { recursive: true });
  const name = `@oven/bun-${target.bun}@${version}`;
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", directory, name], {
    encoding: "utf8",
  }).trim();
  const archive = join(directory, packed);
  const work = `${file}.unpacked`;
  mkdirSync(work, { recursive: true });
  execFileSync("tar", ["-xzf", archive, "-C", work, "package/bin/bun"]);
  renameSync(join(work, "package/bin/bun"), file);
  for (const path of [archive, work]) rmSync(path, { recursive: true });
  return file;
}

/** The version in package.json. */
export const packageVersion = (): string =>
  (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version;
