/**
 * Writes runt*.8 into the directory given, or dist/man: one page for the program and one for each command, from the
 * tables that help is made of.
 */
import "../conformance/bun_host.ts";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command, Example } from "../cmd/command.ts";
import { commands } from "../cmd/commands.ts";
import { globalOptions } from "../cmd/global_options.ts";
import type { Option, OptionTable } from "../cmd/options.ts";

const program = "runt";
const about =
  "makes containers from OCI bundles. A bundle is a directory with a config.json and a root filesystem.";

/** Text in roff: a backslash and a leading dot or quote would be commands. */
export function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/gm, "\\&$&");
}

function optionLines(table: OptionTable): string[] {
  return Object.entries(table).flatMap(([name, option]) => [".TP", tag(name, option), sentence(option)]);
}

function tag(name: string, { short, placeholder, kind }: Option): string {
  const names = [...(short === undefined ? [] : [`-${short}`]), `--${name}`];
  const bold = names.map((each) => `\\fB${roff(each)}\\fR`).join(", ");
  return kind.startsWith("boolean") ? bold : `${bold} \\fI${roff(placeholder ?? "VALUE")}\\fR`;
}

function sentence(option: Option): string {
  const text = option.description;
  const standard = option.default === undefined ? "" : ` (default: ${option.default})`;
  return roff(`${text.charAt(0).toUpperCase()}${text.slice(1)}${standard}.`);
}

function exampleLines(examples: readonly Example[]): string[] {
  if (examples.length === 0) return [];
  const lines = examples.flatMap(([line, does]) => [
    ".TP",
    `\\fB${roff(`${program} ${line}`)}\\fR`,
    roff(does),
  ]);
  return [".SH EXAMPLES", ...lines];
}

const environment: readonly (readonly [name: string, what: string])[] = [
  ["XDG_RUNTIME_DIR", "where the state of containers is kept when not root."],
  ["NOTIFY_SOCKET", "who waits there is told by start and run when the container is ready (sd_notify(3))."],
  ["LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES", "sockets that create and run hand on (sd_listen_fds(3))."],
];

const files: readonly (readonly [name: string, what: string])[] = [
  ["/run/runt/ID/state.json", "what runt knows of a container."],
  [
    "/run/runt/ID/config.json",
    "its configuration as it was at create, with the limits that update has set since.",
  ],
  ["BUNDLE/config.json", "the configuration; it is read when the container is created, and not again."],
];

const definitions = (list: typeof files): string[] =>
  list.flatMap(([name, what]) => [".TP", `\\fI${roff(name)}\\fR`, roff(what)]);

const header = (title: string): string => `.TH ${title.toUpperCase()} 8 "" "${program}" "Container runtime"`;

/** The page of one command. */
export function commandPage(name: string, summary: string, command: Command): string {
  const options = optionLines(command.options);
  return `${[
    header(`${program}-${name}`),
    ".SH NAME",
    roff(`${program}-${name} - ${summary}`),
    ".SH SYNOPSIS",
    `\\fB${program} ${name}\\fR [\\fIoptions\\fR] ${roff(command.operands)}`.trimEnd(),
    ".SH DESCRIPTION",
    roff(command.description.replaceAll("\n", " ")),
    ...(options.length === 0 ? [] : [".SH OPTIONS", ...options]),
    ...exampleLines(command.examples ?? []),
    ".SH SEE ALSO",
    `\\fB${program}\\fR(8)`,
  ].join("\n")}\n`;
}

/** The page of the program. */
export function programPage(): string {
  return `${[
    header(program),
    ".SH NAME",
    roff(`${program} - a container runtime`),
    ".SH SYNOPSIS",
    `\\fB${program}\\fR [\\fIglobal options\\fR] \\fIcommand\\fR [\\fIoptions\\fR] [\\fIarguments\\fR]`,
    ".SH DESCRIPTION",
    `\\fB${program}\\fR ${roff(about)}`,
    ".SH COMMANDS",
    ...commands.flatMap(({ name, summary }) => [".TP", `\\fB${roff(name)}\\fR`, roff(`${summary}.`)]),
    ".SH GLOBAL OPTIONS",
    ...optionLines(globalOptions),
    ".SH EXIT STATUS",
    roff(
      "0 when it went well, 1 when not. run and exec in the foreground exit as the container's process did, with 128 + N when signal N ended it; a failure of exec itself is 255.",
    ),
    ".SH ENVIRONMENT",
    ...definitions(environment),
    ".SH FILES",
    ...definitions(files),
    ".SH SEE ALSO",
    commands
      .filter(({ command }) => command !== undefined)
      .map(({ name }) => `\\fB${program}\\-${roff(name)}\\fR(8)`)
      .join(",\n"),
  ].join("\n")}\n`;
}

if (import.meta.main) {
  const directory = process.argv[2] ?? join(import.meta.dirname, "../dist/man");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${program}.8`), programPage());
  for (const { name, summary, command } of commands) {
    if (command !== undefined)
      writeFileSync(join(directory, `${program}-${name}.8`), commandPage(name, summary, command));
  }
}
