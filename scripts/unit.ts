// Runs unit tests, which are the *.test.ts beside product code, on the engine that ships: each is bundled with all that
// it tests and run by the host without an image (syscalls/engine/freeze.c). What uvu prints is printed.
//
//   unit.ts FILE…        one after the other; exit status 1 when one fails
//   unit.ts --bundle FILE…   makes the bundles alone, and prints how each is run
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BunPlugin } from "bun";
import { bundle } from "./bundle.ts";
import { buildHost, findLibraries } from "./engine.ts";
import { ownTarget, type Target } from "./targets.ts";

const top = join(import.meta.dirname, "..");
const made = join(top, "dist/unit");

/** What is shipped lies in these folders, and is tested by what it runs on. */
export const isUnitTest = (file: string): boolean =>
  /^(cmd|runtime|syscalls)\/.*\.test\.ts$/.test(relative(top, resolve(file)));

const bundleOf = (file: string): string =>
  join(made, `${relative(top, resolve(file)).replace(/\.ts$/, "")}.js`);

const hostFor = (target: Target): string => join(made, target.name, "host");

/** The words that run a unit test which has been made ready, on this machine or in a test machine that is one's own. */
export function unitCommand(file: string): [string, ...string[]] {
  return [hostFor(ownTarget()), "run", bundleOf(file)];
}

/** Stacks name the bundle, whose lines theirs are. */
export function nameBundle(file: string, output: string): string {
  return output.replace(/(?<=\(|at )runt(?=:\d)/g, relative(top, bundleOf(file)));
}

/** Builds the host, unless it is newer than what it is made of. */
export function makeUnitHost(target: Target = ownTarget()): string {
  const host = hostFor(target);
  const libraries = findLibraries(target);
  const engine = join(top, "syscalls/engine");
  const sources = readdirSync(engine)
    .filter((name) => /\.[ch]$/.test(name))
    .map((name) => join(engine, name));
  const changed = [
    ...sources,
    libraries.quickjs,
    libraries.seccomp,
    join(import.meta.dirname, "engine.ts"),
  ].map((file) => statSync(file).mtimeMs);
  if ((statSync(host, { throwIfNoEntry: false })?.mtimeMs ?? 0) > Math.max(...changed)) return host;
  mkdirSync(dirname(host), { recursive: true });
  // By rename: another run may be using the old one.
  const work = join(made, `${target.name}.${process.pid}`);
  try {
    renameSync(buildHost(target, libraries, work), host);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return host;
}

/** The stacks of this engine begin with a place, where those of others repeat the message, which uvu leaves out. */
const wholeStacks: BunPlugin = {
  name: "whole stacks",
  setup(build) {
    build.onLoad({ filter: /\/uvu\/dist\/index\.mjs$/ }, async ({ path }) => {
      const text = await Bun.file(path).text();
      const contents = text.replace("err.stack && err.stack.indexOf('\\n')", "0");
      if (contents === text) throw new Error(`${path} is another version of uvu`);
      return { contents, loader: "js" };
    });
  },
};

/** Bundles one file. */
export async function bundleUnitTest(file: string): Promise<void> {
  const output = bundleOf(file);
  const entry = output.replace(/\.js$/, ".entry.ts");
  mkdirSync(dirname(output), { recursive: true });
  const from = (path: string): string => JSON.stringify(path);
  writeFileSync(
    entry,
    [
      `import ${from(join(import.meta.dirname, "unit_prelude.ts"))};`,
      `import ${from(resolve(file))};`,
      `import { exec } from "uvu";`,
      `import { exitGroup } from ${from(join(top, "syscalls/process.ts"))};`,
      "await exec();",
      "exitGroup(process.exitCode);",
      "",
    ].join("\n"),
  );
  await bundle({ entry, output, plugins: [wholeStacks] });
}

/** All that the files need to run on a machine of another kind, or on this one without the tools of the build. */
export async function makeUnitTests(files: readonly string[], target: Target): Promise<void> {
  if (files.length === 0) return;
  makeUnitHost(target);
  for (const file of files) await bundleUnitTest(file);
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { bundle: { type: "boolean" } },
  });
  for (const file of positionals) {
    if (!isUnitTest(file)) throw new Error(`${file} is no unit test: \`bun run ${file}\` runs it`);
    await makeUnitTests([file], ownTarget());
    const [host, ...words] = unitCommand(file);
    if (values.bundle) console.log([host, ...words].join(" "));
    else {
      const { status, stdout } = spawnSync(host, words, { cwd: top, stdio: ["inherit", "pipe", "inherit"] });
      process.stdout.write(nameBundle(file, stdout.toString()));
      if (status !== 0) process.exitCode = 1;
    }
  }
}
