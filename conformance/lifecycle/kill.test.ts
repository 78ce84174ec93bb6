// kill and delete: which signals arrive, by which names, and what happens to containers that are not there.
import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { isAlive } from "../inspect.ts";
import { shell } from "../spec.ts";

const kill = conformance("kill");

/** Starts a container that writes the name of each signal of these that it gets, and waits until it listens. */
async function listening(c: Fixture, signals: readonly string[]): Promise<() => string> {
  const traps = signals.map((name) => `trap 'echo ${name}' ${name}; `).join("");
  c.configure((spec) => shell(spec, `${traps}echo ready; while :; do sleep 0.02; done`));
  const out = `${c.dir}/out`;
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id], { stdout: out }));
  const text = () => readFileSync(out, "utf8");
  assert.ok(await eventually(() => text() === "ready\n"));
  return () => text().slice("ready\n".length);
}

for (const [given, arrives] of [
  ["TERM", "TERM"],
  ["SIGTERM", "TERM"],
  ["sigterm", "TERM"],
  ["hup", "HUP"],
  ["15", "TERM"],
  ["10", "USR1"],
  ["USR2", "USR2"],
  ["SIGWINCH", "WINCH"],
] as const)
  kill(`kill ID ${given}: ${arrives} arrives`, async (c) => {
    const heard = await listening(c, [arrives]);
    succeed(await c.runt(["kill", c.id, given]));
    assert.ok(await eventually(() => heard() === `${arrives}\n`), `heard ${JSON.stringify(heard())}`);
  });

for (const [words, arrives] of [
  [["-10", "ID"], "USR1"],
  [["-USR2", "ID"], "USR2"],
  [["-sigterm", "ID"], "TERM"],
  [["ID", "-HUP"], "HUP"],
  [["-s", "HUP", "ID"], "HUP"],
  [["--signal=hup", "ID"], "HUP"],
  [["-as", "HUP", "ID"], "HUP"],
] as const)
  kill(
    `kill ${words.join(" ")}, as of kill(1): ${arrives} arrives`,
    async (c) => {
      const heard = await listening(c, [arrives]);
      succeed(await c.runt(["kill", ...words.map((word) => (word === "ID" ? c.id : word))]));
      assert.ok(await eventually(() => heard() === `${arrives}\n`), `heard ${JSON.stringify(heard())}`);
    },
    { runcFails: "it knows the signal as the second word alone" },
  );

kill("without a signal: TERM", async (c) => {
  const heard = await listening(c, ["TERM"]);
  succeed(await c.runt(["kill", c.id]));
  assert.ok(await eventually(() => heard() === "TERM\n"));
});

kill("--all before the id, as containerd passes it", async (c) => {
  await listening(c, []);
  const { pid } = await c.state();
  succeed(await c.runt(["kill", "--all", c.id, "9"]));
  assert.ok(await eventually(() => !isAlive(pid)));
});

kill("an empty word for the signal, as of an unset variable: TERM", async (c) => {
  const heard = await listening(c, ["TERM"]);
  succeed(await c.runt(["kill", c.id, ""]));
  assert.ok(await eventually(() => heard() === "TERM\n"));
});

kill("--all behind the words", async (c) => {
  await listening(c, []);
  succeed(await c.runt(["kill", c.id, "9", "--all"]));
  assert.ok(await eventually(async () => (await c.state()).status === "stopped"));
});

kill("signal 0 of a running container: nothing happens, exit 0", async (c) => {
  await listening(c, []);
  succeed(await c.runt(["kill", c.id, "0"]));
  assert.is((await c.state()).status, "running");
});

kill("a created container can be killed", async (c) => {
  succeed(await c.create());
  const { pid } = await c.state();
  succeed(await c.runt(["kill", c.id, "KILL"]));
  assert.ok(await eventually(() => !isAlive(pid)));
});

kill("a paused container dies of KILL", async (c) => {
  await listening(c, []);
  const { pid } = await c.state();
  succeed(await c.runt(["pause", c.id]));
  succeed(await c.runt(["kill", c.id, "KILL"]));
  assert.ok(await eventually(() => !isAlive(pid)));
});

kill("an unknown signal is refused by name", async (c) => {
  succeed(await c.create());
  refuse(await c.runt(["kill", c.id, "SIGNONE"]), "unknown signal");
  assert.is((await c.state()).status, "created");
});

kill("a stopped container: container not running", async (c) => {
  succeed(await c.create());
  const { pid } = await c.state();
  process.kill(pid, "SIGKILL");
  assert.ok(await eventually(() => !isAlive(pid)));
  refuse(await c.runt(["kill", c.id, "TERM"]), "container not running");
});

kill("a container that is not there", async (c) => {
  refuse(await c.runt(["kill", c.id, "TERM"]), "does not exist");
});

kill("delete --force of a container that is not there: exit 0 and silence", async (c) => {
  const result = succeed(await c.deleteForce());
  assert.is(result.stdout + result.stderr, "");
});

kill("delete of a container that is not there", async (c) => {
  refuse(await c.runt(["delete", c.id]), "does not exist");
});

kill("delete of a running container is refused and changes nothing; --force takes it", async (c) => {
  await listening(c, []);
  const { pid } = await c.state();
  refuse(await c.runt(["delete", c.id]), "not stopped: running");
  assert.is((await c.state()).status, "running");
  succeed(await c.deleteForce());
  assert.ok(!isAlive(pid));
  refuse(await c.runt(["state", c.id]), "does not exist");
});

kill("delete of a created container needs no force", async (c) => {
  succeed(await c.create());
  const { pid } = await c.state();
  succeed(await c.runt(["delete", c.id]));
  assert.ok(await eventually(() => !isAlive(pid)));
});

kill("delete --force when processes without a pid namespace outlive init", async (c) => {
  c.configure((spec) => {
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
    shell(spec, "sleep 61 & sleep 62 & exec sleep 63");
  });
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
  succeed(await c.deleteForce());
});

kill.run();
