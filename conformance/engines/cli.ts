// What the command lines of Podman and Docker have in common, for tests that are run with both.
import type { CommandOptions, Result } from "../command.ts";
import { succeed } from "../harness.ts";
import type { Engine } from "./engine.ts";
import type { Machine } from "./machine.ts";
import { imageName } from "./oci_image.ts";

export type Cli = Engine & {
  readonly program: "podman" | "docker";
  /** The program's file. */
  readonly path: string;
  readonly host: Machine;
  /** The whole command line, to be run from outside of the engine's machine. */
  readonly line: (...args: string[]) => string[];
  readonly cli: (args: readonly string[], options?: CommandOptions) => Promise<Result>;
  /** Standard output of a command that succeeds, without the last line's end. */
  readonly says: (...args: string[]) => Promise<string>;
};

/** The functions, of the program by this absolute path. */
export function cliOn(host: Machine, program: Cli["program"], path: string) {
  const cli: Cli["cli"] = (args, options) => host.run([path, ...args], options);
  return {
    program,
    path,
    host,
    line: (...args: string[]) => host.enter([path, ...args]),
    cli,
    says: async (...args: string[]) => succeed(await cli(args)).stdout.replace(/\n$/, ""),
  };
}

/** The options of a container that is run once and has no network, which takes time to make. */
export const once = ["run", "--rm", "--network", "none"] as const;

/** Runs a shell script, with these options, in a container of its own, and gives what it prints. */
export const output = (e: Cli, script: string, ...options: string[]): Promise<string> =>
  e.says(...once, ...options, imageName, "sh", "-c", script);

/** A container of this name that runs the script during the body. */
export async function withContainer(
  e: Cli,
  name: string,
  options: readonly string[],
  script: string,
  body: () => Promise<void>,
): Promise<void> {
  const none = options.includes("--network") || options.includes("--pod") ? [] : ["--network", "none"];
  await e.says("run", "--detach", "--name", name, ...none, ...options, imageName, "sh", "-c", script);
  try {
    await body();
  } finally {
    await e.says("rm", "--force", ...(e.program === "podman" ? ["--time", "0"] : []), name);
  }
}

export const inspect = (e: Cli, name: string, format: string): Promise<string> =>
  e.says("inspect", "--format", format, name);

/** The text of /proc/PID/cgroup of the container's first process, with cgroups as they are called outside of the machine. */
export async function cgroupsOf(e: Cli, name: string): Promise<string> {
  const pid = await inspect(e, name, "{{.State.Pid}}");
  const { stdout } = succeed(await e.host.run(["cat", `/proc/${pid}/cgroup`]));
  return stdout.replaceAll(/^(\d+:[^:]*:)/gm, `$1${e.host.cgroupRoot}`);
}
