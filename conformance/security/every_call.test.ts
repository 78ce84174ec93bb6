// serial
// Every system call of `create`, one after the other, fails. Either create goes on without it, in a way that is
// listed here with its reason, or it fails with one message and leaves nothing; it never hangs or crashes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { findLeftovers, nothingLeft } from "../leftovers.ts";
import { faultsPath } from "../needs.ts";

const faulty = conformance("every call fails once");

/** Calls whose failure create can do without. */
const dispensable: Readonly<Record<string, string>> = {
  clone3: "the child traces its own return, so it is counted twice",
};

const create = (c: Fixture, id: string, fault: string, ...more: string[]): Promise<Result> =>
  runCommand([faultsPath, "--root", c.root, ...more, "create", "--bundle", c.bundle, id], {
    env: { ...(process.env as Record<string, string>), RUNT_FAULT: fault },
  });

/** How often create makes each call, all its processes together. */
async function callsOf(c: Fixture): Promise<Map<string, number>> {
  const trace = join(c.dir, "trace");
  succeed(await create(c, c.id, "none:1:EIO", "--trace", trace));
  succeed(await c.deleteForce());
  const calls = new Map<string, number>();
  for (const [, name = ""] of readFileSync(trace, "utf8").matchAll(/^[\d.]+ (\w+)\(/gm))
    calls.set(name, (calls.get(name) ?? 0) + 1);
  return calls;
}

faulty(
  "create [EIO at each of its calls]",
  async (c) => {
    const calls = await callsOf(c);
    // close(2) frees the descriptor whatever it returns; a fault, which leaves it open, is no failure of this world.
    calls.delete("close");
    const jobs = [...calls].flatMap(([name, count]) =>
      Array.from({ length: count }, (_, i) => `${name}:${i + 1}:EIO`),
    );
    const problems: string[] = [];
    const survived: string[] = [];
    const worker = async (): Promise<void> => {
      for (let fault = jobs.shift(); fault !== undefined; fault = jobs.shift()) {
        const id = `${c.token}.${fault.replaceAll(":", "_")}`;
        const made = await create(c, id, fault);
        const wrong = (what: string) =>
          problems.push(`${fault}: ${what}: exit ${made.status ?? made.signal} ${made.stderr}`);
        if (made.status === 0) {
          survived.push(fault.split(":", 1)[0] ?? "");
          const state = await c.runt(["state", id]);
          if (!state.stdout.includes('"status": "created"')) wrong(`state: ${state.stdout}${state.stderr}`);
          const deleted = await c.deleteForce(id);
          if (deleted.status !== 0) wrong(`delete: ${deleted.stderr}`);
        } else if (made.status !== 1 || !/EIO|input\/output error/.test(made.stderr))
          wrong("not one clear error");
        else if (made.stderr.trimEnd().split("\n").length !== 1) wrong("more than one line");
        if ((await c.runt(["state", id])).status === 0) wrong("it still has a state");
        await eventually(() => nothingLeft(findLeftovers(id)), 3);
        const left = findLeftovers(id);
        if (!nothingLeft(left)) wrong(`left behind: ${JSON.stringify(left)}`);
      }
    };
    await Promise.all([worker(), worker()]);
    assert.equal(problems, []);
    const unexplained = survived.filter((name) => !(name in dispensable));
    assert.equal(unexplained, []);
  },
  { needs: ["faults"] },
);

faulty.run();
