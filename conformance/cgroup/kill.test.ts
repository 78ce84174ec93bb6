// vm
// Ending containers that do not want to end: many processes, cgroups of their own making, paused ones, and fork
// bombs; by `kill --all` and by `delete --force`; with and without a pid namespace, in which everything dies with
// its first process. Nothing may be left, which the harness sees to, and the runtime itself gives up after 10 s.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { isAlive } from "../inspect.ts";
import { cgroupsOf, processesOf } from "../leftovers.ts";
import { cgroupVersion, runtimePath } from "../needs.ts";
import { type Resources, shell } from "../spec.ts";

type Load = {
  readonly title: string;
  readonly script: string;
  readonly resources?: Resources;
  /** True when the container is as bad as it gets. */
  readonly ready: (c: Fixture) => boolean | Promise<boolean>;
  readonly stubborn?: true;
  readonly worsen?: (c: Fixture, command: Command) => Promise<void> | void;
};

type Command = (...args: string[]) => Promise<Result>;

const sleepers = (count: number) => `i=0; while [ $i -lt ${count} ]; do sleep 1000 & i=$((i+1)); done; wait`;

/** The cgroups of the container in all hierarchies. */
const own = (c: Fixture): string[] => cgroupsOf(c.token).filter((dir) => dir.endsWith(c.id));
const processes = (dir: string): string[] =>
  readFileSync(join(dir, "cgroup.procs"), "utf8").trim().split("\n");
const holds = (c: Fixture, count: number): boolean => {
  const [first = ""] = own(c);
  return first !== "" && processes(first).length >= count;
};
const within = (c: Fixture, file: string): string[] =>
  own(c)
    .map((dir) => join(dir, file))
    .filter(existsSync);

/** Cgroups as a container with a writable mount makes them: two levels, a process in each. */
function nest(c: Fixture): void {
  for (const dir of own(c)) {
    const [, one = "", two = ""] = processes(dir);
    mkdirSync(join(dir, "outer/inner"), { recursive: true });
    for (const [place, pid] of [
      ["outer", one],
      ["outer/inner", two],
    ] as const) {
      for (const file of ["cpuset.cpus", "cpuset.mems"])
        if (existsSync(join(dir, file)) && cgroupVersion === 1)
          writeFileSync(join(dir, place, file), readFileSync(join(dir, file)));
      writeFileSync(join(dir, place, "cgroup.procs"), pid);
    }
  }
}

const loads: readonly Load[] = [
  { title: "500 processes", script: sleepers(500), ready: (c) => holds(c, 501) },
  {
    title: "nested cgroups",
    script: sleepers(20),
    ready: (c) => holds(c, 21),
    worsen: nest,
  },
  {
    title: "nested cgroups, one of which is frozen",
    stubborn: true,
    script: sleepers(20),
    ready: (c) => holds(c, 21),
    worsen: async (c) => {
      nest(c);
      for (const file of within(c, "outer/inner/freezer.state")) writeFileSync(file, "FROZEN");
      for (const file of within(c, "outer/inner/cgroup.freeze")) writeFileSync(file, "1");
      const still = (file: string) => /^(FROZEN|frozen 1)$/m.test(readFileSync(file, "utf8"));
      const states = [...within(c, "outer/inner/freezer.state"), ...within(c, "outer/inner/cgroup.events")];
      assert.ok(await eventually(() => states.some(still), 30));
    },
  },
  {
    title: "paused",
    script: sleepers(100),
    ready: (c) => holds(c, 101),
    worsen: async (c, command) => {
      succeed(await command("pause", c.id));
    },
  },
  {
    title: "a fork bomb under a pids limit",
    stubborn: true,
    script: "bomb() { bomb | bomb & }; while :; do bomb; done 2>/dev/null",
    resources: { pids: { limit: 100 } },
    ready: (c) => within(c, "pids.events").some((file) => !/^max 0$/m.test(readFileSync(file, "utf8"))),
  },
];

/** How the runtime sees the host: as it is, or a hybrid one as one of v1 alone, which has no cgroup.kill. */
const hosts: readonly {
  readonly title: string;
  readonly enter: readonly string[];
  readonly lacks?: string | undefined;
}[] = [
  { title: "", enter: [] },
  {
    title: ", v1 without the unified hierarchy",
    enter: ["unshare", "-m", "sh", "-c", 'umount /sys/fs/cgroup/unified && exec "$@"', "sh"],
    lacks: existsSync("/sys/fs/cgroup/unified/cgroup.procs") ? undefined : "this host is no hybrid",
  },
];

async function run(
  c: Fixture,
  load: Load,
  pidNamespace: boolean,
  enter: readonly string[],
  end: string,
): Promise<void> {
  const command: Command = (...args) =>
    runCommand([...enter, runtimePath, "--root", c.root, ...args], { timeoutSeconds: 120 });
  c.configure((spec) => {
    shell(spec, load.script);
    spec.linux.resources = { devices: [{ allow: false, access: "rwm" }], ...load.resources };
    if (!pidNamespace) spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
  });
  try {
    succeed(await command("run", "--detach", "--bundle", c.bundle, c.id));
    const { pid } = await c.state();
    assert.ok(await eventually(() => load.ready(c) === true, 60), "it never got ready");
    await load.worsen?.(c, command);
    if (end === "kill --all") {
      succeed(await command("kill", "--all", c.id, "KILL"));
      assert.ok(
        await eventually(() => !isAlive(pid) && processesOf(c.token).length === 0, 60),
        "processes stay",
      );
      succeed(await command("delete", c.id));
    } else {
      succeed(await command("delete", "--force", c.id));
      assert.ok(await eventually(() => processesOf(c.token).length === 0, 60), "processes stay");
    }
  } finally {
    // What is frozen could not be swept away after a failure.
    for (const file of within(c, "outer/inner/freezer.state")) writeFileSync(file, "THAWED");
  }
  assert.equal(cgroupsOf(c.token), []);
  assert.equal(
    readdirSync(c.root).filter((name) => !name.startsWith(".")),
    [],
  );
}

const suite = conformance(`ending containers (v${cgroupVersion})`);
/** Both ways with and without a pid namespace for what has failed before, for the others half of it. */
const combinations = (i: number): readonly (readonly [pidNamespace: boolean, end: string])[] => {
  const [one, other] = i % 2 === 0 ? ["kill --all", "delete --force"] : ["delete --force", "kill --all"];
  const half = [[true, one] as const, [false, other] as const];
  return loads[i]?.stubborn ? [...half, [true, other], [false, one]] : half;
};

for (const host of hosts) {
  if (host.lacks !== undefined) suite(`all of it${host.title}`, async () => {}, { lacks: host.lacks });
  else
    for (const [i, load] of loads.entries())
      for (const [pidNamespace, end] of combinations(i))
        suite(`${load.title}, ${pidNamespace ? "own" : "no"} pid namespace, ${end}${host.title}`, (c) =>
          run(c, load, pidNamespace, host.enter, end));
}
suite.run();
