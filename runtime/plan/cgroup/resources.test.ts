import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { LinuxResources } from "../../config/types.ts";
import { planDeviceProgram } from "./device_program.ts";
import { emulateDeviceRules } from "./device_rules.ts";
import { planCgroupResources } from "./resources.ts";
import { cpuWeight } from "./resources_v2.ts";

const lines = (version: 1 | 2, resources: LinuxResources) => {
  const { writes } = planCgroupResources(resources, { version, setDevices: false });
  return writes.map(({ file, value }) => `${file} ${value}`);
};

const v1 = suite("planCgroupResources v1");

v1("nothing given, nothing written", () => assert.equal(lines(1, {}), []));

v1("memory and swap wait for each other", () => {
  const memory = { limit: 1000, swap: 2000, reservation: 500, swappiness: 0 };
  assert.equal(lines(1, { memory }), [
    "memory.limit_in_bytes 1000",
    "memory.memsw.limit_in_bytes 2000",
    "memory.soft_limit_in_bytes 500",
    "memory.swappiness 0",
  ]);
  const { writes } = planCgroupResources({ memory }, { version: 1, setDevices: false });
  assert.equal(
    writes.map(({ retryLast }) => retryLast),
    [true, true, undefined, undefined],
  );
});

v1("no memory limit lifts the swap limit too", () => {
  assert.equal(lines(1, { memory: { limit: -1 } }), [
    "memory.limit_in_bytes -1",
    "memory.memsw.limit_in_bytes -1",
  ]);
  const { writes } = planCgroupResources({ memory: { limit: -1 } }, { version: 1, setDevices: false });
  assert.equal(writes[1]?.ignoreErrnos, ["ENOENT"]);
  assert.is(writes[1]?.from, "linux.resources.memory.limit");
});

v1("integers beyond 2^53 are exact", () => {
  assert.equal(lines(1, { memory: { limit: 9223372036854771713n } }), [
    "memory.limit_in_bytes 9223372036854771713",
  ]);
});

v1("0 leaves memory and cpu alone, false leaves the OOM killer alone", () => {
  const resources = {
    memory: { limit: 0, swap: 0, disableOOMKiller: false },
    cpu: { shares: 0, quota: 0, period: 0 },
  };
  assert.equal(lines(1, resources), []);
  assert.equal(lines(1, { memory: { disableOOMKiller: true } }), ["memory.oom_control 1"]);
});

v1("pids: absent is unset, 0 is the least limit, below 0 is none", () => {
  assert.equal(lines(1, { pids: {} }), []);
  for (const version of [1, 2] as const) assert.equal(lines(version, { pids: { limit: 0 } }), ["pids.max 1"]);
  assert.equal(lines(1, { pids: { limit: -1 } }), ["pids.max max"]);
  assert.equal(lines(1, { pids: { limit: 7 } }), ["pids.max 7"]);
});

v1("cpu: cpuset, shares, realtime, period, quota, burst in the kernel's order", () => {
  const cpu = { cpus: "0-1", mems: "0", shares: 512, quota: 50000, period: 100000, burst: 1000 };
  assert.equal(lines(1, { cpu: { ...cpu, idle: 0, realtimePeriod: 1000000, realtimeRuntime: 5000 } }), [
    "cpuset.cpus 0-1",
    "cpuset.mems 0",
    "cpu.idle 0",
    "cpu.shares 512",
    "cpu.rt_period_us 1000000",
    "cpu.rt_runtime_us 5000",
    "cpu.cfs_period_us 100000",
    "cpu.cfs_quota_us 50000",
    "cpu.cfs_burst_us 1000",
  ]);
  assert.equal(lines(1, { cpu: { quota: -1 } }), ["cpu.cfs_quota_us -1"]);
});

v1("shares are written while it is not idle", () => {
  assert.equal(lines(1, { cpu: { idle: 0, shares: 5 } }), ["cpu.idle 0", "cpu.shares 5"]);
  assert.equal(lines(1, { cpu: { idle: 1, shares: 5 } }), ["cpu.shares 5", "cpu.idle 1"]);
  assert.equal(lines(2, { cpu: { idle: 1, shares: 1024 } }), ["cpu.weight 100", "cpu.idle 1"]);
});

v1("what the kernel would silently round or take for something else is refused with its field", () => {
  assert.throws(() => lines(1, { cpu: { shares: 1 } }), /linux\.resources\.cpu\.shares.*minimum allowed/);
  assert.throws(() => lines(1, { cpu: { shares: 262145 } }), /maximum allowed/);
  assert.throws(() => lines(1, { memory: { swappiness: 101 } }), /linux\.resources\.memory\.swappiness/);
  assert.throws(
    () => lines(1, { unified: { "memory.max": "1" } }),
    /invalid configuration: cannot use unified on cgroup v1/,
  );
});

v1("kernel memory is reported as not enforced, but for what is of TCP", () => {
  const memory = { kernel: 1, kernelTCP: 4096 };
  const plan = planCgroupResources({ memory }, { version: 1, setDevices: false });
  assert.equal(plan.notEnforced, ["linux.resources.memory.kernel"]);
  assert.equal(lines(1, { memory }), ["memory.kmem.tcp.limit_in_bytes 4096"]);
});

v1("blockIO, hugepages, network and rdma have their v1 names", () => {
  const throttle = [{ major: 8, minor: 0, rate: 1000 }];
  const written = lines(1, {
    blockIO: { weight: 100, throttleReadBpsDevice: throttle, throttleWriteIOPSDevice: throttle },
    hugepageLimits: [{ pageSize: "2MB", limit: 4194304 }],
    network: { classID: 1048577, priorities: [{ name: "lo", priority: 3 }] },
    rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10000 } },
  });
  assert.equal(written, [
    "blkio.weight 100",
    "blkio.throttle.read_bps_device 8:0 1000",
    "blkio.throttle.write_iops_device 8:0 1000",
    "hugetlb.2MB.limit_in_bytes 4194304",
    "hugetlb.2MB.rsvd.limit_in_bytes 4194304",
    "net_cls.classid 1048577",
    "net_prio.ifpriomap lo 3",
    "rdma.max mlx5_1 hca_handle=3 hca_object=10000",
  ]);
});
v1.run();

const v2 = suite("planCgroupResources v2");

v2("swap is what exceeds the memory limit", () => {
  assert.equal(lines(2, { memory: { limit: 1000, swap: 1500, reservation: 10 } }), [
    "memory.swap.max 500",
    "memory.max 1000",
    "memory.low 10",
  ]);
  assert.equal(lines(2, { memory: { limit: 1000, swap: 1000 } }), ["memory.swap.max 0", "memory.max 1000"]);
  assert.equal(lines(2, { memory: { limit: 1000, swap: -1 } }), ["memory.swap.max max", "memory.max 1000"]);
  assert.equal(lines(2, { memory: { limit: -1 } }), ["memory.swap.max max", "memory.max max"]);
  assert.equal(lines(2, { memory: { limit: 1000 } }), ["memory.max 1000"]);
});

v2("a swap limit without or below the memory limit is refused", () => {
  assert.throws(() => lines(2, { memory: { swap: 1000 } }), /without memory limit/);
  assert.throws(() => lines(2, { memory: { limit: -1, swap: 1000 } }), /without memory limit/);
  assert.throws(() => lines(2, { memory: { limit: 1000, swap: 999 } }), /linux\.resources\.memory\.swap/);
});

v2("shares become a weight on the curve that maps 1024 to 100", () => {
  const known = [
    [1n, 1n],
    [2n, 1n],
    [3n, 2n],
    [512n, 59n],
    [1024n, 100n],
    [2048n, 174n],
    [102400n, 4429n],
    [262144n, 10000n],
    [999999n, 10000n],
  ] as const;
  for (const [shares, weight] of known) assert.is(cpuWeight(shares), weight);
});

v2("quota and period are one file", () => {
  assert.equal(lines(2, { cpu: { quota: 50000, period: 20000 } }), ["cpu.max 50000 20000"]);
  assert.equal(lines(2, { cpu: { quota: 50000 } }), ["cpu.max 50000 100000"]);
  assert.equal(lines(2, { cpu: { period: 20000 } }), ["cpu.max max 20000"]);
  assert.equal(lines(2, { cpu: { quota: -1 } }), ["cpu.max max 100000"]);
  assert.equal(lines(2, { cpu: { idle: 1, burst: 5 } }), ["cpu.idle 1", "cpu.max.burst 5"]);
});

v2("io.weight stands in where there is no BFQ", () => {
  const { writes } = planCgroupResources({ blockIO: { weight: 500 } }, { version: 2, setDevices: false });
  assert.is(writes[0]?.file, "io.bfq.weight");
  assert.equal(writes[0]?.orElse, { file: "io.weight", value: "4950" });
  const weightDevice = [{ major: 8, minor: 0, weight: 10 }];
  const [write] = planCgroupResources(
    { blockIO: { weightDevice } },
    { version: 2, setDevices: false },
  ).writes;
  assert.is(write?.value, "8:0 10");
  assert.equal(write?.orElse, { file: "io.weight", value: "8:0 1" });
});

v2("a throttle of 0 is none, as on v1", () => {
  const device = (rate: number) => [{ major: 8, minor: 0, rate }];
  const blockIO = { throttleReadBpsDevice: device(5), throttleWriteIOPSDevice: device(0) };
  assert.equal(lines(2, { blockIO }), ["io.max 8:0 rbps=5", "io.max 8:0 wiops=max"]);
});

v2("unified files come last, line by line", () => {
  const unified = { "io.max": "8:0 rbps=1\n8:16 rbps=2\n", "memory.high": "5" };
  assert.equal(lines(2, { pids: { limit: -1 }, unified }), [
    "pids.max max",
    "io.max 8:0 rbps=1",
    "io.max 8:16 rbps=2",
    "memory.high 5",
  ]);
  assert.throws(() => lines(2, { unified: { "../x.max": "1" } }), /must be a file name/);
});

v2("what has no knob is reported", () => {
  const resources = {
    memory: { swappiness: 1, disableOOMKiller: true },
    cpu: { realtimeRuntime: 1 },
    network: { classID: 1 },
  };
  const facts = { version: 2, setDevices: true } as const;
  assert.equal(planCgroupResources(resources, facts).notEnforced, [
    "linux.resources.memory.swappiness",
    "linux.resources.memory.disableOOMKiller",
    "linux.resources.cpu.realtimeRuntime",
    "linux.resources.network.classID",
  ]);
});

v2("device rules are no files; an update and a user namespace leave them alone", () => {
  const { devices } = planCgroupResources({}, { version: 2, setDevices: true });
  assert.equal(devices, planDeviceProgram(emulateDeviceRules([])));
  assert.is(devices?.allowsAll, false);
  assert.is(planCgroupResources({}, { version: 2, setDevices: false }).devices, undefined);
  assert.is(planCgroupResources({}, { version: 1, setDevices: true }).devices, undefined);
});
v2.run();
