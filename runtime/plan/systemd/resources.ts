/**
 * linux.resources as properties of the container's unit (systemd.resource-control(5)). systemd writes its own idea of
 * the limits again whenever it likes, so what it can express it has to know; the control files are written as well.
 */

import { bitMask, numbersIn } from "../../config/number_list.ts";
import type { LinuxCPU, LinuxDeviceCgroup, LinuxResources } from "../../config/types.ts";
import { emulateDeviceRules } from "../cgroup/device_rules.ts";
import { at, refuse } from "../cgroup/resource_field.ts";
import { cpuWeight, swapMax } from "../cgroup/resources_v2.ts";
import { type CgroupFacts, int } from "../cgroup/write.ts";
import type { UnitProperty } from "./unit_property.ts";

/** "infinity" in every property that is a 64-bit number; also the mask for them, as the engine's asUintN has none of 64. */
const INFINITY = 0xffffffffffffffffn;
/** What the kernel takes when only a quota is given; microseconds. */
const DEFAULT_PERIOD = 100_000n;
/** systemd counts a quota in whole per cent of a second; microseconds. */
const PERCENT = 10_000n;

/** The properties for these limits; later ones win. */
export function planUnitResources(resources: LinuxResources, facts: CgroupFacts): UnitProperty[] {
  const devices = facts.setDevices ? deviceProperties(resources.devices ?? []) : [];
  const limits = facts.version === 1 ? limitsV1(resources) : limitsV2(resources);
  return [...devices, ...limits];
}

/**
 * The quota that systemd makes of this one, rounded up: the file has to say the same, or a cgroup of the container
 * would get less than what its parent seems to allow.
 */
export function inWholePercent(cpu: LinuxCPU): LinuxCPU {
  const [quota, period] = [int(cpu.quota), int(cpu.period) || DEFAULT_PERIOD];
  if (quota <= 0n || (quota * 1_000_000n) % (period * PERCENT) === 0n) return cpu;
  return { ...cpu, quota: (perSecond(quota, period) * period) / 1_000_000n };
}

/** Microseconds of CPU time a second, as a whole per cent. */
function perSecond(quota: bigint, period: bigint): bigint {
  const step = period * PERCENT;
  return ((quota * 1_000_000n + step - 1n) / step) * PERCENT;
}

function number(name: string, value: bigint, field: string): UnitProperty {
  return { name, signature: "t", value: value & INFINITY, from: at(field) };
}

function limitsV1({
  memory = {},
  cpu = {},
  pids = {},
  blockIO = {},
  unified,
}: LinuxResources): UnitProperty[] {
  if (Object.keys(unified ?? {}).length > 0) return []; // refused by the plan of the files
  return [
    ...unlessZero("MemoryLimit", int(memory.limit), "memory.limit"),
    ...unlessZero("CPUShares", int(cpu.shares), "cpu.shares"),
    ...quotaProperties(int(cpu.quota), int(cpu.period), "cpu.quota", "cpu.period"),
    ...unlessZero("BlockIOWeight", BigInt(blockIO.weight ?? 0), "blockIO.weight"),
    ...(pids.limit === undefined ? [] : [tasksMax(int(pids.limit), "pids.limit")]),
    ...cpusetProperties(cpu),
  ];
}

function limitsV2({ memory = {}, cpu = {}, pids = {}, unified = {} }: LinuxResources): UnitProperty[] {
  const swap = swapMax(int(memory.limit), int(memory.swap));
  return [
    ...unlessZero("MemoryMax", int(memory.limit), "memory.limit"),
    ...unlessZero("MemoryLow", int(memory.reservation), "memory.reservation"),
    ...(swap === undefined
      ? []
      : [number("MemorySwapMax", swap === "max" ? INFINITY : BigInt(swap), "memory.swap")]),
    ...weightProperties(cpu),
    ...quotaProperties(int(cpu.quota), int(cpu.period), "cpu.quota", "cpu.period"),
    ...(pids.limit === undefined ? [] : [tasksMax(int(pids.limit), "pids.limit")]),
    ...cpusetProperties(cpu),
    ...Object.entries(unified).flatMap(([file, value]) => unifiedProperties(file, value.trim(), unified)),
  ];
}

function unlessZero(name: string, value: bigint, field: string): UnitProperty[] {
  return value === 0n ? [] : [number(name, value, field)];
}

/** systemd does not take 0, with which nothing could run either. */
function tasksMax(limit: bigint, field: string): UnitProperty {
  return number("TasksMax", limit < 0n ? INFINITY : limit === 0n ? 1n : limit, field);
}

/** A weight of 0 is "idle" since systemd 252, upon which it leaves the weight alone. */
function weightProperties({ idle, shares }: LinuxCPU): UnitProperty[] {
  const weight = int(shares) === 0n ? [] : [number("CPUWeight", cpuWeight(int(shares)), "cpu.shares")];
  if (idle !== 1) return weight;
  return [
    { ...number("CPUWeight", 0n, "cpu.idle"), since: 252 },
    ...weight.map((property) => ({ ...property, before: 252 })),
  ];
}

function quotaProperties(
  quota: bigint,
  period: bigint,
  quotaField: string,
  periodField: string,
): UnitProperty[] {
  if (quota === 0n && period === 0n) return [];
  const perSec = quota > 0n ? perSecond(quota, period || DEFAULT_PERIOD) : INFINITY;
  return [
    ...unlessZero("CPUQuotaPeriodUSec", period, periodField).map((property) => ({ ...property, since: 242 })),
    number("CPUQuotaPerSecUSec", perSec, quota === 0n ? periodField : quotaField),
  ];
}

function cpusetProperties({ cpus, mems }: LinuxCPU): UnitProperty[] {
  return [
    ...(cpus ? [maskProperty("AllowedCPUs", cpus, "cpu.cpus")] : []),
    ...(mems ? [maskProperty("AllowedMemoryNodes", mems, "cpu.mems")] : []),
  ];
}

function maskProperty(name: string, list: string, field: string): UnitProperty {
  return { name, signature: "ay", value: maskBytes(list, field), from: at(field), since: 244 };
}

/** A highest number that no machine has; systemd would take a mask of any length. */
const MAX_CPUS = 1 << 16;

/** "0-1,3" as bytes, bit 0 being the first one's lowest. */
export function maskBytes(list: string, field: string): number[] {
  const numbers = numbersIn(list, MAX_CPUS, (part) =>
    refuse(field, list, `${JSON.stringify(part)} is not a number or a range of numbers`),
  );
  const highest = numbers.at(-1);
  if (highest === undefined) refuse(field, list, "it is empty");
  return [...new Uint8Array(bitMask(numbers).buffer).subarray(0, (highest >> 3) + 1)];
}

const bytesOrMax: Readonly<Record<string, string>> = {
  "memory.high": "MemoryHigh",
  "memory.low": "MemoryLow",
  "memory.min": "MemoryMin",
  "memory.max": "MemoryMax",
  "memory.swap.max": "MemorySwapMax",
};

/** Files that systemd has a property for; of the others it need not know. */
function unifiedProperties(
  file: string,
  value: string,
  all: Readonly<Record<string, string>>,
): UnitProperty[] {
  const field = `unified[${JSON.stringify(file)}]`;
  const property = bytesOrMax[file];
  if (property !== undefined) return [number(property, numberOrMax(value, field), field)];
  switch (file) {
    case "pids.max": {
      const limit = numberOrMax(value, field);
      return [number("TasksMax", limit === 0n ? 1n : limit, field)];
    }
    case "cpu.idle":
      // A cgroup that is not idle is the normal case, for which systemd has no word.
      return value === "1" ? [{ ...number("CPUWeight", 0n, field), since: 252 }] : [];
    case "cpu.weight": {
      const weight = number("CPUWeight", numberIn(value, field), field);
      return [all["cpu.idle"]?.trim() === "1" ? { ...weight, before: 252 } : weight];
    }
    case "cpu.max": {
      const [quota = "", period = String(DEFAULT_PERIOD), ...more] = value.split(/\s+/);
      if (more.length > 0) refuse(field, value, 'it is "QUOTA PERIOD"');
      return quotaProperties(
        quota === "max" ? 0n : numberIn(quota, field),
        numberIn(period, field),
        field,
        field,
      );
    }
    case "cpuset.cpus":
      return [maskProperty("AllowedCPUs", value, field)];
    case "cpuset.mems":
      return [maskProperty("AllowedMemoryNodes", value, field)];
    case "memory.oom.group": {
      const policy = { 0: "continue", 1: "kill" }[value];
      if (policy === undefined) return [];
      const from = at(field);
      return [{ name: "OOMPolicy", signature: "s", value: policy, from, since: 253, onlyAtStart: true }];
    }
    default:
      return [];
  }
}

function numberOrMax(value: string, field: string): bigint {
  return value === "max" ? INFINITY : numberIn(value, field);
}

function numberIn(value: string, field: string): bigint {
  if (!/^[0-9]+$/.test(value) || BigInt(value) > INFINITY) refuse(field, value, "it is not a number");
  return BigInt(value);
}

/**
 * An allow list. What systemd has no words for, a list of what is denied or any major number with one minor, is left
 * to the rules that the runtime itself sets for the cgroup: systemd then must not deny anything, as both count.
 */
function deviceProperties(rules: readonly LinuxDeviceCgroup[]): UnitProperty[] {
  const { allowByDefault, exceptions } = emulateDeviceRules(rules);
  const expressible = exceptions.every(({ major, minor }) => major >= 0 || minor < 0);
  const strict = !allowByDefault && expressible;
  const from = at("devices");
  const allowed = exceptions.map(({ type, major, minor, access }) => {
    const kind = type === "c" ? "char" : "block";
    if (minor < 0) return [`${kind}-${major < 0 ? "*" : major}`, access];
    return [`/dev/${kind}/${major}:${minor}`, access];
  });
  return [
    { name: "DevicePolicy", signature: "s", value: strict ? "strict" : "auto", from },
    { name: "DeviceAllow", signature: "a(ss)", value: strict ? allowed : [], from },
  ];
}

/** The entries of /proc/devices, which systemd before 240 wants instead of a major number: "char-pts". */
export function nameDeviceGroups(property: UnitProperty, procDevices: string): UnitProperty {
  if (property.name !== "DeviceAllow") return property;
  const groups = new Map<string, string>();
  let kind = "";
  for (const line of procDevices.split("\n")) {
    if (line.endsWith(" devices:")) kind = line.startsWith("Block") ? "block" : "char";
    const [, major, name] = /^\s*([0-9]+) (.+)$/.exec(line) ?? [];
    if (major !== undefined) groups.set(`${kind}-${major}`, `${kind}-${name}`);
  }
  const value = (property.value as readonly (readonly [string, string])[]).flatMap(([path, access]) => {
    if (!/^(char|block)-[0-9]+$/.test(path)) return [[path, access]];
    const group = groups.get(path);
    return group === undefined ? [] : [[group, access]];
  });
  return { ...property, value };
}
