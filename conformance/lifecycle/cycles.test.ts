// serial
// Many whole lives of containers, four at a time, leave the machine as it was. RUNT_CYCLES says how many (`npm run soak`).
import { readdirSync, readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { fourAtATime } from "../exec/many.ts";
import { conformance, succeed } from "../harness.ts";
import { findLeftovers, nothingLeft } from "../leftovers.ts";

const cycles = conformance("cycles");
const count = Number(process.env.RUNT_CYCLES ?? 500);
const mounts = (): number => readFileSync("/proc/self/mountinfo", "utf8").split("\n").length;

cycles(`${count} times create, start, delete`, async (c) => {
  const before = mounts();
  await fourAtATime(count, async (i) => {
    const id = `${c.id}.${i}`;
    succeed(await c.runt(["create", "--bundle", c.bundle, id]));
    succeed(await c.runt(["start", id]));
    succeed(await c.deleteForce(id));
  });
  await eventually(() => nothingLeft(findLeftovers(c.token)), 5);
  assert.ok(nothingLeft(findLeftovers(c.token)), JSON.stringify(findLeftovers(c.token)));
  assert.equal(readdirSync(c.root), []);
  assert.is(mounts(), before);
  const keyrings = () => findLeftovers(c.token).keyrings;
  await eventually(() => keyrings().length === 0, 15);
  assert.equal(keyrings(), []);
});

cycles.run();
