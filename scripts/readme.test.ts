// The README's table of features against the tests: what a row claims is held by tests that exist, no conformance test
// is without a row, and a command is in the table as it is in the executable. Its configuration of engines against the
// one that their tests use. What this and the other READMEs name exists.
import "../conformance/bun_host.ts";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { commands } from "../cmd/commands.ts";
import { writtenSnippet } from "../conformance/engines/snippet.ts";
import { findCommand, needs } from "../conformance/needs.ts";

const top = join(import.meta.dirname, "..");
const readme = readFileSync(join(top, "README.md"), "utf8");

interface Row {
  readonly feature: string;
  readonly state: string;
  /** Test files. */
  readonly heldBy: readonly string[];
  /** Paths in the last column that are nothing. */
  readonly unknown: readonly string[];
}

const inBackquotes = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);

function testFiles(path: string): string[] {
  const patterns = path.endsWith(".md") ? [path] : path.endsWith(".ts") ? [path] : [`${path}/**/*.test.ts`];
  return globSync(patterns, { cwd: top }).sort();
}

function rows(): Row[] {
  const section = readme.slice(readme.indexOf("\n## What works today\n"));
  const lines = section.split("\n").filter((line) => line.startsWith("| "));
  return lines.slice(2).map((line) => {
    const [feature = "", state = "", held = ""] = line.slice(2, -2).split(" | ");
    const paths = inBackquotes(held);
    return {
      feature,
      state,
      heldBy: paths.flatMap(testFiles).filter((file) => file.endsWith(".test.ts")),
      unknown: paths.filter((path) => testFiles(path).length === 0),
    };
  });
}

const table = suite("README: what works today");

table("what a row names exists", () => {
  assert.ok(rows().length > 10);
  for (const { feature, unknown } of rows()) assert.equal(unknown, [], feature);
});

table("what works is held by tests, and what is not there is not", () => {
  for (const { feature, state, heldBy } of rows()) {
    if (state.startsWith("not yet")) assert.equal(heldBy, [], feature);
    else assert.ok(heldBy.length > 0, `${feature}: held by nothing`);
  }
});

table("every file of the conformance tests holds a row", () => {
  const held = new Set(rows().flatMap(({ heldBy }) => heldBy));
  const all = globSync("conformance/**/*.test.ts", { cwd: top }).map((file) => relative(".", file));
  // What the bench has are tests of itself.
  const ofRunt = all.filter((file) => !file.startsWith("conformance/bench/"));
  assert.equal(
    ofRunt.filter((file) => !held.has(file)),
    [],
  );
});

table("every command is in a row, and those that are not there yet are no commands", () => {
  const named = (works: boolean): string[] =>
    rows()
      .filter(({ state }) => state.startsWith("not yet") !== works)
      .flatMap(({ feature }) => inBackquotes(feature).flatMap((text) => text.split(" ")));
  const present = commands.filter(({ command }) => command !== undefined).map(({ name }) => name);
  assert.equal(
    present.filter((name) => !named(true).includes(name)),
    [],
  );
  assert.equal(
    present.filter((name) => named(false).includes(name)),
    [],
  );
});

table.run();

// The engines' tests run the engines with the blocks of docs/engines.md; those of the README say the same.
const configuration = suite("README: configuration of engines");

/** The block of the README below the line that begins so. */
function block(beginning: string): string {
  const [, text = ""] = /```toml\n(.*?)```/s.exec(readme.slice(readme.indexOf(`\n${beginning}`))) ?? [];
  assert.is(text.split("\n").length - 1, 5, `${beginning}: five lines`);
  return text;
}

configuration("of Podman is that of docs/engines.md", () => {
  assert.is(block("Podman, in"), writtenSnippet("Podman"));
});

type Containerd = { default_runtime_name: string; runtimes: Record<string, Record<string, unknown>> };
const cri = "io.containerd.grpc.v1.cri";
const containerdIn = (toml: string): Containerd =>
  (Bun.TOML.parse(toml) as { plugins: { [cri]: { containerd: Containerd } } }).plugins[cri].containerd;

configuration("of containerd has the runtime of docs/engines.md, as the default", () => {
  const { default_runtime_name, runtimes } = containerdIn(block("containerd, in"));
  assert.is(default_runtime_name, "runt");
  assert.equal(runtimes, {
    runt: containerdIn(writtenSnippet("Kubernetes, through containerd")).runtimes.runt,
  });
});

if (needs("README: containerd reads its configuration", "containerd"))
  configuration("of containerd: it reads it, and has one runtime", () => {
    const dir = mkdtempSync(join(tmpdir(), "readme-"));
    try {
      writeFileSync(join(dir, "config.toml"), block("containerd, in"));
      const argv = ["--config", join(dir, "config.toml"), "config", "dump"];
      const dumped = containerdIn(execFileSync(findCommand("containerd") ?? "", argv, { encoding: "utf8" }));
      assert.is(dumped.default_runtime_name, "runt");
      assert.equal(Object.keys(dumped.runtimes), ["runt"]);
      assert.is(dumped.runtimes.runt?.runtime_type, "io.containerd.runc.v2");
      assert.equal(dumped.runtimes.runt?.options, { BinaryName: "/usr/local/bin/runt" });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
else configuration.skip("of containerd: it reads it, and has one runtime", () => {});

configuration.run();

const signposts = suite("READMEs: what they name is there");

/** Names of files in a text: with a folder below the top or below the README's own, or alone for one below either. */
function missing(file: string): string[] {
  const text = readFileSync(join(top, file), "utf8");
  const names = [...text.matchAll(/(?<![\w./*-])[\w./-]*\w\.(?:test\.)?(?:ts|c|sh|md)(?![\w.(/-])/g)].map(
    ([name]) => name,
  );
  const folder = join(top, dirname(file));
  const inside = globSync("**/*", { cwd: folder, exclude: ["**/node_modules", "dist"] });
  return [...new Set(names)].filter(
    (name) =>
      !existsSync(join(top, name)) && !inside.some((path) => path === name || path.endsWith(`/${name}`)),
  );
}

for (const file of globSync("{README,SECURITY}.md", { cwd: top }).concat(
  globSync("{cmd,runtime,syscalls,conformance,scripts}/**/README.md", { cwd: top }),
))
  signposts(file, () => assert.equal(missing(file), []));

signposts("a layer, the engine and the tests have one", () => {
  for (const folder of ["cmd", "runtime", "syscalls", "syscalls/engine", "conformance", "scripts"])
    assert.ok(existsSync(join(top, folder, "README.md")), folder);
});

signposts.run();
