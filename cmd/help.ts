/** yargs, for people: help, built from the tables that the small reader uses. */
import yargs, { type Argv, type Options } from "yargs";
import { closestName } from "../runtime/config/unknown_keys.ts";
import { environment } from "../runtime/self/command.ts";
import type { Command, Example } from "./command.ts";
import { commands, type Entry } from "./commands.ts";
import { completionScript } from "./completion.ts";
import { NoSuchCommand } from "./exit.ts";
import { globalOptions } from "./global_options.ts";
import { type Option, type OptionTable, parseValue } from "./options.ts";
import { writeStdout } from "./output.ts";

const about = `A container runtime: makes containers from OCI bundles, as runc does.
A bundle is a directory with a config.json and a root filesystem.`;

const WIDTH = 100;

/** The commands that help.ts is itself: `help [COMMAND]` and `completion`. */
export function serve(program: string, name: string, words: readonly string[]): void {
  if (words.some((word) => /^--?h(elp)?$/.test(word))) showHelp(program, name);
  else if (name === "completion") {
    writeStdout(completionScript(program, words[0], environment(["SHELL"]).SHELL));
  } else showHelp(program, name === "help" && words[0] !== "help" ? words[0] : undefined);
}

/** Help for everything, or for one command. */
export function showHelp(program: string, topic?: string): void {
  writeStdout(`${helpText(program, topic)}\n`);
}

/** The one line that stands in front of a usage error's record: on stdout, where runc prints a page of help. */
export function showUsage(program: string, topic: string | undefined): void {
  writeStdout(`${usageLine(program, topic)}\n`);
}

function usageLine(program: string, topic: string | undefined): string {
  const entry = commands.find(({ name }) => name === topic);
  if (entry === undefined) return `Usage: ${program} [global options] <command> [options] [arguments]`;
  const words = entry.command === undefined ? entry.operands : `[options] ${entry.command.operands}`;
  return `Usage: ${program} ${entry.name} ${words}`.trimEnd();
}

/** For who asked for a command that is not there. */
export function showNearest(program: string, given: string): void {
  writeStdout(`${adviceFor(program, given)}"${program} help" lists the commands.\n`);
}

/** What to use instead, for words of engines and other tools; else the name that is spelled most alike. */
function adviceFor(program: string, given: string): string {
  const instead = elsewhere.find(([words]) => words.split(" ").includes(given.toLowerCase()));
  if (instead !== undefined) return `${instead[1].replaceAll("PROGRAM", program)} `;
  const names = commands.map(({ name }) => name);
  const closest = closestName(given, names);
  return closest === undefined ? "" : `Did you mean "${closest}"? `;
}

/** Words that people know from engines and other runtimes, and what does that here. */
const elsewhere: readonly (readonly [words: string, advice: string])[] = [
  ["rm remove destroy", 'Use "PROGRAM delete ID".'],
  ["stop terminate shutdown", 'Use "PROGRAM kill ID", and then "PROGRAM delete ID".'],
  ["restart", 'A container starts once: delete it, then "PROGRAM run ID" makes it anew.'],
  ["signal", 'Use "PROGRAM kill ID SIGNAL".'],
  ["ls containers", 'Use "PROGRAM list".'],
  ["inspect status info", 'Use "PROGRAM state ID".'],
  ["top", 'Use "PROGRAM ps ID".'],
  ["stats", 'Use "PROGRAM events --stats ID".'],
  ["enter shell sh attach", 'Use "PROGRAM exec -t ID sh".'],
  ["unpause thaw continue", 'Use "PROGRAM resume ID".'],
  ["suspend freeze", 'Use "PROGRAM pause ID".'],
  ["init generate", 'Use "PROGRAM spec".'],
  ["version", 'Use "PROGRAM --version".'],
  ["log logs", "What a container prints goes to the standard output of who made it."],
  ["pull push build tag images", "Images are the business of an engine: a container is made of a bundle."],
  ["save snapshot dump migrate", 'Use "PROGRAM checkpoint ID".'],
];

function helpText(program: string, topic: string | undefined): string {
  if (topic === undefined) return programHelp(program);
  const entry = commands.find(({ name }) => name === topic);
  if (entry === undefined) throw new NoSuchCommand(topic);
  const { command } = entry;
  if (command !== undefined) return commandHelp(program, entry.name, command);
  const { examples = [] } = entry;
  return withExamples(program, `${usageLine(program, topic)}\n\n${sentence(entry)}`, examples);
}

/** The page of one command. */
function commandHelp(program: string, name: string, command: Command): string {
  const page = pageOf(
    parser(program, shownOptions(command.options)).usage(
      `${usageLine(program, name)}\n\n${command.description.replaceAll("\n", " ")}`,
    ),
  );
  return withExamples(program, page, command.examples ?? []);
}

function withExamples(program: string, page: string, examples: readonly Example[]): string {
  if (examples.length === 0) return page;
  const named = examples.map(
    ([line, does]) => [`${program} ${line.replace("PROGRAM", program)}`, does] as const,
  );
  const width = Math.max(...named.map(([line]) => line.length)) + 3;
  // yargs would trim these lines.
  const lines = named.map(([line, does]) => `  ${line.padEnd(width)}${does}`);
  return `${page}\n\nExamples:\n${lines.join("\n")}`;
}

/**
 * yargs as a reader of one command's line, which engines never wait for. It must accept and refuse what the small
 * reader does; options.test.ts compares them.
 */
export function commandParser(program: string, command: Command): Argv {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, option]) => [name, readOption(name, option)]),
  );
  return parser(program, { ...options, help: { alias: "h", type: "boolean" } })
    .parserConfiguration({ ...likeGo, "halt-at-non-option": command.flagsFirst ?? false })
    .demandCommand(command.min, command.max);
}

function programHelp(program: string): string {
  const usage = `${usageLine(program, undefined)}\n\n${about}\n\n${contents()}`;
  const hint = `"${program} help <command>" prints the options of a command.`;
  // yargs would trim the lines of the list, so it makes only the part that it is good at.
  const options = pageOf(parser(program, shownOptions(globalOptions)));
  return `${usage}\n\n${options.replace("Options:", "Global options:")}\n\n${hint}`;
}

function contents(): string {
  const groups = [...new Set(commands.map(({ group }) => group))];
  const line = ({ name, summary }: Entry) => `  ${name.padEnd(12)}${summary}`;
  return groups
    .map((group) => [`${group}:`, ...commands.filter((entry) => entry.group === group).map(line)].join("\n"))
    .join("\n\n");
}

function sentence({ summary }: Entry): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

// Go's flag package in yargs' words.
const likeGo = {
  "short-option-groups": false,
  "nargs-eats-options": true,
  "boolean-negation": false,
  "camel-case-expansion": false,
  "dot-notation": false,
  "duplicate-arguments-array": false,
  "parse-numbers": false,
  "parse-positional-numbers": false,
};

function parser(program: string, options: Readonly<Record<string, Options>>): Argv {
  // "/" keeps it from asking for the working directory, the given locale from asking the environment.
  return yargs([], "/")
    .scriptName(program)
    .detectLocale(false)
    .locale("en")
    .parserConfiguration(likeGo)
    .version(false)
    .help(false)
    .options(options)
    .strictOptions()
    .exitProcess(false)
    .wrap(WIDTH);
}

/** What yargs would print. Its getHelp answers by a promise. */
function pageOf(parser: Argv): string {
  let page = "";
  parser.showHelp((text) => {
    page = text;
  });
  return page;
}

/** As a person wants to read them: the value beside the name, and no types, which yargs would print. */
function shownOptions(table: OptionTable): Record<string, Options> {
  const shown = Object.entries(table).map(([name, option]) => {
    const { short, placeholder, description, default: standard } = option;
    const key = placeholder === undefined ? name : `${name} ${placeholder}`;
    const hint = standard === undefined || standard === 0 ? "" : ` (default: ${standard})`;
    return [key, { describe: description + hint, ...(short === undefined ? {} : { alias: short }) }] as const;
  });
  return { ...Object.fromEntries(shown), help: { alias: "h", describe: "print this help" } };
}

function readOption(name: string, option: Option): Options {
  const { kind, short } = option;
  return {
    ...(short === undefined ? {} : { alias: short }),
    ...(option.default === undefined ? {} : { default: option.default }),
    ...(kind === "boolean" || kind === "boolean?" ? { type: "boolean" } : { type: "string", nargs: 1 }),
    ...(kind === "number" || kind === "duration"
      ? { coerce: (text: string | number) => parseValue(option, name, String(text)) }
      : {}),
  };
}
