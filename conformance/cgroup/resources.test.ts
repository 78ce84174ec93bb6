// serial
// arm64
// vm
// config-linux.md "Control groups": for each configuration every control file of the container's cgroups, in all
// hierarchies of this host, as the runtime under test sets it and as runc does. Where systemd runs, the same table by
// systemd's driver.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand } from "../command.ts";
import { conformance, type Fixture, succeed, withFixture } from "../harness.ts";
import { cgroupsOf, removeCgroups } from "../leftovers.ts";
import { cgroupVersion, missing, runtimePath } from "../needs.ts";
import { runcPath } from "../oracle/compare.ts";
import type { Resources } from "../spec.ts";
import { controlFiles } from "./control_files.ts";

const drivers = missing("systemd") === undefined ? ["cgroupfs", "systemd"] : ["cgroupfs"];

/** What is expected where: of v1 only, of v2 only, or of both. */
type Shown = { readonly v1?: readonly string[]; readonly v2?: readonly string[] };

type Difference = { readonly files: readonly string[]; readonly why: string };

type Case = Shown & {
  readonly title: string;
  readonly resources: Resources;
  /** linux.cgroupsPath; TOKEN is the name of this test. Says something only to the cgroupfs driver. */
  readonly path?: string;
  /** Files in which runc 1.1.5 differs, and why. */
  readonly differs?: Difference;
  /** Why runc 1.1.5 refuses it. */
  readonly runcRefuses?: string;
  /** The versions of cgroups that know it at all. */
  readonly only?: 1 | 2;
  /** Files without which this host cannot set it, each the name in v1 and in v2. */
  readonly files?: readonly (readonly [v1: string, v2: string])[];
  /** Controllers of v1 that are mounted for the test, as this host may not use them. */
  readonly mounts?: string;
  /** What else the host has to have. */
  readonly lacks?: string | undefined;
};

const mebibyte = 1 << 20;

/** A disk, as "MAJOR:MINOR". */
const disk = existsSync("/sys/block")
  ? readdirSync("/sys/block")
      .filter((name) => !/^(loop|ram|zram)/.test(name))
      .map((name) => readFileSync(`/sys/block/${name}/dev`, "utf8").trim())[0]
  : undefined;
const [major = 0, minor = 0] = (disk ?? "").split(":").map(Number);
const noDisk = disk === undefined ? "there is no disk in /sys/block" : undefined;

/** A disk has weights of its own with the BFQ scheduler, or on v2 where the I/O cost controller is on for it. */
function noWeights(): string | undefined {
  if (disk === undefined) return noDisk;
  const scheduler = readFileSync(`/sys/dev/block/${disk}/queue/scheduler`, "utf8");
  const cost = "/sys/fs/cgroup/io.cost.qos";
  const on = existsSync(cost) && readFileSync(cost, "utf8").includes(`${disk} enable=1`);
  return scheduler.includes("[bfq]") || on
    ? undefined
    : `disk ${disk} has neither BFQ nor io.cost.qos enabled`;
}

const oldFormula: Difference = {
  files: ["cpu.weight", "cpu.weight.nice"],
  why: "runc 1.1.5 has the old formula, in which 1024 is 39",
};

const shares = (given: number, weight: number): Case => ({
  title: `cpu shares ${given}`,
  resources: { cpu: { shares: given } },
  v1: [`cpu.shares ${given}`],
  v2: [`cpu.weight ${weight}`],
  differs: oldFormula,
});

const cases: readonly Case[] = [
  { title: "no resources", resources: {}, v1: ["pids.max max"], v2: ["memory.max max"] },

  // memory
  {
    title: "a memory limit",
    resources: { memory: { limit: 64 * mebibyte } },
    v1: ["memory.limit_in_bytes 67108864"],
    v2: ["memory.max 67108864", "memory.swap.max max"],
  },
  {
    title: "a memory limit that is not whole pages",
    resources: { memory: { limit: 64 * mebibyte + 1 } },
    v1: ["memory.limit_in_bytes 67108864"],
    v2: ["memory.max 67108864"],
  },
  {
    title: "a memory limit beyond 2^53",
    resources: { memory: { limit: 9_007_199_254_745_088n } },
    v1: ["memory.limit_in_bytes 9007199254745088"],
    v2: ["memory.max 9007199254745088"],
  },
  {
    title: "unlimited memory, and with it swap",
    resources: { memory: { limit: -1 } },
    v1: ["memory.limit_in_bytes 9223372036854771712"],
    v2: ["memory.max max", "memory.swap.max max"],
  },
  {
    title: "memory and swap",
    resources: { memory: { limit: 64 * mebibyte, swap: 96 * mebibyte } },
    v1: ["memory.memsw.limit_in_bytes 100663296"],
    v2: ["memory.max 67108864", "memory.swap.max 33554432"],
    files: [["memory.memsw.limit_in_bytes", "memory.swap.max"]],
  },
  {
    title: "memory and no swap",
    resources: { memory: { limit: 64 * mebibyte, swap: 64 * mebibyte } },
    v1: ["memory.memsw.limit_in_bytes 67108864"],
    v2: ["memory.swap.max 0"],
  },
  {
    title: "memory and unlimited swap",
    resources: { memory: { limit: 64 * mebibyte, swap: -1 } },
    v1: ["memory.limit_in_bytes 67108864", "memory.memsw.limit_in_bytes 9223372036854771712"],
    v2: ["memory.max 67108864", "memory.swap.max max"],
  },
  {
    title: "unlimited swap alone",
    resources: { memory: { swap: -1 } },
    v2: ["memory.max max", "memory.swap.max max"],
  },
  {
    title: "a memory reservation",
    resources: { memory: { limit: 64 * mebibyte, reservation: 32 * mebibyte } },
    v1: ["memory.soft_limit_in_bytes 33554432"],
    v2: ["memory.low 33554432"],
  },
  {
    title: "a memory reservation of all",
    resources: { memory: { reservation: -1 } },
    v1: ["memory.soft_limit_in_bytes 9223372036854771712"],
    v2: ["memory.low max"],
  },
  {
    title: "kernel memory, of which only that of TCP has an effect, and only on v1",
    resources: { memory: { kernel: 32 * mebibyte, kernelTCP: 16 * mebibyte } },
    v1: [`memory.kmem.tcp.limit_in_bytes ${16 * mebibyte}`],
    files: [["memory.kmem.tcp.limit_in_bytes", ""]],
    differs: { files: ["memory.kmem.tcp.limit_in_bytes"], why: "runc does not set it any more" },
  },
  {
    title: "swappiness and no OOM killer, which v2 does not know",
    resources: { memory: { swappiness: 7, disableOOMKiller: true } },
    v1: ["memory.swappiness 7", "memory.oom_control oom_kill_disable 1"],
    files: [["memory.swappiness", ""]],
  },
  {
    title: "a limit with a check before it",
    resources: { memory: { limit: 64 * mebibyte, checkBeforeUpdate: true } },
    v2: ["memory.max 67108864"],
  },

  // cpu
  shares(2, 1),
  shares(512, 59),
  shares(1024, 100),
  shares(262144, 10000),
  {
    title: "cpu quota and period",
    resources: { cpu: { quota: 25000, period: 50000 } },
    v1: ["cpu.cfs_quota_us 25000", "cpu.cfs_period_us 50000"],
    v2: ["cpu.max 25000 50000"],
  },
  {
    title: "cpu quota alone",
    resources: { cpu: { quota: 20000 } },
    v1: ["cpu.cfs_quota_us 20000", "cpu.cfs_period_us 100000"],
    v2: ["cpu.max 20000 100000"],
  },
  {
    title: "cpu period alone",
    resources: { cpu: { period: 40000 } },
    v1: ["cpu.cfs_quota_us -1", "cpu.cfs_period_us 40000"],
    v2: ["cpu.max max 40000"],
  },
  {
    title: "no cpu quota",
    resources: { cpu: { quota: -1 } },
    v1: ["cpu.cfs_quota_us -1"],
    v2: ["cpu.max max 100000"],
  },
  {
    title: "cpu burst",
    resources: { cpu: { quota: 50000, period: 100000, burst: 20000 } },
    v1: ["cpu.cfs_burst_us 20000"],
    v2: ["cpu.max.burst 20000"],
    differs: { files: ["cpu.cfs_burst_us", "cpu.max.burst"], why: "runc 1.1.5 does not know it" },
    files: [["cpu.cfs_burst_us", "cpu.max.burst"]],
  },
  {
    title: "idle",
    resources: { cpu: { idle: 1 } },
    v1: ["cpu.idle 1"],
    v2: ["cpu.idle 1"],
    differs: {
      files: ["cpu.idle", "cpu.shares", "cpu.weight", "cpu.weight.nice"],
      why: "runc 1.1.5 does not know it",
    },
    files: [["cpu.idle", "cpu.idle"]],
  },
  {
    title: "realtime, which v2 does not know",
    resources: { cpu: { realtimeRuntime: 5000, realtimePeriod: 500000 } },
    v1: ["cpu.rt_runtime_us 5000", "cpu.rt_period_us 500000"],
    files: [["cpu.rt_runtime_us", ""]],
  },
  {
    title: "one cpu and one memory node",
    resources: { cpu: { cpus: "0", mems: "0" } },
    v1: ["cpuset.cpus 0", "cpuset.mems 0"],
    v2: ["cpuset.cpus 0", "cpuset.mems 0", "cpuset.cpus.effective 0"],
  },

  // pids
  { title: "a pids limit", resources: { pids: { limit: 42 } }, v1: ["pids.max 42"], v2: ["pids.max 42"] },
  { title: "a pids limit of 1", resources: { pids: { limit: 1 } }, v1: ["pids.max 1"], v2: ["pids.max 1"] },
  { title: "no pids limit", resources: { pids: { limit: -1 } }, v1: ["pids.max max"], v2: ["pids.max max"] },
  {
    title: "a pids limit of 0",
    resources: { pids: { limit: 0 } },
    v1: ["pids.max 1"],
    v2: ["pids.max 1"],
    differs: {
      files: ["pids.max"],
      why: "runc 1.1.5 takes 0 for no limit, since 1.4 for 1",
    },
  },

  // blockIO
  {
    title: "block I/O weight",
    resources: { blockIO: { weight: 500 } },
    v1: [],
    v2: ["io.weight default 4950"],
    files: [
      ["blkio.bfq.weight", "io.weight"],
      ["blkio.weight", "io.bfq.weight"],
    ],
  },
  {
    title: "block I/O weight of a device",
    resources: { blockIO: { weightDevice: [{ major, minor, weight: 500 }] } },
    v2: [`io.weight default 100\n${major}:${minor} 4950`],
    differs: { files: ["io.weight"], why: "runc has weights of devices with BFQ only" },
    files: [
      ["blkio.bfq.weight_device", "io.weight"],
      ["blkio.weight_device", "io.bfq.weight"],
    ],
    lacks: noWeights(),
  },
  {
    title: "throttles of a device",
    resources: {
      blockIO: {
        throttleReadBpsDevice: [{ major, minor, rate: 10_000_000 }],
        throttleWriteBpsDevice: [{ major, minor, rate: 20_000_000 }],
        throttleReadIOPSDevice: [{ major, minor, rate: 3000 }],
        throttleWriteIOPSDevice: [{ major, minor, rate: 4000 }],
      },
    },
    v1: [
      `blkio.throttle.read_bps_device ${disk} 10000000`,
      `blkio.throttle.write_bps_device ${disk} 20000000`,
      `blkio.throttle.read_iops_device ${disk} 3000`,
      `blkio.throttle.write_iops_device ${disk} 4000`,
    ],
    v2: [`io.max ${disk} rbps=10000000 wbps=20000000 riops=3000 wiops=4000`],
    lacks: noDisk,
  },

  // the others
  {
    title: "huge pages, and their reservation",
    resources: { hugepageLimits: [{ pageSize: "2MB", limit: 4 * mebibyte }] },
    v1: ["hugetlb.2MB.limit_in_bytes 4194304", "hugetlb.2MB.rsvd.limit_in_bytes 4194304"],
    v2: ["hugetlb.2MB.max 4194304", "hugetlb.2MB.rsvd.max 4194304"],
    differs: {
      files: ["hugetlb.2MB.rsvd.limit_in_bytes", "hugetlb.2MB.rsvd.max"],
      why: "runc 1.1.5 does not know reservations",
    },
    files: [["hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max"]],
  },
  {
    title: "network class and priorities",
    resources: { network: { classID: 1048577, priorities: [{ name: "lo", priority: 3 }] } },
    v1: ["net_cls.classid 1048577", "net_prio.ifpriomap lo 3"],
    only: 1,
    mounts: "net_cls,net_prio",
  },
  {
    title: "network class and priorities, which v2 does not know",
    resources: { network: { classID: 1048577, priorities: [{ name: "lo", priority: 3 }] } },
    only: 2,
  },
  {
    title: "rdma",
    resources: { rdma: { [rdmaDevice() ?? ""]: { hcaHandles: 3, hcaObjects: 10000 } } },
    v1: [`rdma.max ${rdmaDevice()} hca_handle=3 hca_object=10000`],
    v2: [`rdma.max ${rdmaDevice()} hca_handle=3 hca_object=10000`],
    lacks: rdmaDevice() === undefined ? "there is no device in /sys/class/infiniband" : undefined,
  },
  {
    title: "files of v2 by name, after all that was converted",
    resources: {
      pids: { limit: 5 },
      unified: { "pids.max": "7", "memory.high": "50331648", "cgroup.max.depth": "3", "cpu.weight": "321" },
    },
    v2: ["pids.max 7", "memory.high 50331648", "cgroup.max.depth 3", "cpu.weight 321"],
    only: 2,
  },
  {
    title: "a file of v2 line by line",
    resources: { unified: { "io.max": `${disk} rbps=1000000\n${disk} wiops=77` } },
    v2: [`io.max ${disk} rbps=1000000 wbps=max riops=max wiops=77`],
    runcRefuses: "runc 1.1.5 writes all lines at once",
    only: 2,
    lacks: noDisk,
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
      memory: { limit: 64 * mebibyte, reservation: 8 * mebibyte },
      cpu: { shares: 1024, quota: 9000, period: 10000, cpus: "0" },
      pids: { limit: 9 },
    },
    v1: ["pids.max 9", "cpu.shares 1024", "memory.limit_in_bytes 67108864"],
    v2: ["pids.max 9", "cpu.max 9000 10000", "memory.max 67108864"],
    differs: oldFormula,
  },

  // where
  { title: "an absolute cgroupsPath", resources: { pids: { limit: 7 } }, path: "/TOKEN-group/inner" },
  { title: "a relative cgroupsPath", resources: { pids: { limit: 7 } }, path: "TOKEN-group/inner" },
  { title: "a cgroupsPath that tries to climb", resources: { pids: { limit: 7 } }, path: "/../../TOKEN-up" },
];

function rdmaDevice(): string | undefined {
  return existsSync("/sys/class/infiniband") ? readdirSync("/sys/class/infiniband")[0] : undefined;
}

/** The files that a container without limits has on this host; none where no container can be. */
const present = new Set<string>();
if (missing("root") === undefined && missing("busybox") === undefined)
  await withFixture(async (c) => {
    succeed(await c.create());
    for (const line of controlFiles((await c.state()).pid)) present.add(line.split(" ")[0] ?? "");
  });

/** Why this host cannot run a case, if so. */
function lacking(each: Case, driver: string): string | undefined {
  if (each.only !== undefined && each.only !== cgroupVersion) return `is about cgroup v${each.only}`;
  if (each.path !== undefined && driver === "systemd") return "is about the paths of the cgroupfs driver";
  const choices = (each.files ?? [])
    .map((names) => names[cgroupVersion - 1] ?? "")
    .filter((name) => name !== "");
  if (choices.length > 0 && !choices.some((file) => present.has(file)))
    return `no cgroup of this host has ${choices.join(" or ")}`;
  return each.lacks;
}

/** A mount namespace, kept by a process, in which more hierarchies of v1 are mounted. */
async function mounted(controllers: string, dir: string): Promise<ChildProcess> {
  const script = `mkdir -p ${dir} && mount -t tmpfs none ${dir} && mkdir ${dir}/${controllers} && mount -t cgroup -o ${controllers} none ${dir}/${controllers} && touch ${dir}/ready && exec sleep 1000`;
  const holder = spawn("unshare", ["-m", "sh", "-c", script], { stdio: "ignore" });
  assert.ok(
    await eventually(() => existsSync(`/proc/${holder.pid}/root${dir}/ready`), 30),
    `mount ${controllers}`,
  );
  return holder;
}

/** Creates, reads and deletes. */
async function written(
  c: Fixture,
  runtime: string,
  root: string,
  driver: string,
  holder?: ChildProcess,
): Promise<string[]> {
  const enter = holder === undefined ? [] : ["nsenter", "-t", String(holder.pid), "-m"];
  const global = ["--root", root, ...(driver === "systemd" ? ["--systemd-cgroup"] : [])];
  const command = (...args: string[]) => runCommand([...enter, runtime, ...global, ...args]);
  try {
    succeed(await command("create", "--bundle", c.bundle, c.id));
    const { pid } = JSON.parse((await command("state", c.id)).stdout) as { pid: number };
    const files = controlFiles(pid, holder === undefined ? "" : `/proc/${holder.pid}/root`);
    succeed(await command("delete", "--force", c.id));
    return files;
  } catch (error) {
    await command("delete", "--force", c.id);
    throw error;
  }
}

const failed = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => false,
    () => true,
  );

function expect(each: Case, ours: readonly string[]): void {
  const shown = (cgroupVersion === 1 ? each.v1 : each.v2) ?? [];
  for (const line of shown)
    assert.ok(
      ours.some((own) => own === line || own.startsWith(`${line}\n`)),
      `${line} is not among\n${ours.join("\n")}`,
    );
}

async function compare(c: Fixture, each: Case, driver: string): Promise<void> {
  c.configure((spec) => {
    spec.linux.resources = { devices: [{ allow: false, access: "rwm" }], ...each.resources };
    if (driver === "systemd") spec.linux.cgroupsPath = `:conf:${c.id}`;
    if (each.path) spec.linux.cgroupsPath = each.path.replace("TOKEN", c.token);
  });
  const holder = each.mounts === undefined ? undefined : await mounted(each.mounts, `${c.dir}/cgroup`);
  try {
    const ours = await written(c, runtimePath, c.root, driver, holder);
    const left = cgroupsOf(c.token).filter((dir) => !dir.endsWith("-group")); // a parent stays, as with runc
    assert.equal(left, []);
    const oracle = written(c, runcPath(), join(c.dir, "oracle-state"), driver, holder);
    if (each.runcRefuses !== undefined && (await failed(oracle))) return expect(each, ours);
    const theirs = await oracle;
    assert.is(each.runcRefuses, undefined, "runc accepts it");
    const meant = (line: string) => each.differs?.files.includes(line.split(" ")[0] ?? "");
    const plain = (lines: readonly string[]) => lines.filter((line) => !meant(line));
    assert.equal(plain(ours), plain(theirs));
    expect(each, ours);
  } finally {
    holder?.kill("SIGKILL");
    await eventually(() => !holder || holder.exitCode !== null || holder.signalCode !== null, 30);
  }
  // runc, too, leaves what it cannot remove in its time.
  await eventually(() => {
    removeCgroups(c.token);
    return cgroupsOf(c.token).length === 0;
  }, 30);
}

/** What a case is about, when it can share a container with cases about something else. */
function kind({ resources, path, mounts, runcRefuses, title }: Case): string {
  const [first = "", ...more] = Object.keys(resources);
  const alone = path ?? mounts ?? runcRefuses ?? (more.length > 0 || first === "" || first === "devices");
  if (alone) return title;
  return resources.cpu?.cpus === undefined ? first : "cpuset";
}

/** As few containers as the cases need: the first takes the first case of each kind, and so on. */
function merged(list: readonly Case[]): Case[] {
  const groups: Case[][] = [];
  for (const each of list) {
    const free = groups.find((group) => {
      const [first] = group;
      return (
        first !== undefined &&
        kind(first) !== first.title &&
        group.every((other) => kind(other) !== kind(each))
      );
    });
    if (free === undefined || kind(each) === each.title) groups.push([each]);
    else free.push(each);
  }
  return groups.map((group) => ({
    ...group[0],
    title: group.map(({ title }) => title).join("; "),
    resources: Object.assign({}, ...group.map(({ resources }) => resources), {
      ...(group.some(({ resources }) => resources.cpu) && {
        cpu: Object.assign({}, ...group.map(({ resources }) => resources.cpu)),
      }),
    }),
    v1: group.flatMap(({ v1 = [] }) => v1),
    v2: group.flatMap(({ v2 = [] }) => v2),
    differs: { files: group.flatMap(({ differs }) => differs?.files ?? []), why: "as each of them says" },
  }));
}

for (const driver of drivers) {
  const suite = conformance(`resources (${driver}, v${cgroupVersion})`);
  for (const each of cases)
    if (lacking(each, driver) !== undefined)
      suite(each.title, async () => {}, { lacks: lacking(each, driver) });
  for (const each of merged(cases.filter((one) => lacking(one, driver) === undefined)))
    suite(each.title, (c) => compare(c, each, driver), {
      needs: each.mounts === undefined ? ["runc"] : ["runc", "unshare", "nsenter", "mount"],
    });
  suite.run();
}
