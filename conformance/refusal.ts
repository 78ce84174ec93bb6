// What the runtime says when it refuses: the whole message, as an engine finds it in its log.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "./command.ts";
import type { Fixture } from "./harness.ts";
import { faultsPath, runtimePath } from "./needs.ts";

export type Circumstances = {
  /** System calls that fail, as syscalls/faults.ts reads them. */
  readonly faults?: string;
  /** Shell commands run before, in a mount namespace of their own in which the runtime then runs as well. */
  readonly prepare?: (c: Fixture) => string;
  readonly environment?: Readonly<Record<string, string>>;
};

/** Runs a command of the runtime that must fail; its message with DIR and ID for the fixture's directory and id. */
export async function saidBy(
  c: Fixture,
  args: readonly string[],
  { faults, prepare, environment }: Circumstances = {},
): Promise<string> {
  const log = join(c.dir, "log");
  const logging = ["--root", c.root, "--log", log, "--log-format", "json"];
  const command = [faults === undefined ? runtimePath : faultsPath, ...logging, ...args];
  const script = `${prepare?.(c)}\nexec "$@"`;
  const { status } = await runCommand(
    prepare === undefined ? command : ["unshare", "-m", "sh", "-ec", script, "sh", ...command],
    {
      env: {
        ...(process.env as Record<string, string>),
        ...(faults && { RUNT_FAULT: faults }),
        ...environment,
      },
    },
  );
  assert.is.not(status, 0, "it was not refused");
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  rmSync(log);
  // One record, since podman takes the whole log for one object.
  assert.is(lines.length, 1, lines.join("\n"));
  const { msg } = JSON.parse(lines[0] ?? "") as { msg: string };
  return msg.replaceAll(c.dir, "DIR").replaceAll(c.id, "ID");
}
