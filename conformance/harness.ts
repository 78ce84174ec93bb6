// The suite function and the fixture of every conformance test: a bundle, a private state root, the runtime
// under test, and tidying up. A test that leaves a process, mount, cgroup, keyring or state directory behind
// fails, whatever else it asserts.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { suite } from "uvu";
import {
  type CommandOptions,
  eventually,
  type Result,
  type Running,
  runCommand,
  startCommand,
} from "./command.ts";
import {
  cgroupsOf,
  findLeftovers,
  type Leftovers,
  nothingLeft,
  processesOf,
  removeCgroups,
} from "./leftovers.ts";
import { chosenMode, type Mode, type ModeName, modes } from "./mode.ts";
import { type Need, needs, runtimePath, testingRunc } from "./needs.ts";
import { makeRootfs } from "./rootfs.ts";
import { defaultSpec, type Spec } from "./spec.ts";

export type Fixture = {
  /** In the name of everything that this test makes. */
  readonly token: string;
  readonly dir: string;
  readonly root: string;
  readonly bundle: string;
  readonly rootfs: string;
  readonly id: string;
  /** Writes config.json: the default, edited. */
  readonly configure: (edit?: (spec: Spec) => void) => void;
  /** The argv for that, as the mode has it; of another build if it is named. */
  readonly command: (args: readonly string[], runtime?: string) => string[];
  /** The runtime under test with `--root` given, to its end. */
  readonly runt: (args: readonly string[], options?: CommandOptions) => Promise<Result>;
  readonly startRunt: (args: readonly string[], options?: CommandOptions) => Running;
  readonly create: (options?: CommandOptions) => Promise<Result>;
  readonly run: (options?: CommandOptions) => Promise<Result>;
  readonly state: () => Promise<ContainerState>;
  readonly deleteForce: (id?: string) => Promise<Result>;
};

export type ContainerState = {
  readonly ociVersion: string;
  readonly id: string;
  readonly pid: number;
  readonly status: string;
  readonly bundle: string;
  readonly rootfs?: string;
  readonly created?: string;
  readonly annotations?: Readonly<Record<string, string>>;
};

export type CaseOptions = {
  readonly needs?: readonly Need[];
  /** Why this machine cannot run the test, where that is more than a need. */
  readonly lacks?: string | undefined;
  /** runc is known to fail this test, and why. Tried against runc, the test must then really fail. */
  readonly runcFails?: string;
  /** The same, for a failure that depends on who is first; runc may then pass as well. */
  readonly runcMayFail?: string;
};

export type Suite = {
  (title: string, body: (c: Fixture) => Promise<void>, options?: CaseOptions): void;
  run: () => void;
};

/** A uvu suite whose tests get a fixture. */
export function conformance(title: string, modeName: ModeName = chosenMode()): Suite {
  const mode: Mode = modes[modeName];
  const name = modeName === "root" ? title : `${title} [${modeName}]`;
  const tests = suite(name);
  const add = (title: string, body: (c: Fixture) => Promise<void>, options: CaseOptions = {}): void => {
    if (options.lacks !== undefined) console.log(`skip: ${name}: ${title}: ${options.lacks}`);
    if (
      options.lacks !== undefined ||
      !needs(`${name}: ${title}`, "root", "busybox", ...mode.needs, ...(options.needs ?? []))
    ) {
      tests.skip(title, () => {});
      return;
    }
    tests(title, () => expecting(options, () => withFixture(body, mode)));
  };
  return Object.assign(add, { run: () => tests.run() });
}

/** Runs the body; against runc, one that is said to fail there must. */
export async function expecting(options: CaseOptions, body: () => Promise<void>): Promise<void> {
  const reason = options.runcFails ?? options.runcMayFail;
  if (!testingRunc || reason === undefined) return body();
  const failed = await body().then(
    () => false,
    () => true,
  );
  if (!failed && options.runcFails)
    throw new Error(`runc passes, but the test says that it fails: ${reason}`);
  if (failed) console.log(`runc fails, as declared: ${reason}`);
}

const unfinished = new Set<Fixture>();

// An error outside any test (an unhandled rejection) ends this program; the containers must end with it.
process.once("exit", () => {
  for (const { token, dir } of unfinished) {
    for (const pid of processesOf(token)) killQuietly(pid);
    for (let tries = 0; tries < 100 && cgroupsOf(token).length > 0; tries++) {
      removeCgroups(token);
      Bun.sleepSync(10);
    }
    rmSync(dir, { recursive: true, force: true });
  }
});

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {} // it ended meanwhile
}

export async function withFixture(
  body: (c: Fixture) => Promise<void>,
  mode: Mode = modes.root,
): Promise<void> {
  const fixture = makeFixture(mode);
  unfinished.add(fixture);
  try {
    await body(fixture);
    const left = await tidy(fixture, mode);
    if (!nothingLeft(left)) throw new Error(`left behind: ${JSON.stringify(left, null, 1)}`);
  } finally {
    await sweep(fixture);
    unfinished.delete(fixture);
  }
}

function makeFixture(mode: Mode): Fixture {
  if (!existsSync(runtimePath)) throw new Error(`no runtime at ${runtimePath}: build it, or set RUNT`);
  const dir = mkdtempSync(join(tmpdir(), "conf-"));
  const token = basename(dir);
  const root = join(dir, "state");
  const bundle = join(dir, "bundle");
  const id = `${token}.c`;
  mkdirSync(bundle);
  makeRootfs(join(bundle, "rootfs"));
  const runtimes = new Map<string, string>();
  const command: Fixture["command"] = (args, path = runtimePath) => {
    const runtime = runtimes.get(path) ?? mode.runtime?.(fixture, path) ?? path;
    runtimes.set(path, runtime);
    const argv = mode.command?.(fixture, [runtime, "--root", root, ...args]) ?? [
      runtime,
      "--root",
      root,
      ...args,
    ];
    if (mode.owner !== undefined) giveTo(dir, mode.owner);
    return argv;
  };
  const runt: Fixture["runt"] = (args, options) => runCommand(command(args), options);
  const fixture: Fixture = {
    token,
    dir,
    root,
    bundle,
    id,
    rootfs: join(bundle, "rootfs"),
    command,
    configure: (edit) => {
      const spec = defaultSpec();
      edit?.(spec);
      mode.edit?.(spec);
      writeFileSync(join(bundle, "config.json"), toJson(spec));
    },
    runt,
    startRunt: (args, options) => startCommand(command(args), options),
    create: (options) => runt(["create", "--bundle", bundle, id], options),
    run: (options) => runt(["run", "--bundle", bundle, id], options),
    state: async () => JSON.parse((await runt(["state", id])).stdout) as ContainerState,
    deleteForce: (other) => runt(["delete", "--force", other ?? id]),
  };
  fixture.configure();
  return fixture;
}

/** All that is root's there, as far as the user is to find it. */
function giveTo(dir: string, owner: number): void {
  chmodSync(dir, 0o755);
  execFileSync("chown", ["-Rh", "--from=0:0", `${owner}:${owner}`, dir]);
}

/** JSON text in which a bigint is its digits, as Go would write a uint64. */
function toJson(spec: Spec): string {
  const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };
  return JSON.stringify(spec, (_, value) => (typeof value === "bigint" ? rawJSON(`${value}`) : value), 1);
}

/** What the runtime keeps in its state root for all containers. */
const kept = [".seccomp-cache"];

const containersIn = (root: string): string[] =>
  existsSync(root) ? readdirSync(root).filter((name) => !kept.includes(name)) : [];

/** Deletes the containers through the runtime, and waits for what the kernel removes a little later; the rest is left. */
async function tidy(c: Fixture, mode: Mode): Promise<Leftovers> {
  for (const id of containersIn(c.root)) await c.deleteForce(id);
  mode.finish?.(c);
  let left = findLeftovers(c.token);
  await eventually(() => {
    if (!nothingLeft(left)) left = findLeftovers(c.token);
    return nothingLeft(left);
  }, 3);
  const stay = containersIn(c.root);
  if (stay.length > 0) throw new Error(`left behind in the state root: ${stay.join(" ")}`);
  return left;
}

/** Without the runtime: whatever happened, nothing of this test stays. May be called twice. */
async function sweep(c: Fixture): Promise<void> {
  if (!nothingLeft(findLeftovers(c.token))) await clear(c.token);
  rmSync(c.dir, { recursive: true, force: true });
}

async function clear(token: string): Promise<void> {
  for (const pid of processesOf(token)) killQuietly(pid);
  await eventually(() => processesOf(token).length === 0, 5);
  for (const line of [...findLeftovers(token).mounts].reverse())
    try {
      execFileSync("umount", ["-l", line.split(" ")[4] ?? ""], { stdio: "ignore" });
    } catch {} // a parent's umount took it along
  await eventually(() => {
    removeCgroups(token);
    return cgroupsOf(token).length === 0;
  }, 3);
}

/** Throws with everything that the command said, when it did not succeed. */
export function succeed(result: Result): Result {
  if (result.status !== 0) throw new Error(`exit ${result.status ?? result.signal}: ${describe(result)}`);
  return result;
}

/** Throws unless the command failed by itself with this text among what it said. */
export function refuse(result: Result, text: string | RegExp = ""): Result {
  const said = result.stderr + result.stdout;
  const matches = typeof text === "string" ? said.includes(text) : text.test(said);
  if (result.status === 0 || result.status === null || !matches)
    throw new Error(`expected a failure that says ${text}; exit ${result.status}: ${describe(result)}`);
  return result;
}

const describe = (result: Result): string =>
  `${result.timedOut ? "timed out " : ""}stdout ${JSON.stringify(result.stdout)} stderr ${JSON.stringify(result.stderr)}`;
