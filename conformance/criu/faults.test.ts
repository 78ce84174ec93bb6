// serial
// Every system call of a restore, one after the other, fails: then there is one clear error and nothing of the container,
// or it goes on without; and every call of a checkpoint, upon which the container goes on, or has been saved.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, type Result, runCommand } from "../command.ts";
import { faultsAt } from "../faulty.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { findLeftovers, nothingLeft } from "../leftovers.ts";
import { faultsPath } from "../needs.ts";
import { shell } from "../spec.ts";
import { fakeCriu, type Peer } from "./peer.ts";

const faults = conformance("checkpoint and restore: every call fails once");

type Faulty = (fault: string, words: readonly string[], conduct?: string) => Promise<Result>;

function faulty(c: Fixture, peer: Peer): Faulty {
  return (fault, words, conduct) => {
    const { env = {} } = peer.behaving(conduct);
    return runCommand([faultsPath, "--root", c.root, ...words], { env: { ...env, RUNT_FAULT: fault } });
  };
}

/** How often it makes each call, but for close(2), which frees a descriptor whatever it returns. */
function callsIn(trace: string): Map<string, number> {
  const calls = new Map<string, number>();
  for (const [, name = ""] of readFileSync(trace, "utf8").matchAll(/^[\d.]+ (\w+)\(/gm))
    if (name !== "close") calls.set(name, (calls.get(name) ?? 0) + 1);
  return calls;
}

/** One clear error, and perhaps what could not be undone because the same call failed there. */
function clear({ status, stderr }: Result): boolean {
  const lines = stderr.trimEnd().split("\n");
  const besides = lines.slice(0, -1).filter((line) => !/level=warning msg="cannot /.test(line));
  return (
    status === 1 &&
    besides.length === 0 &&
    /EIO|input\/output error|criu ended|executable file not found|ENOTEMPTY/.test(stderr)
  );
}

async function each(jobs: string[], act: (fault: string) => Promise<string[]>): Promise<string[]> {
  const problems: string[] = [];
  const worker = async (): Promise<void> => {
    for (let fault = jobs.shift(); fault !== undefined; fault = jobs.shift())
      problems.push(...(await act(fault)).map((what) => `${fault}: ${what}`));
  };
  await Promise.all([worker(), worker()]);
  return problems;
}

faults(
  "restore",
  async (c) => {
    const run = faulty(c, fakeCriu(c));
    mkdirSync(join(c.dir, "images"));
    writeFileSync(join(c.dir, "images/descriptors.json"), "[]");
    c.configure((spec) =>
      spec.mounts.push({ destination: "/data", type: "bind", source: c.dir, options: ["bind", "ro"] }),
    );
    const words = (id: string) => [
      "restore",
      "-d",
      "--bundle",
      c.bundle,
      "--image-path",
      join(c.dir, "images"),
      id,
    ];
    const trace = join(c.dir, "trace");
    succeed(await run("none:1:EIO", ["--trace", trace, ...words(c.id)]));
    succeed(await c.deleteForce());
    const survived: string[] = [];
    const problems = await each(faultsAt(callsIn(trace), "EIO"), async (fault) => {
      const id = `${c.token}.${fault.replaceAll(":", "_")}`;
      const result = await run(fault, words(id));
      const wrong: string[] = [];
      if (result.status === 0) survived.push(fault.split(":", 1)[0] ?? "");
      else if (!clear(result)) wrong.push(`exit ${result.status ?? result.signal}: ${result.stderr}`);
      if (result.status === 0 || result.stderr.includes("level=warning")) succeed(await c.deleteForce(id));
      if ((await c.runt(["state", id])).status === 0) wrong.push("it has a state");
      await eventually(() => nothingLeft(findLeftovers(id)), 3);
      const left = findLeftovers(id);
      if (!nothingLeft(left)) wrong.push(`left behind: ${JSON.stringify(left)}`);
      return wrong;
    });
    assert.equal(problems, []);
    console.log(`goes on without: ${[...new Set(survived)].join(" ")}`);
  },
  { needs: ["faults", "built"] },
);

faults(
  "checkpoint",
  async (c) => {
    const run = faulty(c, fakeCriu(c));
    c.configure((spec) => shell(spec, "exec sleep 1000"));
    const images = join(c.dir, "images");
    const words = ["checkpoint", "--image-path", images, c.id];
    const start = async () => succeed(await c.runt(["run", "-d", "--bundle", c.bundle, c.id]));
    const trace = join(c.dir, "trace");
    await start();
    succeed(await run("none:1:EIO", ["--trace", trace, ...words]));
    await start();
    // One after the other: it is one container.
    const jobs = faultsAt(callsIn(trace), "EIO");
    const problems: string[] = [];
    for (const fault of jobs) {
      rmSync(images, { recursive: true, force: true });
      // One that was ended a moment ago may have looked alive.
      if (!(await c.runt(["state", c.id])).stdout.includes('"status": "running"')) {
        await c.deleteForce();
        await start();
      }
      const result = await run(fault, words);
      const state = await c.runt(["state", c.id]);
      const runs = state.stdout.includes('"status": "running"');
      // Once criu has ended its processes the container cannot go on; it has stopped then, for who deletes it.
      const saved = state.stdout.includes('"status": "stopped"') || state.status !== 0;
      if (result.status !== 0 && !clear(result))
        problems.push(`${fault}: ${result.status}: ${result.stderr}`);
      if (result.status === 0 && state.status === 0) problems.push(`${fault}: it is still there`);
      if (!runs && !saved) problems.push(`${fault}: ${state.stdout}${state.stderr}`);
    }
    assert.equal(problems, []);
    succeed(await c.deleteForce());
  },
  { needs: ["faults", "built"] },
);

faults.run();
