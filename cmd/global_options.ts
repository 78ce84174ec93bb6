/** The options in front of the command, checked and made into one value. */
import { inUserNamespace } from "../runtime/host/user_namespace.ts";
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
    description:
      "where the state of containers is kept; /run/runt, or $XDG_RUNTIME_DIR/runt for an ordinary user",
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
  readonly rootMode: number;
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
    ...(values.root === undefined
      ? defaultRoot(callerEnvironment(), honoursRuntimeDirectory)
      : { root: givenRoot(values.root), rootMode: 0o700 }),
    rootGiven: values.root !== undefined,
    systemdCgroup: values["systemd-cgroup"],
    rootless: parseRootless(values.rootless),
    trace: values.trace === undefined || values.trace === "-" ? values.trace : absolute(values.trace),
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where containers are kept when nobody says, and the mode of that directory. In the user's runtime directory it is
 * sticky, which keeps it from being cleared out (XDG Base Directory Specification).
 */
export function defaultRoot(
  environment: Environment,
  honours: (environment: Environment) => boolean,
): { readonly root: HostPath; readonly rootMode: number } {
  const { XDG_RUNTIME_DIR: own } = environment;
  if (!own?.startsWith("/") || !honours(environment)) return { root: absolute("/run/runt"), rootMode: 0o700 };
  return { root: absolute(`${own}/runt`), rootMode: 0o1700 };
}

/**
 * As runc (rootless_linux.go, shouldHonorXDGRuntimeDir): an ordinary user's, and that of an engine which such a user
 * runs as root of a user namespace.
 */
function honoursRuntimeDirectory({ USER }: Environment): boolean {
  return geteuid() !== 0 || (USER !== "root" && inUserNamespace());
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
