// A container that runs and does nothing, for exec to go into.
import type { CommandOptions, Result, Running } from "../command.ts";
import { type Fixture, succeed } from "../harness.ts";
import type { Spec } from "../spec.ts";

/** Starts the default container, edited, with a process that only waits. */
export async function runWaiting(c: Fixture, edit?: (spec: Spec) => void): Promise<void> {
  c.configure((spec) => {
    spec.process.args = ["sleep", "100000"]; // longer than any soak
    edit?.(spec);
  });
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
}

/** exec with these flags in front of the container's id, and these words after it. */
export const execArgs = (c: Fixture, flags: readonly string[], words: readonly string[]): string[] => [
  "exec",
  ...flags,
  c.id,
  ...words,
];

export const exec = (
  c: Fixture,
  flags: readonly string[],
  words: readonly string[],
  options?: CommandOptions,
): Promise<Result> => c.runt(execArgs(c, flags, words), options);

/** exec of a shell's text. */
export const execShell = (
  c: Fixture,
  script: string,
  flags: readonly string[] = [],
  options?: CommandOptions,
): Promise<Result> => exec(c, flags, ["sh", "-c", script], options);

export const startExec = (
  c: Fixture,
  flags: readonly string[],
  words: readonly string[],
  options?: CommandOptions,
): Running => c.startRunt(execArgs(c, flags, words), options);
