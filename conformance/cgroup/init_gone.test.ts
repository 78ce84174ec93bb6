// vm
// A container without a pid namespace of its own whose init process has gone, while others of it live on: it is
// stopped, and they can still be seen, signalled, frozen and taken away.
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { isAlive } from "../inspect.ts";
import { type Spec, shell } from "../spec.ts";

const gone = conformance("init has gone");
const newer = { runcFails: "runc 1.1.5 signals only an init process that lives" };

/** The two that are left. */
async function left(c: Fixture, edit: (spec: Spec) => void = () => {}): Promise<number[]> {
  c.configure((spec) => {
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
    shell(spec, "sleep 1000 & sleep 1000 & exit 0");
    edit(spec);
  });
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id], { stdout: `${c.dir}/out` }));
  assert.ok(await eventually(async () => (await c.state()).status === "stopped"));
  const pids = await pidsOf(c);
  assert.is(pids.length, 2);
  return pids;
}

async function pidsOf(c: Fixture): Promise<number[]> {
  return (
    (JSON.parse(succeed(await c.runt(["ps", "--format", "json", c.id])).stdout) as number[] | null) ?? []
  );
}

const allDie = (pids: readonly number[]): Promise<boolean> =>
  eventually(() => pids.every((pid) => !isAlive(pid)));

gone("it is stopped, and ps lists who is left", async (c) => {
  const pids = await left(c);
  const { status, pid } = await c.state();
  assert.equal([status, pid], ["stopped", 0]);
  const table = succeed(await c.runt(["ps", c.id, "-o", "pid,args"])).stdout;
  for (const one of pids) assert.match(table, new RegExp(`^ *${one} .*sleep 1000$`, "m"));
  assert.match(succeed(await c.runt(["list"])).stdout, new RegExp(`^${c.id} +0 +stopped `, "m"));
});

for (const args of [["KILL"], ["9"]])
  gone(
    `kill ID ${args.join(" ")}: all of them`,
    async (c) => {
      const pids = await left(c);
      succeed(await c.runt(["kill", c.id, ...args]));
      assert.ok(await allDie(pids));
      assert.equal(await pidsOf(c), []);
      // As runc: there is a cgroup still, and everything in it is dead.
      succeed(await c.runt(["kill", c.id, ...args]));
      succeed(await c.runt(["delete", c.id]));
    },
    newer,
  );

gone("kill with another signal is for the init process alone, as with runc", async (c) => {
  const pids = await left(c);
  for (const signal of ["TERM", "HUP", "0"])
    refuse(await c.runt(["kill", c.id, signal]), "container not running");
  assert.ok(pids.every(isAlive));
});

gone(
  "kill --all: with any signal",
  async (c) => {
    const pids = await left(c);
    succeed(await c.runt(["kill", "--all", c.id, "TERM"]));
    assert.ok(await allDie(pids));
  },
  { runcMayFail: "newer ones have given it up" },
);

gone(
  "pause: paused, with who is left frozen; resume; and a kill of what is frozen",
  async (c) => {
    const pids = await left(c);
    succeed(await c.runt(["pause", c.id]));
    assert.is((await c.state()).status, "paused");
    refuse(await c.runt(["pause", c.id]), "container not running: it is paused");
    refuse(await c.runt(["delete", c.id]), "that is not stopped: paused");
    refuse(await c.runt(["exec", "--ignore-paused", c.id, "true"]), "cannot exec in a stopped container");
    succeed(await c.runt(["resume", c.id]));
    assert.is((await c.state()).status, "stopped");
    assert.ok(pids.every(isAlive));
    succeed(await c.runt(["pause", c.id]));
    succeed(await c.runt(["kill", c.id, "KILL"]));
    assert.ok(await allDie(pids));
    assert.is((await c.state()).status, "stopped");
    refuse(await c.runt(["pause", c.id]), "container not running: it is stopped");
  },
  { runcFails: "it freezes nothing of a container that has stopped" },
);

for (const args of [["delete"], ["delete", "--force"]])
  gone(`${args.join(" ")}: nobody is left`, async (c) => {
    const pids = await left(c);
    succeed(await c.runt([...args, c.id]));
    assert.ok(pids.every((pid) => !isAlive(pid)));
    refuse(await c.runt(["state", c.id]), "does not exist");
  });

gone(
  "delete --force of what is frozen: nobody is left",
  async (c) => {
    const pids = await left(c);
    succeed(await c.runt(["pause", c.id]));
    succeed(await c.runt(["delete", "--force", c.id]));
    assert.ok(pids.every((pid) => !isAlive(pid)));
  },
  { runcFails: "it freezes nothing of a container that has stopped" },
);

gone(
  "a pid namespace that others have as well is none of its own",
  async (c) => {
    const pids = await left(c, (spec) => {
      spec.linux.namespaces.push({ type: "pid", path: "/proc/self/ns/pid" });
    });
    succeed(await c.runt(["kill", c.id, "KILL"]));
    assert.ok(await allDie(pids));
  },
  newer,
);

gone.run();
