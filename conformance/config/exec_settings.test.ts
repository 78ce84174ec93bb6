// What a process of exec gets though it is no child of the container's init: scheduling, personality, memory
// policy and the time namespace.
import { writeFileSync } from "node:fs";
import { release } from "node:os";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
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

const allowed = "grep Cpus_allowed_list /proc/self/status | cut -f2";
const affinityOf = async (c: Fixture, wrap: readonly string[] = []): Promise<string> => {
  const command = [runtimePath, "--root", c.root, "exec", c.id, "sh", "-c", allowed];
  return succeed(await runCommand([...wrap, ...command])).stdout;
};

const [major = 0, minor = 0] = release().split(".").map(Number);
const oldKernel = major < 6 || (major === 6 && minor < 2);

for (const [title, affinity, expected] of [
  ["final", { final: "1" }, "1\n"],
  // Before Linux 6.2 a cgroup's cpuset takes the place of what was set before joining it.
  ["initial alone stays", { initial: "1" }, oldKernel ? "0-1\n" : "1\n"],
  ["initial, then final", { initial: "0", final: "1" }, "1\n"],
  ["a list", { final: "0-1" }, "0-1\n"],
] as const)
  exec(
    `execCPUAffinity [${title}]`,
    async (c) => {
      await start(c, ({ process }) => {
        process.execCPUAffinity = affinity;
      });
      assert.is(await affinityOf(c), expected);
    },
    { needs: ["two-cpus"], runcFails },
  );

exec(
  "execCPUAffinity of a process file goes before the container's; without one there, that one is taken",
  async (c) => {
    await start(c, ({ process }) => {
      process.execCPUAffinity = { final: "1" };
    });
    const file = `${c.dir}/process.json`;
    const process = { args: ["sh", "-c", allowed], env: ["PATH=/bin"], cwd: "/" };
    for (const [own, expected] of [
      [{}, "1\n"],
      [{ execCPUAffinity: { final: "0" } }, "0\n"],
    ] as const) {
      writeFileSync(file, JSON.stringify({ ...process, ...own }));
      assert.is(succeed(await c.runt(["exec", "--process", file, c.id])).stdout, expected);
    }
  },
  { needs: ["two-cpus"], runcFails },
);

exec(
  "without it the caller's affinity is not the process's",
  async (c) => {
    await start(c, () => {});
    assert.is(await affinityOf(c, ["taskset", "-c", "0"]), await affinityOf(c));
  },
  { needs: ["two-cpus", "taskset"], runcFails },
);

for (const [affinity, text] of [
  [
    { final: "4095" },
    "set final CPU affinity 4095: EINVAL (invalid argument), asked for by process.execCPUAffinity.final",
  ],
  [
    { initial: "4095" },
    "set initial CPU affinity 4095: EINVAL (invalid argument), asked for by process.execCPUAffinity.initial",
  ],
] as const)
  exec(
    `execCPUAffinity: CPUs that are not there are refused by their field [${Object.keys(affinity)}]`,
    async (c) => {
      await start(c, ({ process }) => {
        process.execCPUAffinity = affinity;
      });
      const result = refuse(await c.runt(["exec", c.id, "true"]), text);
      assert.is(result.status, 255);
    },
    { runcFails },
  );

exec(
  "a scheduler that is not handed on by a fork: SCHED_RESET_ON_FORK, and a deadline",
  async (c) => {
    await start(c, () => {});
    const file = `${c.dir}/process.json`;
    // The program itself looks: with a deadline it cannot fork.
    const args = ["cut", "-d", " ", "-f19,41", "/proc/self/stat"];
    for (const [scheduler, expected] of [
      [{ policy: "SCHED_BATCH", nice: 7, flags: ["SCHED_FLAG_RESET_ON_FORK"] }, "7 3\n"],
      [{ policy: "SCHED_DEADLINE", runtime: 2_000_000, deadline: 20_000_000 }, "0 6\n"],
    ] as const) {
      writeFileSync(file, JSON.stringify({ args, env: ["PATH=/bin"], cwd: "/", scheduler }));
      assert.is(succeed(await c.runt(["exec", "--process", file, c.id])).stdout, expected);
    }
  },
  { runcFails },
);

exec.run();
