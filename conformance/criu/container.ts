// What the tests with a real criu have in common. A container to be saved has no file of the host's among its streams.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, eventually, type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, type Suite, succeed } from "../harness.ts";
import type { Need } from "../needs.ts";
import { runtimePath } from "../needs.ts";
import { type Spec, shell } from "../spec.ts";

/** A suite whose tests all need a criu that works here. */
export function withCriu(name: string): Suite {
  const add = conformance(name);
  const suite: Suite = Object.assign(
    ((title, body, options = {}) =>
      add(title, body, { ...options, needs: ["criu", ...(options.needs ?? [])] as Need[] })) as Suite,
    { run: add.run },
  );
  return suite;
}

/** Writes config.json with a writable root file system and a script. */
export function configure(c: Fixture, script: string, edit: (spec: Spec) => void = () => {}): void {
  c.configure((spec) => {
    spec.root.readonly = false;
    shell(spec, script);
    edit(spec);
  });
}

/** Counts in its memory, and shows that in /tmp/n. */
export const counter =
  "i=0; while :; do i=$((i+1)); echo $i >/tmp/n.new; mv /tmp/n.new /tmp/n; sleep 0.02; done";

/** The runtime with the null device as all of its streams; what it says of an error is in the result. */
export async function quietly(
  c: Fixture,
  args: readonly string[],
  options?: CommandOptions,
): Promise<Result> {
  const log = join(c.dir, "log");
  const words = [runtimePath, "--root", c.root, "--log", log, ...args];
  const result = await runCommand(["sh", "-c", 'exec "$@" >/dev/null 2>&1', "sh", ...words], options);
  return { ...result, stderr: existsSync(log) ? readFileSync(log, "utf8") : "" };
}

/** Runs it in the background. */
export async function run(c: Fixture, ...before: string[]): Promise<void> {
  succeed(await quietly(c, [...before, "run", "-d", "--bundle", c.bundle, c.id]));
}

export const images = (c: Fixture, name = "images"): string => join(c.dir, name);

/** Saves it. */
export const checkpoint = (c: Fixture, ...more: string[]): Promise<Result> =>
  c.runt(["checkpoint", "--image-path", images(c), ...more, c.id], { timeoutSeconds: 60 });

/** Restores it in the background. */
export const restore = (c: Fixture, ...more: string[]): Promise<Result> =>
  quietly(c, ["restore", "-d", "--bundle", c.bundle, "--image-path", images(c), ...more, c.id], {
    timeoutSeconds: 60,
  });

/** A file of the container, without spaces around; "" when it is not there. */
export function read(c: Fixture, path: string): string {
  const file = join(c.rootfs, path);
  return existsSync(file) ? readFileSync(file, "utf8").trim() : "";
}

/** Waits until a file of the container holds this; a number until it is as large at least. */
export async function shows(c: Fixture, path: string, wanted: number | string): Promise<void> {
  const fits = (): boolean =>
    typeof wanted === "number" ? Number(read(c, path)) >= wanted : read(c, path) === wanted;
  if (!(await eventually(fits, 20)))
    throw new Error(`${path} is ${JSON.stringify(read(c, path))}, not ${wanted}`);
}

/** What a command in the container prints. */
export const exec = async (c: Fixture, script: string): Promise<string> =>
  succeed(await c.runt(["exec", c.id, "sh", "-c", script])).stdout.trim();

/** Checks that the counter went on from where it was, and did not begin anew. */
export async function countsOnFrom(c: Fixture, before: number): Promise<void> {
  await shows(c, "tmp/n", before + 3);
  const now = Number(read(c, "tmp/n"));
  if (now > before + 1500) throw new Error(`the counter has jumped from ${before} to ${now}`);
}
