import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../../../syscalls/testing/saying.ts";
import type { LinuxResources } from "../../config/types.ts";
import { planCgroupResources } from "../cgroup/resources.ts";
import { inWholePercent, maskBytes, nameDeviceGroups } from "./resources.ts";
import type { UnitProperty } from "./unit_property.ts";

const INFINITY = "18446744073709551615";

const planned = (version: 1 | 2, resources: LinuxResources, setDevices = false) =>
  planCgroupResources(resources, { version, driver: "systemd", setDevices });

const show = ({ name, value, since, before, onlyAtStart }: UnitProperty) =>
  [
    `${name}=${JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}` : each))}`.replaceAll(
      '"',
      "",
    ),
    since === undefined ? "" : ` since ${since}`,
    before === undefined ? "" : ` before ${before}`,
    onlyAtStart ? " at start" : "",
  ].join("");

const properties = (version: 1 | 2, resources: LinuxResources, setDevices = false) =>
  (planned(version, resources, setDevices).unit ?? []).map(show);

const unit = suite("planUnitResources");

unit("the other driver gets no properties, and its quota as it is", () => {
  const plan = planCgroupResources({ cpu: { quota: 33333 } }, { version: 2, setDevices: false });
  assert.is(plan.unit, undefined);
  assert.equal(
    plan.writes.map(({ value }) => value),
    ["33333 100000"],
  );
});

unit("nothing given, nothing said", () => {
  assert.equal(properties(1, {}), []);
  assert.equal(properties(2, {}), []);
});

unit("v2: memory, and swap without the memory", () => {
  const memory = { limit: 100, swap: 150, reservation: 50 };
  assert.equal(properties(2, { memory }), ["MemoryMax=100", "MemoryLow=50", "MemorySwapMax=50"]);
  assert.equal(properties(2, { memory: { limit: 100, swap: 100 } }), ["MemoryMax=100", "MemorySwapMax=0"]);
  assert.equal(properties(2, { memory: { limit: -1 } }), [
    `MemoryMax=${INFINITY}`,
    `MemorySwapMax=${INFINITY}`,
  ]);
});

unit("integers beyond 2^53 are exact", () =>
  assert.equal(properties(2, { memory: { limit: 9223372036854771713n } }), ["MemoryMax=9223372036854771713"]),
);

unit("v2: the weight that shares are, and idle instead of it since 252", () => {
  assert.equal(properties(2, { cpu: { shares: 1024 } }), ["CPUWeight=100"]);
  assert.equal(properties(2, { cpu: { shares: 1024, idle: 0 } }), ["CPUWeight=100"]);
  assert.equal(properties(2, { cpu: { shares: 1024, idle: 1 } }), [
    "CPUWeight=0 since 252",
    "CPUWeight=100 before 252",
  ]);
});

unit("a quota is a whole per cent of a second, rounded up, in the file as well", () => {
  const quota = (cpu: LinuxResources["cpu"]) => {
    const { unit: all = [], writes } = planned(2, { cpu: cpu ?? {} });
    return [...all.map(show), ...writes.map(({ file, value }) => `${file} ${value}`)];
  };
  assert.equal(quota({ quota: 33333, period: 50000 }), [
    "CPUQuotaPeriodUSec=50000 since 242",
    "CPUQuotaPerSecUSec=670000",
    "cpu.max 33500 50000",
  ]);
  assert.equal(quota({ quota: 25000 }), ["CPUQuotaPerSecUSec=250000", "cpu.max 25000 100000"]);
  assert.equal(quota({ quota: 1 }), ["CPUQuotaPerSecUSec=10000", "cpu.max 1000 100000"]);
  assert.equal(quota({ quota: -1 }), [`CPUQuotaPerSecUSec=${INFINITY}`, "cpu.max max 100000"]);
  assert.equal(quota({ period: 50000 }), [
    "CPUQuotaPeriodUSec=50000 since 242",
    `CPUQuotaPerSecUSec=${INFINITY}`,
    "cpu.max max 50000",
  ]);
});

unit("a rounded quota is never less than what was asked for, and stays when rounded again", () => {
  for (const period of [1000, 33333, 50000, 100000, 999999])
    for (const asked of [1, 999, 1000, 12345, 99999, 150001, 5_000_000]) {
      const once = inWholePercent({ quota: asked, period });
      assert.ok(BigInt(once.quota ?? 0) >= BigInt(asked), `${asked}/${period} → ${once.quota}`);
      const perSecond = (cpu: typeof once) =>
        planned(2, { cpu }).unit?.find(({ name }) => name === "CPUQuotaPerSecUSec")?.value;
      assert.is(perSecond(once), perSecond({ quota: asked, period }));
    }
});

unit("tasks: 0 is 1, below 0 is none, absent is unset", () => {
  for (const version of [1, 2] as const) {
    assert.equal(properties(version, { pids: { limit: 0 } }), ["TasksMax=1"]);
    assert.equal(properties(version, { pids: { limit: -1 } }), [`TasksMax=${INFINITY}`]);
    assert.equal(properties(version, { pids: {} }), []);
  }
});

unit("cpus and nodes are bits, the first byte first", () => {
  assert.equal(properties(2, { cpu: { cpus: "0-1,9", mems: "0" } }), [
    "AllowedCPUs=[3,2] since 244",
    "AllowedMemoryNodes=[1] since 244",
  ]);
  assert.equal(maskBytes(" 0 , 8-9,, 63", "cpu.cpus"), [1, 3, 0, 0, 0, 0, 0, 128]);
  for (const list of ["", ",", "1-", "-1", "3-1", "a", "0x1", "99999999"])
    assert.throws(() => maskBytes(list, "cpu.cpus"), saying("linux.resources.cpu.cpus"));
});

unit("v1 has its own properties", () => {
  const resources = {
    memory: { limit: 100, reservation: 50, swap: 200 },
    cpu: { shares: 512, quota: 5000, period: 10000 },
    blockIO: { weight: 300 },
  };
  assert.equal(properties(1, resources), [
    "MemoryLimit=100",
    "CPUShares=512",
    "CPUQuotaPeriodUSec=10000 since 242",
    "CPUQuotaPerSecUSec=500000",
    "BlockIOWeight=300",
  ]);
});

unit("unified files that systemd has a property for", () => {
  const unified = {
    "memory.high": "max",
    "memory.max": " 4096\n",
    "memory.swap.max": "0",
    "pids.max": "0",
    "cpu.max": "20000 50000",
    "cpuset.cpus": "1",
    "cpuset.mems": "0",
    "io.weight": "default 50",
    "hugetlb.2MB.max": "1",
    "memory.oom.group": "1",
  };
  assert.equal(properties(2, { unified }), [
    `MemoryHigh=${INFINITY}`,
    "MemoryMax=4096",
    "MemorySwapMax=0",
    "TasksMax=1",
    "CPUQuotaPeriodUSec=50000 since 242",
    "CPUQuotaPerSecUSec=400000",
    "AllowedCPUs=[2] since 244",
    "AllowedMemoryNodes=[1] since 244",
    "OOMPolicy=kill since 253 at start",
  ]);
  assert.equal(properties(2, { unified: { "cpu.idle": "1", "cpu.weight": "50" } }), [
    "CPUWeight=0 since 252",
    "CPUWeight=50 before 252",
  ]);
  assert.equal(properties(2, { unified: { "cpu.max": "max" } }), [
    "CPUQuotaPeriodUSec=100000 since 242",
    `CPUQuotaPerSecUSec=${INFINITY}`,
  ]);
});

unit("unified values that are no numbers are refused by name", () => {
  for (const [file, value] of [
    ["memory.max", "1G"],
    ["pids.max", "-1"],
    ["cpu.max", "1 2 3"],
    ["cpu.max", "x"],
    ["cpu.weight", ""],
    ["cpuset.cpus", "a"],
  ] as const)
    assert.throws(
      () => planned(2, { unified: { [file]: value } }),
      saying(`linux.resources.unified[${JSON.stringify(file)}]`),
    );
});

const defaults = [
  '["char-*","m"]',
  '["block-*","m"]',
  '["/dev/char/1:3","rwm"]',
  '["/dev/char/1:5","rwm"]',
  '["/dev/char/1:7","rwm"]',
  '["/dev/char/1:8","rwm"]',
  '["/dev/char/1:9","rwm"]',
  '["/dev/char/5:0","rwm"]',
  '["/dev/char/5:2","rwm"]',
  '["char-136","rwm"]',
  '["/dev/char/10:200","rwm"]',
];

const devices = (rules: LinuxResources["devices"]) => {
  const { unit: all = [] } = planned(2, { devices: rules ?? [] }, true);
  const value = (name: string) => all.find((property) => property.name === name)?.value;
  return {
    policy: value("DevicePolicy"),
    allowed: (value("DeviceAllow") as string[]).map((entry) => JSON.stringify(entry)),
  };
};

unit("devices: the default list and what is allowed besides", () => {
  const deny = { allow: false, access: "rwm" };
  assert.equal(devices([deny]), { policy: "strict", allowed: defaults });
  const more = devices([
    deny,
    { allow: true, type: "b", major: 7, access: "r" },
    { allow: true, type: "c", major: 10, minor: 229, access: "rw" },
  ]);
  const added = more.allowed.filter((entry) => !defaults.includes(entry));
  assert.equal(added, ['["block-7","r"]', '["/dev/char/10:229","rw"]']);
});

unit("devices: what systemd cannot say is left to the runtime's own rules", () => {
  const everything = { allow: true, access: "rwm" };
  assert.equal(devices([everything]), { policy: "auto", allowed: [] });
  const butOne = { allow: false, type: "b", major: 8, minor: 0, access: "w" } as const;
  assert.equal(devices([everything, butOne]), { policy: "auto", allowed: [] });
  const anyMajor = { allow: true, type: "c", minor: 7, access: "r" } as const;
  assert.equal(devices([anyMajor]), { policy: "auto", allowed: [] });
});

unit("devices: none where none are to be set", () => assert.equal(properties(2, { devices: [] }, false), []));

unit("devices: before 240 a group has its name in /proc/devices", () => {
  const table = "Character devices:\n  1 mem\n136 pts\n136 pts\n\nBlock devices:\n  7 loop\n136 other\n";
  const value = [
    ["char-136", "rwm"],
    ["block-7", "r"],
    ["block-99", "r"],
    ["char-*", "m"],
    ["/dev/char/1:3", "rw"],
  ];
  const named = nameDeviceGroups({ name: "DeviceAllow", signature: "a(ss)", value }, table);
  assert.equal(named.value, [
    ["char-pts", "rwm"],
    ["block-loop", "r"],
    ["char-*", "m"],
    ["/dev/char/1:3", "rw"],
  ]);
});

unit.run();
