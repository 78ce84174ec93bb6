// Commands that meet on one container.
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { conformance, refuse, succeed } from "../harness.ts";
import { isAlive } from "../inspect.ts";
import { shell } from "../spec.ts";

const races = conformance("races");
const times = <T>(count: number, make: () => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, make));

races("8 creates of one id: exactly one wins, and the losers leave it alone", async (c) => {
  c.configure((spec) => shell(spec, "exec sleep 60"));
  const results = await times(8, () => c.create());
  assert.is(results.filter(({ status }) => status === 0).length, 1);
  for (const loser of results.filter(({ status }) => status !== 0))
    refuse(loser, "container with given ID already exists");
  assert.is((await c.state()).status, "created");
  succeed(await c.runt(["start", c.id]));
  assert.is((await c.state()).status, "running");
});

races(
  "4 starts: exactly one wins, none hangs",
  async (c) => {
    c.configure((spec) => shell(spec, "exec sleep 60"));
    succeed(await c.create());
    const results = await times(4, () => c.runt(["start", c.id], { timeoutSeconds: 10 }));
    assert.is(results.filter(({ status }) => status === 0).length, 1);
    for (const loser of results.filter(({ status }) => status !== 0))
      refuse(loser, /cannot start an already running container/);
  },
  { runcMayFail: "runc 1.1.5 may open the fifo after another start emptied it, and wait for ever" },
);

races("4 forced deletes all succeed", async (c) => {
  c.configure((spec) => shell(spec, "exec sleep 60"));
  succeed(await c.create());
  for (const result of await times(4, () => c.deleteForce())) succeed(result);
  refuse(await c.runt(["state", c.id]), "does not exist");
});

races(
  "list while containers come and go is always whole JSON and exit 0",
  async (c) => {
    const other = `${c.token}.other`;
    let churning = true;
    const churn = async () => {
      for (let i = 0; i < 15; i++) {
        succeed(await c.runt(["create", "--bundle", c.bundle, other]));
        succeed(await c.deleteForce(other));
      }
    };
    const watch = async () => {
      while (churning) JSON.parse(succeed(await c.runt(["list", "-f", "json"])).stdout);
    };
    succeed(await c.create());
    const stop = () => {
      churning = false;
    };
    const ends = await Promise.allSettled([churn().finally(stop), watch().finally(stop)]);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  },
  { runcMayFail: "runc before 1.1.13 fails to list when a container goes meanwhile" },
);

races("kill after the process has ended: container not running", async (c) => {
  succeed(await c.create());
  const { pid } = await c.state();
  succeed(await c.runt(["start", c.id]));
  assert.ok(await eventually(() => !isAlive(pid)));
  refuse(await c.runt(["kill", c.id, "0"]), "container not running");
});

races.run();
