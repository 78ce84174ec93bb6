// serial
// The runtime is killed at moments spread over the whole of create. Whatever it had made by then, the state is
// never a lie, `delete --force` succeeds, and nothing is left.
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, sleep } from "../command.ts";
import { callsOfCreate, createFaulty, faultsAt } from "../faulty.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { findLeftovers, nothingLeft } from "../leftovers.ts";

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
  "create [SIGKILL at each of its calls, then delete --force]",
  async (c) => {
    const jobs = faultsAt(await callsOfCreate(c), "KILL");
    const problems: string[] = [];
    let died = 0;
    const worker = async (): Promise<void> => {
      for (let fault = jobs.shift(); fault !== undefined; fault = jobs.shift()) {
        const id = `${c.token}.${fault.replaceAll(":", "_")}`;
        const made = await createFaulty(c, id, fault);
        if (made.signal === "SIGKILL") died++;
        const state = await c.runt(["state", id]);
        if (state.status === 0 && !/"status": "(creating|created|stopped)"/.test(state.stdout))
          problems.push(`${fault}: ${state.stdout}`);
        const removed = await c.deleteForce(id);
        if (removed.status !== 0) problems.push(`${fault}: delete --force: ${removed.stderr}`);
        if (existsSync(join(c.root, id))) problems.push(`${fault}: its state directory stays`);
        await eventually(() => nothingLeft(findLeftovers(id)), 5);
        const left = findLeftovers(id);
        if (!nothingLeft(left)) problems.push(`${fault}: left behind: ${JSON.stringify(left)}`);
      }
    };
    await Promise.all([worker(), worker()]);
    assert.equal(problems, []);
    // The others are the init process's own, which as process 1 of its namespace does not die of its own signal.
    assert.ok(died > 50, `${died} died`);
  },
  { needs: ["faults", "built"] },
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
    assert.is((await createFaulty(c, c.id, "clone3:1:KILL")).signal, "SIGKILL");
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
    const { stderr } = refuse(
      await createFaulty(c, c.id, "pivot_root:1:KILL"),
      "container init ended by signal 9",
    );
    assert.is(stderr.trimEnd().split("\n").length, 1, stderr);
  },
  { needs: ["faults", "built"] },
);

killed.run();
