// A machine of its own for an engine: new mount, pid, network and IPC namespaces with a private /run. Daemons,
// shims, interfaces and mounts end with its first process, which ends with this one.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CommandOptions,
  eventually,
  type Result,
  type Running,
  runCommand,
  startCommand,
} from "../command.ts";

export type PrivateHost = {
  /** A directory that has the same name inside and outside; TMPDIR and HOME are in it. */
  readonly dir: string;
  /** The command line that runs this one inside. */
  readonly enter: (argv: readonly string[]) => string[];
  readonly run: (argv: readonly string[], options?: CommandOptions) => Promise<Result>;
  readonly start: (argv: readonly string[], options?: CommandOptions) => Running;
  /** How a path of the inside, such as one of /proc or /run, is called outside. */
  readonly path: (inside: string) => string;
  readonly end: () => Promise<void>;
};

/** Reaps what is left to it: the shell waits for any child, and only then finds that it was not its own. */
const firstProcess = `
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
touch "$1"
while :; do sleep 3600 & wait; done
`;

export const privateHostNeeds = ["unshare", "nsenter", "setpriv", "ip"] as const;

/** `dir` must exist; what the engine keeps should go there. */
export async function startPrivateHost(dir: string): Promise<PrivateHost> {
  const ready = join(dir, "ready");
  for (const name of ["tmp", "home"]) mkdirSync(join(dir, name));
  const env = {
    PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin`,
    TMPDIR: join(dir, "tmp"),
    HOME: join(dir, "home"),
  };
  const namespaces = ["unshare", "-m", "-n", "-p", "-i", "-f", "--kill-child", "--mount-proc"];
  const unshare = startCommand(
    ["setpriv", "--pdeathsig", "KILL", ...namespaces, "sh", "-c", firstProcess, "sh", ready],
    { env, timeoutSeconds: 24 * 3600 },
  );
  if (!(await eventually(() => existsSync(ready), 30))) throw new Error("the private host does not start");
  const pid = readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, "utf8").trim();
  const enter = (argv: readonly string[]): string[] => [
    "nsenter",
    "-t",
    pid,
    "-m",
    "-n",
    "-p",
    "-i",
    ...argv,
  ];
  return {
    dir,
    enter,
    run: (argv, options) => runCommand(enter(argv), { env, ...options }),
    start: (argv, options) => startCommand(enter(argv), { env, ...options }),
    path: (inside) => join(`/proc/${pid}/root`, inside),
    async end() {
      unshare.kill("SIGKILL"); // its child has it as parent-death signal
      await unshare.done;
      await eventually(() => !existsSync(`/proc/${pid}`), 30);
    },
  };
}
