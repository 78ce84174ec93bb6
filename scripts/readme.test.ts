// The README's table of features against the tests: what a row claims is held by tests that exist, no conformance test
// is without a row, and a command is in the table as it is in the executable.
import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { commands } from "../cmd/commands.ts";

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
  assert.equal(
    all.filter((file) => !held.has(file)),
    [],
  );
});

table("every command is in a row, and those that are not there yet are no commands", () => {
  const named = (works: boolean): string[] =>
    rows()
      .filter(({ state }) => state.startsWith("not yet") !== works)
      .flatMap(({ feature }) => inBackquotes(feature).flatMap((text) => text.split(" ")));
  const present = commands.filter(({ load }) => load !== undefined).map(({ name }) => name);
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
