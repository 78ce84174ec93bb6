// What a process of exec gets though it is no child of the container's init: scheduling, personality, memory
// policy and the time namespace.
import { writeFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { conformance, type Fixture, succeed } from "../harness.ts";
import type { Spec } from "../spec.ts";

const exec = conformance("exec settings");
const runcFails = "runc 1.1.5 does not have them";

async function start(c: Fixture, edit: (spec: Spec) => void): Promise<void> {
  c.configure((spec) => {
    spec.process.args = ["sleep", "60"];
    edit(spec);
  });
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id], { stdout: "/dev/null" }));
}

exec(
  "personality, memory policy and clocks are the container's",
  async (c) => {
    await start(c, ({ linux }) => {
      linux.personality = { domain: "LINUX32" };
      linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0" };
      linux.namespaces.push({ type: "time" });
      linux.timeOffsets = { boottime: { secs: 4242 } };
    });
    const script =
      "readlink /proc/1/ns/time; readlink /proc/$$/ns/time; cat /proc/self/personality; grep -m1 file= /proc/self/numa_maps";
    const [init, own, domain, map] = succeed(await c.runt(["exec", c.id, "sh", "-c", script])).stdout.split(
      "\n",
    );
    assert.is(own, init);
    assert.is(domain, "00000008");
    assert.match(map ?? "", " bind:0 ");
  },
  { runcFails },
);

exec(
  "scheduling is that of its own process object",
  async (c) => {
    await start(c, () => {});
    const process = {
      args: ["sh", "-c", "cut -d' ' -f19,41 /proc/$$/stat; ionice -p $$; true"],
      env: ["PATH=/bin"],
      cwd: "/",
      scheduler: { policy: "SCHED_BATCH", nice: 3 },
      ioPriority: { class: "IOPRIO_CLASS_BE", priority: 1 },
    };
    writeFileSync(`${c.dir}/process.json`, JSON.stringify(process));
    const result = succeed(await c.runt(["exec", "--process", `${c.dir}/process.json`, c.id]));
    assert.is(result.stdout, "3 3\nbest-effort: prio 1\n");
  },
  { runcFails },
);

exec.run();
