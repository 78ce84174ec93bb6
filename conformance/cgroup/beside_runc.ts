// Two containers of one bundle, one made by the runtime under test and one by runc, to which the same is done.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, type Result, runCommand } from "../command.ts";
import { type Fixture, succeed } from "../harness.ts";
import { runcPath } from "../oracle/compare.ts";
import type { Spec } from "../spec.ts";

export type RunningContainer = {
  readonly id: string;
  readonly pid: number;
  /** A command of its runtime, with `--root` given. */
  readonly run: (args: readonly string[], options?: CommandOptions) => Promise<Result>;
};

/** Runs both, and deletes runc's afterwards; the fixture deletes ours. */
export async function withRuncBeside(
  c: Fixture,
  edit: (spec: Spec) => void,
  body: (ours: RunningContainer, theirs: RunningContainer) => Promise<void>,
): Promise<void> {
  c.configure((spec) => {
    spec.process.args = ["sleep", "600"];
    edit(spec);
  });
  const id = `${c.token}.oracle`;
  const runc: RunningContainer["run"] = (args, options) =>
    runCommand([runcPath(), "--root", oracleRoot(c), ...args], options);
  try {
    await body(await start(c, c.id, c.runt), await start(c, id, runc));
  } finally {
    await runc(["delete", "--force", id]);
  }
}

/** Where runc keeps the state of its container. */
export const oracleRoot = (c: Fixture): string => join(c.dir, "oracle-state");

async function start(c: Fixture, id: string, run: RunningContainer["run"]): Promise<RunningContainer> {
  succeed(await run(["run", "--detach", "--bundle", c.bundle, id]));
  const { pid } = JSON.parse((await run(["state", id])).stdout) as { pid: number };
  return { id, pid, run };
}

/** The directories of a process's cgroup by the controllers of their hierarchy; "" is the unified one. */
export function cgroupDirectories(pid: number): Map<string, string> {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => / - cgroup2? /.test(line));
  const found = new Map<string, string>();
  for (const line of readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n")) {
    const [, names, ...path] = line.split(":");
    if (names === undefined) continue;
    const mount = mounts.find((entry) => {
      const [type, , options = ""] = (entry.split(" - ")[1] ?? "").split(" ");
      return names === "" ? type === "cgroup2" : options.split(",").includes(names.split(",")[0] ?? "");
    });
    const point = mount?.split(" ")[4];
    if (point !== undefined) found.set(names, join(point, path.join(":")));
  }
  return found;
}

/** Not limits, although they can be written: who is in it, what was used, and requests to the kernel. */
const notLimits = /^(tasks|cgroup\.(procs|threads|event_control|pressure))$|usage|failcnt|peak|pressure$/;

/** Every limit of a container, "hierarchy/file" → text. */
export function limitsOf({ pid }: RunningContainer): Map<string, string> {
  const limits = new Map<string, string>();
  for (const [names, directory] of cgroupDirectories(pid))
    for (const file of readdirSync(directory).sort()) {
      const stat = statSync(join(directory, file));
      if (!stat.isFile() || (stat.mode & 0o600) !== 0o600 || notLimits.test(file)) continue;
      limits.set(`${names}/${file}`, readOrErrno(join(directory, file)));
    }
  return limits;
}

/** Some files refuse to be read for as long as a feature is off. */
function readOrErrno(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "?";
  }
}

/** One limit by the name of its file, whichever hierarchy it is in. */
export const limit = (container: RunningContainer, file: string): string | undefined =>
  [...limitsOf(container)].find(([name]) => name.endsWith(`/${file}`))?.[1];

/** "FILE OURS, runc THEIRS" for each limit that differs. */
export function differences(
  ours: ReadonlyMap<string, string>,
  theirs: ReadonlyMap<string, string>,
): string[] {
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .filter((file) => ours.get(file) !== theirs.get(file))
    .map((file) => `${file} ${ours.get(file)}, runc ${theirs.get(file)}`);
}

/** What a command logged on stderr in the text format, without time and level. */
export const messagesOf = ({ stderr }: Result): string[] =>
  [...stderr.matchAll(/ msg=(?:"((?:[^"\\]|\\.)*)"|(\S*))$/gm)].map(
    ([, quoted, plain = ""]) => quoted?.replace(/\\(.)/g, "$1") ?? plain,
  );
