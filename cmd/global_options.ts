/** The options in front of the command, checked and made into one value. */
import { geteuid, type HostPath } from "../runtime/self/command.ts";
import { callerEnvironment } from "../runtime/self/seal.ts";
import type { LogSettings } from "./log.ts";
import { type OptionTable, readArgv, tryBoolean } from "./options.ts";
import { absolute, optionalPath } from "./paths.ts";

export const globalOptions = {
  debug: { kind: "boolean", description: "write debug records to the log" },
  log: { kind: "string", placeholder: "FILE", description: "where to write the log; stderr when not given" },
  "log-format": {
    kind: "string",
    placeholder: "text|json",
    default: "text",
    description: "format of the log",
  },
  root: {
    kind: "string",
    placeholder: "DIR",
    description: "where the state of containers is kept; /run/runt, or $XDG_RUNTIME_DIR/runt when not root",
  },
  "systemd-cgroup": { kind: "boolean", description: "let systemd make the cgroups" },
  rootless: {
    kind: "string",
    placeholder: "true|false|auto",
    default: "auto",
    description: "go on without cgroups where permission for them is missing",
  },
  criu: { kind: "string", placeholder: "PATH", description: "ignored; criu is looked for in $PATH" },
  trace: {
    kind: "string",
    placeholder: "FILE|-",
    description: "print each system call with its result to a file, or to stderr for -",
  },
  version: { kind: "boolean", short: "v", description: "print the version" },
} as const satisfies OptionTable;

export interface GlobalOptions {
  readonly log: LogSettings;
  readonly root: HostPath;
  readonly rootGiven: boolean;
  readonly systemdCgroup: boolean;
  readonly rootless: boolean | "auto";
  readonly trace: HostPath | "-" | undefined;
}

/** argv up to and including the command's name; nothing is judged yet but the syntax. */
export function readGlobals(argv: readonly string[]) {
  return readArgv(globalOptions, argv, true);
}

export type GlobalValues = ReturnType<typeof readGlobals>["options"];

/** The log that the options ask for. Apart from the rest, so that what is wrong with the rest can be logged there. */
export function logSettings(values: GlobalValues): LogSettings {
  const format = values["log-format"] || "text";
  if (format !== "text" && format !== "json") {
    throw new Error(`invalid log-format: ${format} (text and json are accepted)`);
  }
  return { ...optionalPath("path", values.log), format, debug: values.debug };
}

export function checkGlobals(values: GlobalValues): Omit<GlobalOptions, "log"> {
  return {
    root:
      values.root === undefined
        ? defaultRoot(geteuid(), callerEnvironment().XDG_RUNTIME_DIR)
        : givenRoot(values.root),
    rootGiven: values.root !== undefined,
    systemdCgroup: values["systemd-cgroup"],
    rootless: parseRootless(values.rootless),
    trace: values.trace === undefined || values.trace === "-" ? values.trace : absolute(values.trace),
  };
}

export function defaultRoot(euid: number, runtimeDirectory: string | undefined): HostPath {
  const personal = euid !== 0 && runtimeDirectory?.startsWith("/");
  return absolute(`${personal ? runtimeDirectory : "/run"}/runt`);
}

function givenRoot(path: string): HostPath {
  // An unset variable in a script would otherwise make the current directory the root.
  if (path === "") throw new Error("Option --root argument should not be empty");
  const root = absolute(path);
  if (root === "/") throw new Error("Option --root argument should not be set to /");
  return root;
}

function parseRootless(text: string): boolean | "auto" {
  if (text === "" || text.toLowerCase() === "auto") return "auto";
  const value = tryBoolean(text);
  if (value !== undefined) return value;
  throw new Error(`invalid value for --rootless: ${text} (true, false and auto are accepted)`);
}
