// The cgroup files that the runtime under test and runc wrote for one configuration, read from the host.
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { cgroupDirectory, cgroupValue } from "../inspect.ts";
import { cgroupsOf, removeCgroups } from "../leftovers.ts";
import { runtimePath } from "../needs.ts";
import type { Resources } from "../spec.ts";
import { runcPath } from "./compare.ts";

const files: readonly [controller: string, ...files: string[]][] = [
  ["memory", "limit_in_bytes", "soft_limit_in_bytes", "memsw.limit_in_bytes", "swappiness", "oom_control"],
  ["cpu", "shares", "cfs_quota_us", "cfs_period_us", "rt_runtime_us", "idle"],
  ["cpuset", "cpus", "mems", "cpu_exclusive", "mem_exclusive", "sched_load_balance"],
  ["pids", "max"],
  ["blkio", "weight", "bfq.weight", "throttle.read_bps_device"],
  ["devices", "list"],
  ["freezer", "state"],
];

/** Creates, reads and deletes: `file value` for each, and the cgroup's path for each controller. */
async function written(c: Fixture, runtime: string, root: string): Promise<string[]> {
  const command = (...args: string[]) => runCommand([runtime, "--root", root, ...args]);
  try {
    succeed(await command("create", "--bundle", c.bundle, c.id));
    const { pid } = JSON.parse((await command("state", c.id)).stdout) as { pid: number };
    return files.flatMap(([controller, ...names]) => [
      `${controller} ${cgroupDirectory(pid, controller)}`,
      ...names.map(
        (name) => `${controller}.${name} ${cgroupValue(pid, controller, `${controller}.${name}`)}`,
      ),
    ]);
  } finally {
    await command("delete", "--force", c.id);
  }
}

const megabyte = 1 << 20;

const cases: readonly [title: string, resources: Resources, shows: readonly string[], path?: string][] = [
  ["no resources", {}, []],
  ["a memory limit", { memory: { limit: 64 * megabyte } }, ["memory.limit_in_bytes 67108864"]],
  [
    "a memory reservation",
    { memory: { limit: 64 * megabyte, reservation: 32 * megabyte } },
    ["memory.soft_limit_in_bytes 33554432"],
  ],
  ["unlimited memory", { memory: { limit: -1 } }, []],
  ["cpu shares", { cpu: { shares: 512 } }, ["cpu.shares 512"]],
  [
    "cpu quota and period",
    { cpu: { quota: 25000, period: 50000 } },
    ["cpu.cfs_quota_us 25000", "cpu.cfs_period_us 50000"],
  ],
  ["cpu quota alone", { cpu: { quota: 20000 } }, ["cpu.cfs_quota_us 20000"]],
  ["one cpu and one memory node", { cpu: { cpus: "0", mems: "0" } }, ["cpuset.cpus 0", "cpuset.mems 0"]],
  ["a pids limit", { pids: { limit: 42 } }, ["pids.max 42"]],
  ["no pids limit", { pids: { limit: -1 } }, ["pids.max max"]],
  [
    "device rules",
    {
      devices: [
        { allow: false, access: "rwm" },
        { allow: true, type: "c", major: 10, minor: 229, access: "rw" },
        { allow: true, type: "b", major: 7, access: "r" },
        { allow: false, type: "c", major: 1, minor: 5, access: "w" },
      ],
    },
    [],
  ],
  ["every device allowed", { devices: [{ allow: true, access: "rwm" }] }, []],
  [
    "everything at once",
    {
      memory: { limit: 64 * megabyte },
      cpu: { shares: 100, quota: 9000, period: 10000, cpus: "0" },
      pids: { limit: 9 },
    },
    ["pids.max 9", "cpu.shares 100"],
  ],
  ["an absolute cgroupsPath", { pids: { limit: 7 } }, ["pids.max 7"], "/TOKEN-group/inner"],
  ["a relative cgroupsPath", { pids: { limit: 7 } }, ["pids.max 7"], "TOKEN-group/inner"],
  ["a cgroupsPath that tries to climb", { pids: { limit: 7 } }, ["pids.max 7"], "/../../TOKEN-up"],
];

const suite = conformance("oracle: cgroup files");
for (const [title, resources, shows, path] of cases)
  suite(
    title,
    async (c) => {
      c.configure((spec) => {
        spec.linux.resources = { devices: [{ allow: false, access: "rwm" }], ...resources };
        if (path) spec.linux.cgroupsPath = path.replace("TOKEN", c.token);
      });
      const ours = await written(c, runtimePath, c.root);
      const theirs = await written(c, runcPath(), join(c.dir, "oracle-state"));
      assert.equal(ours, theirs);
      assert.equal(
        cgroupsOf(c.token).filter((dir) => !dir.endsWith("-group")), // a parent stays, as with runc
        [],
      );
      removeCgroups(c.token);
      for (const line of shows) assert.ok(ours.includes(line), `${line} is not among\n${ours.join("\n")}`);
    },
    { needs: ["runc", "cgroup1"] },
  );
suite.run();
