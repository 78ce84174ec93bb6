/** A build of runt that writes down when each of its functions and system calls begins and ends (marks.c). */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "../../scripts/build.ts";

/** A function has two marks: this many times its number, and one more. */
export const MARKS_OF_FUNCTION = 2;

export type Instrumented = {
  readonly path: string;
  /** By the number of the function, from 1 on. */
  readonly names: readonly string[];
};

/** `marks` is the directory of the logs, which a container's first process in a user namespace has to write to too. */
export async function buildInstrumented(marks: string): Promise<Instrumented> {
  const folder = join(import.meta.dirname, "../../dist/bench");
  mkdirSync(folder, { recursive: true });
  let names: readonly string[] = [];
  const path = await build({
    output: join(folder, "runt-profile"),
    instrument: {
      edit(program) {
        const edited = instrument(program);
        names = edited.names;
        return edited.program;
      },
      addition: {
        source: join(import.meta.dirname, "marks.c"),
        compiling: [`-DMARKS="${marks}"`],
        linking: ["-Wl,--wrap=syscall,--wrap=define_host"],
      },
    },
  });
  return { path, names };
}

/** What ours begin with, in the form in which the bundler writes it: a function, a method, a function in a variable. */
const openings = [
  /^( *)function ([\w$]+)\(.*\) \{$/,
  /^( *)(?:static )?(?:get |set )?(#?(?!if|for|while|switch|catch|function|with)[\w$]+)\(.*\) \{$/,
  /^( *)(?:let |var |const )?([\w$]+) = (?:\(.*\)|[\w$]+) => \{$/,
];
/** The bundler's comment above each module; packages of others are not taken apart. */
const heading = /^\/\/ (\S+\.(?:ts|m?js))$/;
const ownModule = /^(cmd|runtime|syscalls)\//;
/** A function of fewer lines is a part of its caller: two marks would take longer than what they measure. */
const SHORTEST = 3;

/** Line by line, as the bundler indents evenly; what this gets wrong, the engine does not compile. */
export function instrument(program: string): { program: string; names: readonly string[] } {
  const lines = program.split("\n");
  const names = [""];
  let module = "";
  for (const [index, text] of lines.entries()) {
    module = heading.exec(text)?.[1] ?? module;
    const [, indent, name] = openings.map((each) => each.exec(text)).find((match) => match !== null) ?? [];
    if (indent === undefined || name === undefined || !ownModule.test(module)) continue;
    const end = lines.findIndex((line, at) => at > index && line.startsWith(`${indent}}`));
    if (end - index - 1 < SHORTEST) continue;
    const number = names.push(`${name} (${module})`) - 1;
    lines[index] = `${text} $mark(${number * MARKS_OF_FUNCTION}); try {`;
    lines[end] =
      `${indent}} finally { $mark(${number * MARKS_OF_FUNCTION + 1}); } ${lines[end]?.trimStart()}`;
  }
  const begin = "const $mark = globalThis.host.mark;";
  // The marks of number 0 tell what a mark itself takes.
  const main = "const $main = globalThis.main;";
  const entry = "globalThis.main = () => { for (let i = 0; i < 64; i++) $mark(0); return $main(); };";
  return { program: [begin, ...lines, main, entry, ""].join("\n"), names };
}
