/** What is measured: one command or a few, for one runtime at a time. */
import { join } from "node:path";
import { findCommand } from "../needs.ts";
import type { Bundles } from "./bundles.ts";
import type { Runtime } from "./runtimes.ts";
import type { Step } from "./stopwatch.ts";

/** The most that a median may be of every crun's and every runc's (the goals of this project; nothing fails on them). */
export type Goal = { readonly crun: number; readonly runc: number };

export type Operation = {
  readonly name: string;
  readonly goal?: Goal;
  /** One sample. */
  readonly sample: (runtime: Runtime) => readonly Step[];
  /** Before the first round and after the last. */
  readonly before?: (runtime: Runtime) => readonly Step[];
  readonly after?: (runtime: Runtime) => readonly Step[];
  /** Of as many rounds as usual. */
  readonly rounds?: number;
  /** Not in the short form. */
  readonly long?: boolean;
};

/** The state root, and what is called there. */
export class Commands {
  readonly bundles: Bundles;

  constructor(bundles: Bundles) {
    this.bundles = bundles;
  }

  root(runtime: Runtime): string {
    return join(this.bundles.dir, "state", runtime.key);
  }

  /** Also the name of a cgroup: of this process alone. */
  id(runtime: Runtime, what: string | number): string {
    return `bench-${process.pid}-${runtime.key}-${what}`;
  }

  of(runtime: Runtime, ...args: string[]): string[] {
    return [runtime.path, "--root", this.root(runtime), ...args];
  }

  run(runtime: Runtime, bundle: string, what: string | number = "once"): string[] {
    return this.of(runtime, "run", "--bundle", bundle, this.id(runtime, what));
  }

  detached(runtime: Runtime, what: string | number): string[] {
    return this.of(runtime, "run", "--detach", "--bundle", this.bundles.sleeping, this.id(runtime, what));
  }

  delete(runtime: Runtime, what: string | number): string[] {
    return this.of(runtime, "delete", "--force", this.id(runtime, what));
  }

  /** create, start, kill and delete of a container that sleeps; between the last two its end, as a shim waits for it. */
  life(runtime: Runtime): Step[] {
    const id = this.id(runtime, "life");
    const pidFile = join(this.bundles.dir, `pid-${runtime.key}`);
    const create = ["create", "--bundle", this.bundles.sleeping, "--pid-file", pidFile, id];
    return [
      { run: this.of(runtime, ...create) },
      { run: this.of(runtime, "start", id) },
      { run: this.of(runtime, "kill", id, "KILL") },
      { wait: pidFile },
      { run: this.of(runtime, "delete", id) },
    ];
  }
}

/** The container of each runtime that sleeps all the time. */
export const SLEEPER = "sleeper";

export function operations(commands: Commands): Operation[] {
  const { bundles } = commands;
  const sleeper = (runtime: Runtime): string => commands.id(runtime, SLEEPER);
  const one = (name: string, goal: Goal | undefined, argv: (runtime: Runtime) => string[]): Operation => ({
    name,
    ...(goal && { goal }),
    sample: (runtime) => [{ run: argv(runtime) }],
  });
  const run = (name: string, goal: Goal, bundle: string): Operation =>
    one(name, goal, (runtime) => commands.run(runtime, bundle));
  const forget = (runtime: Runtime): Step => ({
    quiet: [findCommand("rm") ?? "rm", "-rf", join(commands.root(runtime), ".seccomp-cache")],
  });
  const short: Operation[] = [
    one("`--version`", { crun: 0.4, runc: 0.4 }, (runtime) => [runtime.path, "--version"]),
    one("`features`", { crun: 0.4, runc: 0.4 }, (runtime) => [runtime.path, "features"]),
    one("`state`", { crun: 0.5, runc: 0.4 }, (runtime) => commands.of(runtime, "state", sleeper(runtime))),
    // A signal that the first process of a PID namespace, having no handler, never gets.
    one("`kill`", { crun: 0.5, runc: 0.4 }, (runtime) =>
      commands.of(runtime, "kill", sleeper(runtime), "WINCH"),
    ),
    one("`list` of one", { crun: 0.5, runc: 0.4 }, (runtime) => commands.of(runtime, "list")),
    run("`run` true, default spec", { crun: 0.7, runc: 0.45 }, bundles.plain),
    one("`exec` true", { crun: 0.6, runc: 0.45 }, (runtime) =>
      commands.of(runtime, "exec", sleeper(runtime), "true"),
    ),
    {
      name: "`create` + `start` + `kill` + `delete`",
      goal: { crun: 0.6, runc: 0.4 },
      sample: (runtime) => commands.life(runtime),
    },
  ];
  const long: Operation[] = [
    run("`run`, seccomp profile of some 400 names, cached", { crun: 0.8, runc: 0.4 }, bundles.confined),
    {
      name: "`run`, that profile for the first time",
      goal: { crun: 1, runc: 0.4 },
      sample: (runtime) => [
        ...(runtime.kind === "runt" ? [forget(runtime)] : []),
        { run: commands.run(runtime, bundles.confined) },
      ],
    },
    run("`run`, 100 bind mounts", { crun: 0.9, runc: 0.5 }, bundles.binds),
    {
      name: "`run`, with a terminal",
      goal: { crun: 0.9, runc: 0.5 },
      sample: (runtime) => [{ run: commands.run(runtime, bundles.terminal), terminal: true }],
    },
    run("`run`, in a user namespace", { crun: 0.9, runc: 0.5 }, bundles.user),
    {
      name: "`exec`, with a terminal",
      sample: (runtime) => [
        { run: commands.of(runtime, "exec", "--tty", sleeper(runtime), "true"), terminal: true },
      ],
    },
  ];
  return [...short, ...long.map((each) => ({ ...each, long: true }))];
}
