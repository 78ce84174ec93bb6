// vm
// The cgroup files that the runtime under test and runc wrote for one configuration, read from the host.
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { cgroupDirectory, cgroupSettings, cgroupValue } from "../inspect.ts";
import { cgroupsOf, removeCgroups } from "../leftovers.ts";
import { cgroupVersion, runtimePath } from "../needs.ts";
import type { Resources } from "../spec.ts";
import { runcPath } from "./compare.ts";

/** Of v1; of v2, every file that can be written. */
const files: readonly [controller: string, ...files: string[]][] = [
  ["memory", "limit_in_bytes", "soft_limit_in_bytes", "memsw.limit_in_bytes", "swappiness", "oom_control"],
  ["cpu", "shares", "cfs_quota_us", "cfs_period_us", "rt_runtime_us", "idle"],
  ["cpuset", "cpus", "mems", "cpu_exclusive", "mem_exclusive", "sched_load_balance"],
  ["pids", "max"],
  ["blkio", "weight", "bfq.weight", "throttle.read_bps_device"],
  ["devices", "list"],
  ["freezer", "state"],
];

/** Creates, reads and deletes: the cgroup's path, and `file value` for each of its files. */
async function written(c: Fixture, runtime: string, root: string): Promise<string[]> {
  const command = (...args: string[]) => runCommand([runtime, "--root", root, ...args]);
  try {
    succeed(await command("create", "--bundle", c.bundle, c.id));
    const { pid } = JSON.parse((await command("state", c.id)).stdout) as { pid: number };
    return cgroupVersion === 2 ? [cgroupDirectory(pid, ""), ...cgroupSettings(pid)] : v1Settings(pid);
  } finally {
    await command("delete", "--force", c.id);
  }
}

const v1Settings = (pid: number): string[] =>
  files.flatMap(([controller, ...names]) => [
    `${controller} ${cgroupDirectory(pid, controller)}`,
    ...names.map((name) => `${controller}.${name} ${cgroupValue(pid, controller, `${controller}.${name}`)}`),
  ]);

const megabyte = 1 << 20;

type Case = {
  readonly title: string;
  readonly resources: Resources;
  /** Lines that must be there, by cgroup version: two runtimes that ignore a limit agree as well. */
  readonly shows?: { readonly 1: readonly string[]; readonly 2: readonly string[] };
  readonly path?: string;
  /** What is not compared, and why. */
  readonly differs?: { readonly files: RegExp; readonly why: string };
};

const weight = {
  files: /^cpu\.weight(\.nice)? /,
  why: "runc before 1.3.2 and 1.4 made weights of shares by a straight line",
};
const sevenPids = { 1: ["pids.max 7"], 2: ["pids.max 7"] };

const cases: readonly Case[] = [
  { title: "no resources", resources: {} },
  {
    title: "a memory limit",
    resources: { memory: { limit: 64 * megabyte } },
    shows: { 1: ["memory.limit_in_bytes 67108864"], 2: ["memory.max 67108864"] },
  },
  {
    title: "a memory reservation",
    resources: { memory: { limit: 64 * megabyte, reservation: 32 * megabyte } },
    shows: { 1: ["memory.soft_limit_in_bytes 33554432"], 2: ["memory.low 33554432"] },
  },
  { title: "unlimited memory", resources: { memory: { limit: -1 } } },
  {
    title: "cpu shares",
    resources: { cpu: { shares: 512 } },
    shows: { 1: ["cpu.shares 512"], 2: ["cpu.weight 59"] },
    differs: weight,
  },
  {
    title: "cpu quota and period",
    resources: { cpu: { quota: 25000, period: 50000 } },
    shows: { 1: ["cpu.cfs_quota_us 25000", "cpu.cfs_period_us 50000"], 2: ["cpu.max 25000 50000"] },
  },
  {
    title: "cpu quota alone",
    resources: { cpu: { quota: 20000 } },
    shows: { 1: ["cpu.cfs_quota_us 20000"], 2: ["cpu.max 20000 100000"] },
  },
  {
    title: "one cpu and one memory node",
    resources: { cpu: { cpus: "0", mems: "0" } },
    shows: { 1: ["cpuset.cpus 0", "cpuset.mems 0"], 2: ["cpuset.cpus 0", "cpuset.mems 0"] },
  },
  {
    title: "a pids limit",
    resources: { pids: { limit: 42 } },
    shows: { 1: ["pids.max 42"], 2: ["pids.max 42"] },
  },
  {
    title: "no pids limit",
    resources: { pids: { limit: -1 } },
    shows: { 1: ["pids.max max"], 2: ["pids.max max"] },
  },
  {
    title: "device rules",
    resources: {
      devices: [
        { allow: false, access: "rwm" },
        { allow: true, type: "c", major: 10, minor: 229, access: "rw" },
        { allow: true, type: "b", major: 7, access: "r" },
        { allow: false, type: "c", major: 1, minor: 5, access: "w" },
      ],
    },
  },
  { title: "every device allowed", resources: { devices: [{ allow: true, access: "rwm" }] } },
  {
    title: "everything at once",
    resources: {
      memory: { limit: 64 * megabyte },
      cpu: { shares: 100, quota: 9000, period: 10000, cpus: "0" },
      pids: { limit: 9 },
    },
    shows: { 1: ["pids.max 9", "cpu.shares 100"], 2: ["pids.max 9", "cpu.max 9000 10000"] },
    differs: weight,
  },
  {
    title: "an absolute cgroupsPath",
    resources: { pids: { limit: 7 } },
    shows: sevenPids,
    path: "/TOKEN-group/inner",
  },
  {
    title: "a relative cgroupsPath",
    resources: { pids: { limit: 7 } },
    shows: sevenPids,
    path: "TOKEN-group/inner",
  },
  {
    title: "a cgroupsPath that tries to climb",
    resources: { pids: { limit: 7 } },
    shows: sevenPids,
    path: "/../../TOKEN-up",
  },
];

const suite = conformance("oracle: cgroup files");
for (const { title, resources, shows, path, differs } of cases)
  suite(
    title,
    async (c) => {
      c.configure((spec) => {
        spec.linux.resources = { devices: [{ allow: false, access: "rwm" }], ...resources };
        if (path) spec.linux.cgroupsPath = path.replace("TOKEN", c.token);
      });
      const ours = await written(c, runtimePath, c.root);
      const theirs = await written(c, runcPath(), join(c.dir, "oracle-state"));
      const compared = (line: string) => !differs?.files.test(line);
      assert.equal(ours.filter(compared), theirs.filter(compared));
      assert.equal(
        cgroupsOf(c.token).filter((dir) => !dir.endsWith("-group")), // a parent stays, as with runc
        [],
      );
      removeCgroups(c.token);
      for (const line of shows?.[cgroupVersion] ?? [])
        assert.ok(ours.includes(line), `${line} is not among\n${ours.join("\n")}`);
    },
    { needs: ["runc"] },
  );
suite.run();
