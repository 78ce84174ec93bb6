// docs/configuration.md against the specification's properties as runtime/config/types.ts has them, and against the
// tests: no property is without a row, and the tests that a row names speak of each of its properties.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hookKinds } from "../runtime/config/names.ts";

const top = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(top, file), "utf8");

type Members = ReadonlyMap<string, readonly { readonly name: string; readonly type: string }[]>;

/** The interfaces of types.ts, and its one object whose members are a list of names. */
function interfaces(): Members {
  const found = [...read("runtime/config/types.ts").matchAll(/^export interface (\w+) \{\n(.*?)^\}/gms)];
  const hooks = hookKinds.map((name) => ({ name, type: "readonly Hook[]" }));
  return new Map([
    ...found.map(
      ([, name = "", body = ""]) =>
        [
          name,
          [...body.matchAll(/^ {2}readonly (\w+)\??: (.*);$/gm)].map(([, member = "", type = ""]) => ({
            name: member,
            type,
          })),
        ] as const,
    ),
    ["Hooks", hooks] as const,
  ]);
}

/** What the members of the outermost object are in. */
const whole = "config.json";

/**
 * "process.user" → uid, gid, …; the members of lists and of records are under the name of the list, and those of a type
 * that occurs in several places under the first.
 */
function properties(): ReadonlyMap<string, readonly string[]> {
  const known = interfaces();
  const objects = new Map<string, readonly string[]>();
  const visited = new Set<string>();
  const visit = (path: string, name: string): void => {
    if (visited.has(name)) return;
    visited.add(name);
    const members = known.get(name) ?? [];
    objects.set(
      path,
      members.map((member) => member.name),
    );
    for (const member of members) {
      const inner = [...known.keys()].find((other) => new RegExp(`\\b${other}\\b`).test(member.type));
      if (inner !== undefined) visit(path === whole ? member.name : `${path}.${member.name}`, inner);
    }
  };
  visit(whole, "Spec");
  return objects;
}

interface Row {
  readonly object: string;
  readonly names: readonly string[];
  readonly tests: readonly string[];
}

function rows(): Row[] {
  const words = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
  return read("docs/configuration.md")
    .split("\n")
    .filter((line) => line.startsWith("| ") && line.includes("`"))
    .map((line) => {
      const [object = "", names = "", , tests = ""] = line.slice(2, -2).split(" | ");
      return { object: words(object)[0] ?? "", names: words(names), tests: words(tests) };
    });
}

const table = suite("docs/configuration.md");

table("every property has one row, and no row has another", () => {
  for (const [object, members] of properties()) {
    const named = rows().filter((row) => row.object === object);
    assert.equal(named.flatMap(({ names }) => names).sort(), [...members].sort(), object);
  }
  const objects = new Set(properties().keys());
  assert.equal(
    rows().filter(({ object }) => !objects.has(object)),
    [],
  );
});

table("the tests of a row speak of its properties", () => {
  for (const { object, names, tests } of rows()) {
    if (tests.length === 0) continue;
    const text = tests.map(read).join("\n");
    const unsaid = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
    assert.equal(unsaid, [], `${object}: ${tests.join(", ")}`);
  }
});

table.run();
