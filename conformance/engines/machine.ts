// A machine of its own for an engine, with a cgroup tree, /run, /etc and /var, processes and network interfaces of
// its own. All of it ends with its first process, which ends with this one.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CommandOptions,
  eventually,
  type Result,
  type Running,
  runCommand,
  startCommand,
} from "../command.ts";
import type { Fixture } from "../harness.ts";
import { cgroupsOf, removeCgroups } from "../leftovers.ts";

export type Machine = {
  /** A directory that has the same name inside and outside; TMPDIR and HOME are in it. */
  readonly dir: string;
  /** The command line that runs this one inside. */
  readonly enter: (argv: readonly string[]) => string[];
  /** What its cgroups are called outside: this, and then what they are called inside. */
  readonly cgroupRoot: string;
  readonly run: (argv: readonly string[], options?: CommandOptions) => Promise<Result>;
  readonly start: (argv: readonly string[], options?: CommandOptions) => Running;
  /** How a path of the inside, such as one of /proc or /run, is called outside. */
  readonly path: (inside: string) => string;
  readonly end: () => Promise<void>;
};

export const machineNeeds = ["unshare", "nsenter", "setpriv", "ip", "mount", "overlay"] as const;

const firstProcess = new URL("machine.sh", import.meta.url).pathname;

/** Its host name, and its cgroup on the machine around it, is the fixture's token. */
export async function startMachine({ dir, token }: Fixture): Promise<Machine> {
  const ready = join(dir, "ready");
  for (const name of ["tmp", "home"]) mkdirSync(join(dir, name));
  chmodSync(dir, 0o711); // to TMPDIR has to come the root of a user namespace, too
  const env = {
    PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin`,
    TMPDIR: join(dir, "tmp"),
    HOME: join(dir, "home"),
    // What later engines say of this machine or of others' runtimes, in the midst of a container's output.
    PODMAN_IGNORE_CGROUPSV1_WARNING: "1",
    CONTAINERD_SUPPRESS_DEPRECATION_WARNINGS: "1",
  };
  const shell = startCommand(["setpriv", "--pdeathsig", "KILL", "sh", firstProcess, token, dir], {
    env,
    timeoutSeconds: 24 * 3600,
  });
  const ended = shell.done.then((result) => Promise.reject(new Error(`the machine ended: ${result.stderr}`)));
  ended.catch(() => {}); // as it will
  const up = async (): Promise<boolean> => existsSync(ready);
  if (!(await Promise.race([eventually(up, 60), ended]))) throw new Error("the machine does not start");
  const pid = readFileSync(`/proc/${shell.pid}/task/${shell.pid}/children`, "utf8").trim();
  // Who enters goes into its cgroups first: from outside of them, the paths that /proc tells could not be used.
  const files = cgroupsOf(token).filter((at) => at.endsWith(`/${token}/host`) || !existsSync(`${at}/host`));
  const script = `for at in ${files.join(" ")}; do echo $$ >$at/cgroup.procs; done; exec "$@"`;
  const namespaces = ["nsenter", "-t", pid, "-m", "-n", "-p", "-i", "-u", "-C"];
  // A directory that was opened outside has no name inside.
  const inside = ["sh", "-ec", 'cd "$0"; exec "$@"', dir];
  const enter = (argv: readonly string[]): string[] => [
    ...["sh", "-ec", script, "sh"],
    ...namespaces,
    ...inside,
    ...argv,
  ];
  return {
    dir,
    enter,
    cgroupRoot: `/${token}`,
    run: (argv, options) => runCommand(enter(argv), { env, timeoutSeconds: 120, ...options }),
    start: (argv, options) => startCommand(enter(argv), { env, ...options }),
    path: (inside) => join(`/proc/${pid}/root`, inside),
    async end() {
      shell.kill("SIGKILL"); // its child has it as parent-death signal
      await shell.done;
      await eventually(() => !existsSync(`/proc/${pid}`), 30);
      await eventually(() => {
        removeCgroups(token);
        return cgroupsOf(token).length === 0;
      }, 10);
    },
  };
}

/** The machine on which the tests run, for the test machine (docs/vm.md), of which nothing stays. */
export const thisMachine = ({ dir }: Fixture): Machine => ({
  dir,
  enter: (argv) => [...argv],
  cgroupRoot: "",
  run: (argv, options) => runCommand(argv, { timeoutSeconds: 120, ...options }),
  start: startCommand,
  path: (inside) => inside,
  end: async () => {},
});

/** The containers in these state roots of the runtime, as they are called on the machine. */
export function stateIn(host: Machine, roots: readonly string[]): string[] {
  const existing = roots.map((at) => host.path(at)).filter((at) => existsSync(at));
  return existing.flatMap((at) => readdirSync(at)).filter((name) => name !== ".seccomp-cache");
}
