import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { LinuxResources } from "../../config/types.ts";
import { planUpdate } from "./update.ts";

const update = suite("planUpdate");

type Case = readonly [
  title: string,
  inForce: LinuxResources,
  asked: LinuxResources,
  write: LinuxResources,
  save: LinuxResources,
];

const cases: readonly Case[] = [
  [
    "only what is given is written, and what is not stays in force",
    { pids: { limit: 5 }, memory: { limit: 100, swap: 200 }, cpu: { shares: 512, quota: 1, period: 2 } },
    { pids: { limit: 7 } },
    { pids: { limit: 7 } },
    { pids: { limit: 7 }, memory: { limit: 100, swap: 200 }, cpu: { shares: 512, quota: 1, period: 2 } },
  ],
  [
    "kernel memory is left as it is",
    { memory: { kernelTCP: 100 } },
    { memory: { kernel: 5, kernelTCP: 6 } },
    {},
    { memory: { kernelTCP: 100 } },
  ],
  [
    "a quota takes the period in force along, and the other way round",
    { cpu: { quota: 10, period: 20, shares: 30 } },
    { cpu: { quota: 11 } },
    { cpu: { quota: 11, period: 20 } },
    { cpu: { quota: 11, period: 20, shares: 30 } },
  ],
  [
    "the period in force is still known after an update that does not name it",
    planUpdate({ cpu: { quota: 10, period: 20 } }, { pids: { limit: 1 } }).save,
    { cpu: { quota: 12 } },
    { cpu: { quota: 12, period: 20 } },
    { cpu: { quota: 12, period: 20 }, pids: { limit: 1 } },
  ],
  [
    "a quota where there is no period",
    {},
    { cpu: { quota: -1 } },
    { cpu: { quota: -1 } },
    { cpu: { quota: -1 } },
  ],
  [
    "a swap limit takes the memory limit in force along",
    { memory: { limit: 100, reservation: 50 } },
    { memory: { swap: 200 } },
    { memory: { limit: 100, swap: 200 } },
    { memory: { limit: 100, swap: 200, reservation: 50 } },
  ],
  [
    "no memory limit ends the swap limit as well",
    { memory: { limit: 100, swap: 200 } },
    { memory: { limit: -1 } },
    { memory: { limit: -1 } },
    { memory: { limit: -1 } },
  ],
  [
    "no memory limit with a swap limit given",
    { memory: { limit: 100, swap: 200 } },
    { memory: { limit: -1, swap: -1 } },
    { memory: { limit: -1, swap: -1 } },
    { memory: { limit: -1, swap: -1 } },
  ],
  [
    "a reservation goes alone",
    { memory: { limit: 100 } },
    { memory: { reservation: 60 } },
    { memory: { reservation: 60 } },
    { memory: { limit: 100, reservation: 60 } },
  ],
  [
    "idle without shares: those of before are over",
    { cpu: { shares: 512, cpus: "0" } },
    { cpu: { idle: 1 } },
    { cpu: { idle: 1 } },
    { cpu: { cpus: "0", idle: 1 } },
  ],
  [
    "not idle any more, with shares",
    { cpu: { idle: 1 } },
    { cpu: { idle: 0, shares: 99 } },
    { cpu: { idle: 0, shares: 99 } },
    { cpu: { idle: 0, shares: 99 } },
  ],
  [
    "0 and empty text are as absent, but for pids, burst, idle and swappiness",
    { memory: { limit: 5 }, cpu: { cpus: "0-1", shares: 5 }, blockIO: { weight: 10 } },
    {
      memory: { limit: 0, swap: 0, swappiness: 0 },
      cpu: { cpus: "", mems: "", shares: 0, quota: 0, period: 0n, burst: 0 },
      blockIO: { weight: 0 },
      pids: { limit: 0 },
    },
    { memory: { swappiness: 0 }, cpu: { burst: 0 }, pids: { limit: 0 } },
    {
      memory: { limit: 5, swappiness: 0 },
      cpu: { cpus: "0-1", shares: 5, burst: 0 },
      blockIO: { weight: 10 },
      pids: { limit: 0 },
    },
  ],
  [
    "a check before the update is for that update alone",
    { memory: { limit: 100, checkBeforeUpdate: true } },
    { memory: { limit: 50, checkBeforeUpdate: true } },
    { memory: { limit: 50, checkBeforeUpdate: true } },
    { memory: { limit: 50 } },
  ],
  [
    "device rules are never touched",
    { devices: [{ allow: false, access: "rwm" }] },
    { devices: [{ allow: true, access: "rwm" }], pids: { limit: 3 } },
    { pids: { limit: 3 } },
    { devices: [{ allow: false, access: "rwm" }], pids: { limit: 3 } },
  ],
  [
    "lists are by device, page size and interface",
    {
      blockIO: {
        weightDevice: [{ major: 8, minor: 0, weight: 10, leafWeight: 20 }],
        throttleReadBpsDevice: [
          { major: 8, minor: 0, rate: 1 },
          { major: 8, minor: 16, rate: 2 },
        ],
      },
      hugepageLimits: [{ pageSize: "2MB", limit: 1 }],
      network: { classID: 5, priorities: [{ name: "lo", priority: 1 }] },
    },
    {
      blockIO: {
        weightDevice: [{ major: 8, minor: 0, weight: 11 }],
        throttleReadBpsDevice: [
          { major: 8, minor: 16, rate: 3 },
          { major: 8, minor: 32, rate: 4 },
        ],
      },
      hugepageLimits: [{ pageSize: "1GB", limit: 2 }],
      network: { priorities: [{ name: "lo", priority: 2 }] },
    },
    {
      blockIO: {
        weightDevice: [{ major: 8, minor: 0, weight: 11 }],
        throttleReadBpsDevice: [
          { major: 8, minor: 16, rate: 3 },
          { major: 8, minor: 32, rate: 4 },
        ],
      },
      hugepageLimits: [{ pageSize: "1GB", limit: 2 }],
      network: { priorities: [{ name: "lo", priority: 2 }] },
    },
    {
      blockIO: {
        weightDevice: [{ major: 8, minor: 0, weight: 11, leafWeight: 20 }],
        throttleReadBpsDevice: [
          { major: 8, minor: 0, rate: 1 },
          { major: 8, minor: 16, rate: 3 },
          { major: 8, minor: 32, rate: 4 },
        ],
      },
      hugepageLimits: [
        { pageSize: "2MB", limit: 1 },
        { pageSize: "1GB", limit: 2 },
      ],
      network: { classID: 5, priorities: [{ name: "lo", priority: 2 }] },
    },
  ],
  [
    "unified files by name",
    { unified: { "memory.high": "5", "memory.low": "1" } },
    { unified: { "memory.high": "6" } },
    { unified: { "memory.high": "6" } },
    { unified: { "memory.high": "6", "memory.low": "1" } },
  ],
];

for (const [title, inForce, asked, write, save] of cases)
  update(title, () => {
    const planned = planUpdate(inForce, asked);
    const { memory = {}, cpu = {}, ...others } = write;
    assert.equal(planned.write, { ...others, memory, cpu });
    assert.equal(planned.save, save);
  });

update("an update of nothing is one", () => {
  const inForce = { memory: { limit: 9007199254740993n }, cpu: { quota: 1 } };
  const { write, save } = planUpdate(inForce, {});
  assert.equal(write, { memory: {}, cpu: {} });
  assert.equal(save, inForce);
});
update.run();
