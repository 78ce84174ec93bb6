// serial
// Many execs and many attached runs, four at a time: each has the right status, and nothing is left. RUNT_EXECS and
// RUNT_RUNS say how many (`npm run soak`).
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { conformance, type Fixture } from "../harness.ts";
import { cgroupDirectory } from "../inspect.ts";
import { findLeftovers, nothingLeft } from "../leftovers.ts";
import { shell } from "../spec.ts";
import { fourAtATime } from "./many.ts";
import { exec, execShell, runWaiting } from "./running.ts";

const soak = conformance("soak");
const execs = Number(process.env.RUNT_EXECS ?? 80);
const runs = Number(process.env.RUNT_RUNS ?? 24);

/** Children of this program that have ended and that nobody has waited for. */
const zombies = (): string[] =>
  readFileSync(`/proc/self/task/${process.pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter((pid) => pid !== "" && / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")));

/** What a process holds open; its numbers and where they lead. */
const descriptors = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).map((fd) => `${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`);

const mounts = (pid: number): string => readFileSync(`/proc/${pid}/mountinfo`, "utf8");

async function processesIn(c: Fixture): Promise<number[]> {
  const directory = cgroupDirectory((await c.state()).pid, "memory");
  return readFileSync(`${directory}/cgroup.procs`, "utf8").trim().split("\n").map(Number);
}

soak(
  `${execs} times exec`,
  async (c) => {
    await runWaiting(c);
    const { pid } = await c.state();
    const before = [descriptors(pid), mounts(pid)];
    await fourAtATime(execs, async (i) => {
      const status = i % 5;
      const result = status === 0 ? await exec(c, [], ["true"]) : await execShell(c, `exit ${status}`);
      assert.is(result.timedOut, false, "hung");
      assert.is(result.status, status, result.stderr);
    });
    assert.equal([descriptors(pid), mounts(pid)], before);
    assert.equal(await processesIn(c), [pid]);
    assert.equal(readdirSync(c.root), [c.id]);
    assert.equal(zombies(), []);
  },
  { needs: ["cgroup1"] },
);

soak(`${runs} times run, attached`, async (c) => {
  c.configure((spec) => shell(spec, "cat; exit 3"));
  await fourAtATime(runs, async (i) => {
    const options = { stdin: `input ${i}`, pipes: true };
    const result = await c.runt(["run", "--bundle", c.bundle, `${c.id}.${i}`], options);
    assert.is(result.timedOut, false, "hung");
    assert.is(result.status, 3, result.stderr);
    assert.is(result.stdout, `input ${i}`);
  });
  assert.equal(readdirSync(c.root), []);
  await eventually(() => nothingLeft(findLeftovers(c.token)), 5);
  assert.ok(nothingLeft(findLeftovers(c.token)), JSON.stringify(findLeftovers(c.token)));
  assert.equal(zombies(), []);
});

soak.run();
