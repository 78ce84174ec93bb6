/** The machines that an executable can be built for, from Bun's own packages for them. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

export type Target = {
  readonly name: string;
  /** In the name of Bun's package. */
  readonly bun: string;
  /** As npm calls them. */
  readonly cpu: "x64" | "arm64";
  readonly libc: "glibc" | "musl";
  /** As Debian calls it; undefined where there is no Debian for it. */
  readonly debian: string | undefined;
};

export const targets: readonly Target[] = [
  { name: "linux-x64", bun: "linux-x64", cpu: "x64", libc: "glibc", debian: "amd64" },
  { name: "linux-arm64", bun: "linux-aarch64", cpu: "arm64", libc: "glibc", debian: "arm64" },
  { name: "linux-x64-musl", bun: "linux-x64-musl", cpu: "x64", libc: "musl", debian: undefined },
  { name: "linux-arm64-musl", bun: "linux-aarch64-musl", cpu: "arm64", libc: "musl", debian: undefined },
];

export function targetNamed(name: string): Target {
  const found = targets.find((target) => target.name === name);
  if (found === undefined)
    throw new Error(`no target ${name}; there are ${targets.map((target) => target.name).join(", ")}`);
  return found;
}

/** The target that this program itself runs on. */
export const ownTarget = (): Target => targetNamed(`linux-${process.arch}`);

/** Bun's executable for a target: of this installation, or fetched once by npm into dist/bun, of the same version. */
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
