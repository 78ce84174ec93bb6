// arm64
// vm
// The states of a container, what `state` and `list` say of each, and who may follow whom.
import { chmodSync, chownSync, mkdirSync, readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { eventually, sleep } from "../command.ts";
import { type ContainerState, conformance, refuse, succeed } from "../harness.ts";
import { isAlive, statusField } from "../inspect.ts";
import { shell } from "../spec.ts";

const states = conformance("states");

states("create, start, kill, delete: created, running, stopped, gone", async (c) => {
  c.configure((spec) => shell(spec, "exec sleep 60"));
  succeed(await c.create());
  const created = await c.state();
  assert.is(created.status, "created");
  assert.ok(created.pid > 1 && isAlive(created.pid));
  succeed(await c.runt(["start", c.id]));
  const running = await c.state();
  assert.is(running.status, "running");
  assert.is(running.pid, created.pid);
  assert.ok(await eventually(() => statusField(created.pid, "Name") === "sleep"));
  succeed(await c.runt(["kill", c.id, "KILL"]));
  assert.ok(await eventually(() => !isAlive(created.pid)));
  const stopped = await c.state();
  assert.is(stopped.status, "stopped");
  assert.is(stopped.pid, 0);
  succeed(await c.runt(["delete", c.id]));
  refuse(await c.runt(["state", c.id]), "does not exist");
});

states("a container that waits for start holds less than 0.8 MB of memory of its own", async (c) => {
  c.configure((spec) => shell(spec, "exec sleep 60"));
  succeed(await c.create());
  const { pid } = await c.state();
  const anonymous = /^Anonymous: +([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1];
  // The blocks of the heap that it touches lie close together (syscalls/engine/heap_order.txt).
  assert.ok(Number(anonymous) < 800, `${anonymous} kB`);
});

states("state prints runc's keys in runc's order, two blanks deep", async (c) => {
  c.configure((spec) => {
    shell(spec, "exec sleep 60");
    spec.annotations = { "org.example.a": "one", "org.example.b": "" };
  });
  succeed(await c.create());
  const { stdout } = await c.runt(["state", c.id]);
  const state = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(Object.keys(state), [
    "ociVersion",
    "id",
    "pid",
    "status",
    "bundle",
    "rootfs",
    "created",
    "annotations",
    "owner",
  ]);
  assert.is(stdout, JSON.stringify(state, null, 2));
  assert.match(String(state.ociVersion), /^1\.\d+\.\d+/);
  assert.is(state.id, c.id);
  assert.is(state.bundle, c.bundle);
  assert.is(state.rootfs, c.rootfs);
  assert.match(String(state.created), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
  assert.equal(state.annotations, { "org.example.a": "one", "org.example.b": "" });
  assert.is(state.owner, "");
});

states("state leaves annotations out when there are none", async (c) => {
  succeed(await c.create());
  assert.not("annotations" in (await c.state()));
});

states("an init process that is killed before start is stopped, and start says so", async (c) => {
  succeed(await c.create());
  const { pid } = await c.state();
  process.kill(pid, "SIGKILL");
  assert.ok(await eventually(() => !isAlive(pid)));
  assert.is((await c.state()).status, "stopped");
  refuse(await c.runt(["start", c.id]), "cannot start a container that has stopped");
});

states("a container that ended by itself is stopped", async (c) => {
  succeed(await c.create());
  const { pid } = await c.state();
  succeed(await c.runt(["start", c.id]));
  assert.ok(await eventually(() => !isAlive(pid)));
  assert.is((await c.state()).status, "stopped");
  succeed(await c.runt(["delete", c.id]));
});

states("the process does not run before start", async (c) => {
  c.configure((spec) => shell(spec, "echo started"));
  const out = `${c.dir}/out`;
  succeed(await c.create({ stdout: out }));
  await sleep(0.2);
  const text = () => readFileSync(out, "utf8");
  assert.is(text(), "");
  succeed(await c.runt(["start", c.id]));
  assert.ok(await eventually(() => text() === "started\n"));
});

states("config.json changed after create has no effect", async (c) => {
  c.configure((spec) => shell(spec, "exec sleep 60"));
  succeed(await c.create());
  c.configure((spec) => {
    spec.process.args = ["/nonexistent"];
    spec.annotations = { late: "yes" };
  });
  succeed(await c.runt(["start", c.id]));
  assert.is((await c.state()).status, "running");
  assert.not("annotations" in (await c.state()));
});

states("pause and resume: paused, running; delete needs --force", async (c) => {
  c.configure((spec) => shell(spec, "exec sleep 60"));
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
  succeed(await c.runt(["pause", c.id]));
  assert.is((await c.state()).status, "paused");
  refuse(await c.runt(["pause", c.id]), "container not running");
  refuse(await c.runt(["delete", c.id]), "not stopped: paused");
  succeed(await c.runt(["resume", c.id]));
  assert.is((await c.state()).status, "running");
  refuse(await c.runt(["resume", c.id]), "container not paused");
});

states("list as a table, as JSON and as ids", async (c) => {
  mkdirSync(c.root, { mode: 0o700 });
  assert.is(succeed(await c.runt(["list", "-f", "json"])).stdout.trim(), "null");
  succeed(await c.create());
  const { pid } = await c.state();
  const listed = JSON.parse((await c.runt(["list", "--format", "json"])).stdout) as ContainerState[];
  assert.equal(
    listed.map((each) => [each.id, each.pid, each.status, each.bundle]),
    [[c.id, pid, "created", c.bundle]],
  );
  assert.is((await c.runt(["list", "-q"])).stdout, `${c.id}\n`);
  const [head = "", line = ""] = (await c.runt(["list"])).stdout.split("\n");
  assert.equal(head.trim().split(/ +/), ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]);
  const columns = line.trim().split(/ +/);
  assert.equal([...columns.slice(0, 4), columns[5]], [c.id, String(pid), "created", c.bundle, "root"]);
});

for (const [title, idOf] of [
  ["beginning with a dot", (token: string) => `.${token}`],
  ["of 255 letters, the longest name of a directory", (token: string) => token.padEnd(255, "x")],
] as const)
  states(`an id ${title}`, async (c) => {
    const id = idOf(c.token);
    c.configure((spec) => shell(spec, "exec sleep 60"));
    succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, id]));
    assert.is(succeed(await c.runt(["list", "--quiet"])).stdout, `${id}\n`);
    succeed(await c.runt(["exec", id, "true"]));
    succeed(await c.deleteForce(id));
    assert.is(succeed(await c.runt(["list", "--quiet"])).stdout, "");
  });

states("a state root of somebody else, with a group that may write to it", async (c) => {
  mkdirSync(c.root);
  chmodSync(c.root, 0o770);
  chownSync(c.root, 1000, 1000);
  succeed(await c.run());
});

states.run();
