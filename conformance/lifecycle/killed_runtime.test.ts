// serial
// The runtime is killed at moments spread over the whole of create. Whatever it had made by then, the state is
// never a lie, `delete --force` succeeds, and nothing is left.
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand, sleep } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { findLeftovers, nothingLeft } from "../leftovers.ts";
import { faultsPath } from "../needs.ts";

const killed = conformance("killed runtime");
const iterations = Number(process.env.RUNT_KILLS ?? 200);

/** How long an undisturbed create takes here: the median of five. */
async function createSeconds(c: Fixture): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const began = performance.now();
    succeed(await c.create());
    times.push((performance.now() - began) / 1000);
    succeed(await c.deleteForce());
  }
  return times.sort((a, b) => a - b)[2] ?? 0;
}

async function killAfter(c: Fixture, seconds: number, id: string): Promise<void> {
  const running = c.startRunt(["create", "--bundle", c.bundle, id]);
  await sleep(seconds);
  running.kill("SIGKILL");
  await running.done;
  const state = await c.runt(["state", id]);
  if (state.status === 0) assert.match(state.stdout, /"status": "(creating|created|stopped)"/);
  const removed = await c.deleteForce(id);
  const where = `killed after ${(seconds * 1000).toFixed(1)} ms: `;
  assert.is(removed.status, 0, where + removed.stderr);
  assert.not(existsSync(join(c.root, id)), `${where}its state directory stays`);
}

killed(
  `create [SIGKILL at ${iterations} moments, then delete --force]`,
  async (c) => {
    const whole = await createSeconds(c);
    for (let i = 0; i < iterations; i++)
      await killAfter(c, (whole * 1.1 * i) / iterations, `${c.token}.${i}`);
    await eventually(() => nothingLeft(findLeftovers(c.token)), 5);
    const left = findLeftovers(c.token);
    assert.ok(nothingLeft(left), `left behind: ${left.cgroups.length} cgroups, ${JSON.stringify(left)}`);
  },
  { runcFails: "runc 1.1.5 leaves cgroups when it is killed before it has written its state" },
);

killed(
  "an id whose create was killed can be used again",
  async (c) => {
    const whole = await createSeconds(c);
    for (const part of [0.3, 0.6, 0.9]) await killAfter(c, whole * part, c.id);
    succeed(await c.create());
  },
  { runcMayFail: "runc 1.1.5 leaves cgroups when it is killed before it has written its state" },
);

killed(
  "what a killed create leaves is stopped, and deleted without --force [no process yet]",
  async (c) => {
    const command = [faultsPath, "--root", c.root, "create", "--bundle", c.bundle, c.id];
    const env = { ...(process.env as Record<string, string>), RUNT_FAULT: "clone3:1:KILL" };
    assert.is((await runCommand(command, { env })).signal, "SIGKILL");
    assert.is((await c.state()).status, "stopped");
    refuse(await c.runt(["start", c.id]), "cannot start a container that has stopped");
    succeed(await c.runt(["delete", c.id]));
  },
  { needs: ["faults", "built"] },
);

killed(
  "an init process that is killed is told in one line",
  async (c) => {
    // In a pid namespace of its own it would be process 1, which cannot kill itself.
    c.configure(({ linux }) => {
      linux.namespaces = linux.namespaces.filter(({ type }) => type !== "pid");
    });
    const command = [faultsPath, "--root", c.root, "create", "--bundle", c.bundle, c.id];
    const env = { ...(process.env as Record<string, string>), RUNT_FAULT: "pivot_root:1:KILL" };
    const { stderr } = refuse(await runCommand(command, { env }), "container init ended by signal 9");
    assert.is(stderr.trimEnd().split("\n").length, 1, stderr);
  },
  { needs: ["faults", "built"] },
);

killed.run();
