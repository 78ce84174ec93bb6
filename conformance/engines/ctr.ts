// What ctr does with containers of the runtime under test, for the suites that drive it.
import { existsSync, readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { eventually, type Result } from "../command.ts";
import { succeed } from "../harness.ts";
import { cgroupsOf } from "../leftovers.ts";
import { runtimePath } from "../needs.ts";
import type { Containerd } from "./containerd.ts";
import { imageName } from "./oci_image.ts";
import { untilWaiting, waiting } from "./waiting.ts";

/** `ctr run` with the runtime under test. */
export const runArgs = (flags: readonly string[], image: string, id: string, argv: readonly string[]) => [
  "run",
  "--runc-binary",
  runtimePath,
  ...flags,
  image,
  id,
  ...argv,
];

export const run = (
  e: Containerd,
  id: string,
  flags: readonly string[],
  argv: readonly string[],
): Promise<Result> => e.ctr(runArgs(flags, imageName, id, argv));

export const attached = (e: Containerd, id: string, flags: readonly string[], argv: readonly string[]) =>
  run(e, id, ["--rm", ...flags], argv);

/** What the container's process says, when it goes well. */
export const output = async (
  e: Containerd,
  id: string,
  flags: readonly string[],
  script: string,
): Promise<string> => succeed(await attached(e, id, flags, ["sh", "-c", script])).stdout.trim();

/** Starts a container that waits, and ends it after the body. */
export async function withTask(
  e: Containerd,
  id: string,
  flags: readonly string[],
  body: (pid: number) => Promise<void>,
  argv: readonly string[] = waiting,
): Promise<void> {
  succeed(await run(e, id, ["-d", ...flags], argv));
  try {
    const pid = await pidOf(e, id);
    if (argv === waiting) await untilWaiting(e.host, pid);
    await body(pid);
  } finally {
    await e.ctr(["task", "delete", "--force", id]);
    succeed(await e.ctr(["container", "delete", id]));
  }
  assertGone(e, id);
}

type Task = { readonly pid: number; readonly status: string };

export async function taskOf(e: Containerd, id: string): Promise<Task | undefined> {
  const { stdout } = succeed(await e.ctr(["task", "ls"]));
  const fields = stdout.split("\n").map((line) => line.split(/ +/));
  const found = fields.find(([name]) => name === id);
  return found && { pid: Number(found[1]), status: found[2] ?? "" };
}

export const pidOf = async (e: Containerd, id: string): Promise<number> => (await taskOf(e, id))?.pid ?? -1;

export const becomes = (e: Containerd, id: string, status: string): Promise<boolean> =>
  eventually(async () => (await taskOf(e, id))?.status === status, 30);

/** Of all processes in it, as the machine calls them. */
export async function pidsOf(e: Containerd, id: string): Promise<number[]> {
  const { stdout } = succeed(await e.ctr(["task", "ps", id]));
  const [, ...lines] = stdout.trim().split("\n");
  return lines.map((line) => Number(line.split(" ")[0]));
}

export const execArgs = (
  id: string,
  name: string,
  flags: readonly string[],
  argv: readonly string[],
): string[] => [...["task", "exec", "--exec-id", name], ...flags, id, ...argv];

/** `task exec` does not wait for the end of the output of a process that has ended, with any runtime. */
const unhurried = (script: string): string => `(${script})\nstatus=$?; sleep 0.5; exit $status`;

export const exec = (
  e: Containerd,
  id: string,
  flags: readonly string[],
  script: string,
  name = `${id}-exec`,
): Promise<Result> => e.ctr(execArgs(id, name, flags, ["sh", "-c", unhurried(script)]));

/** The process as the machine calls it. */
export const procFile = (e: Containerd, pid: number, name: string): string =>
  readFileSync(e.host.path(`/proc/${pid}/${name}`), "utf8");

/** What there is of a container: the runtime's state, the shim's bundle, cgroups. */
export const placesOf = (e: Containerd, id: string): string[] => [
  ...[
    `/run/containerd/runc/${e.namespace}/${id}`,
    `/run/containerd/io.containerd.runtime.v2.task/${e.namespace}/${id}`,
  ].filter((directory) => existsSync(e.host.path(directory))),
  ...cgroupsOf(`${e.namespace}/${id}`),
];

export const assertGone = (e: Containerd, id: string): void => assert.equal(placesOf(e, id), []);

/** Deletes a stopped task, and says what its process's exit status was. */
export async function deleteTask(e: Containerd, id: string): Promise<number> {
  assert.ok(await becomes(e, id, "STOPPED"), `${id} does not stop`);
  const { stderr } = succeed(await e.ctr(["task", "delete", id]));
  return Number(stderr.match(/exit code (\d+)/)?.[1] ?? 0);
}
