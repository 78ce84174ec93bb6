// serial
// Every system call of `create`, one after the other, fails. Either create goes on without it, in a way that is
// listed here with its reason, or it fails with one message and leaves nothing; it never hangs or crashes.
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { callsOfCreate, createFaulty, faultsAt } from "../faulty.ts";
import { conformance } from "../harness.ts";
import { findLeftovers, nothingLeft } from "../leftovers.ts";

const faulty = conformance("every call fails once");

/** Calls whose failure create can do without. */
const dispensable: Readonly<Record<string, string>> = {
  clone3: "the child traces its own return, so it is counted twice",
};

faulty(
  "create [EIO at each of its calls]",
  async (c) => {
    const calls = await callsOfCreate(c);
    // close(2) frees the descriptor whatever it returns; a fault, which leaves it open, is no failure of this world.
    calls.delete("close");
    const jobs = faultsAt(calls, "EIO");
    const problems: string[] = [];
    const survived: string[] = [];
    const worker = async (): Promise<void> => {
      for (let fault = jobs.shift(); fault !== undefined; fault = jobs.shift()) {
        const id = `${c.token}.${fault.replaceAll(":", "_")}`;
        const made = await createFaulty(c, id, fault);
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
        else {
          // Each process counts its own calls: what failed in the child may fail again where the parent undoes it. That
          // is told besides, and whoever deletes by force gets rid of what is left.
          const besides = made.stderr.trimEnd().split("\n").slice(0, -1);
          if (besides.some((line) => !/level=warning msg="cannot remove /.test(line)))
            wrong("more than one line");
          if (besides.length > 0 && (await c.deleteForce(id)).status !== 0) wrong("delete --force");
        }
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
