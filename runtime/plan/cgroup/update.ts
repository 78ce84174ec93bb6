/**
 * What an update comes to. It names only the limits that are to change; some of them can only be written together with
 * another one, which is then the one in force. Nothing is touched here.
 */
import { isObject } from "../../config/check.ts";
import type { JsonObject, JsonValue } from "../../config/json.ts";
import type { LinuxResources } from "../../config/types.ts";

/** An update of the limits in force. */
export interface ResourcesUpdate {
  /** What is to be written. */
  readonly write: LinuxResources;
  /** What is in force afterwards, for state.json. */
  readonly save: LinuxResources;
}

/** Combines what is in force with what is asked. Device rules are no part of an update, as in runc
 * (update.go, SkipDevices). */
export function planUpdate(inForce: LinuxResources, asked: LinuxResources): ResourcesUpdate {
  const { devices: _kept, ...given } = withoutUnset(withoutKernelMemory(asked));
  const merged = merge(inForce as unknown as JsonObject, given as unknown as JsonObject) as LinuxResources;
  const { memory = {}, cpu = {} } = given;
  const save = {
    ...merged,
    ...(given.memory && { memory: savedMemory(merged.memory ?? {}, memory) }),
    ...(given.cpu && { cpu: savedCpu(merged.cpu ?? {}, cpu) }),
  };
  const write = {
    ...given,
    // On v2 swap is what exceeds the limit, and on v1 the order of the two depends on both.
    memory: { ...memory, ...together(save.memory ?? {}, memory, "limit", "swap") },
    // One file on v2 and one property of systemd: whichever is not given stays as it is.
    cpu: { ...cpu, ...together(save.cpu ?? {}, cpu, "quota", "period") },
  };
  return { write, save };
}

type Memory = NonNullable<LinuxResources["memory"]>;
type Cpu = NonNullable<LinuxResources["cpu"]>;

/** No memory limit means none for swap either, unless it is given. A check is for this update alone. */
function savedMemory({ checkBeforeUpdate: _once, ...memory }: Memory, given: Memory): Memory {
  const { swap, ...others } = memory;
  const lifted = given.swap === undefined && given.limit !== undefined && BigInt(given.limit) === -1n;
  return lifted ? others : memory;
}

/** Idle, or not idle any more, a cgroup does not have the shares that it had (kernel/sched, sched_group_set_idle). */
function savedCpu(cpu: Cpu, given: Cpu): Cpu {
  const { shares, ...others } = cpu;
  return given.idle !== undefined && given.shares === undefined ? others : cpu;
}

/** Both members as they will be, when either of them is given. */
function together<T extends object>(save: T, given: T, ...pair: readonly (keyof T)[]): Partial<T> {
  if (pair.every((name) => given[name] === undefined)) return {};
  const present = pair.filter((name) => save[name] !== undefined);
  return Object.fromEntries(present.map((name) => [name, save[name]])) as Partial<T>;
}

/** An update of these does nothing but warn, as in runc. */
function withoutKernelMemory({ memory, ...others }: LinuxResources): LinuxResources {
  if (memory === undefined) return others;
  const { kernel: _ignored, kernelTCP: _too, ...rest } = memory;
  return { ...others, memory: rest };
}

/** Members for which 0 and "" say the same as their absence. */
const unsetAtZero: Readonly<Record<string, readonly string[]>> = {
  memory: ["limit", "reservation", "swap"],
  cpu: ["shares", "quota", "period", "realtimeRuntime", "realtimePeriod", "cpus", "mems"],
  blockIO: ["weight", "leafWeight"],
};

function withoutUnset(resources: LinuxResources): LinuxResources {
  const isUnset = (section: string, [name, value]: [string, JsonValue]) =>
    (value === 0 || value === 0n || value === "") && unsetAtZero[section]?.includes(name);
  const sections = Object.entries(resources as unknown as JsonObject).map(([name, section]) => [
    name,
    isObject(section)
      ? Object.fromEntries(Object.entries(section).filter((member) => !isUnset(name, member)))
      : section,
  ]);
  const isFull = ([, section]: (typeof sections)[number]) => Object.keys(section ?? {}).length > 0;
  return Object.fromEntries(sections.filter(isFull)) as LinuxResources;
}

/** `asked` over `old`, member by member; lists item by item. */
function merge(old: JsonObject, asked: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = { ...old };
  for (const [name, value] of Object.entries(asked)) {
    const before = old[name];
    if (isObject(value)) merged[name] = merge(isObject(before) ? before : {}, value);
    else if (Array.isArray(value)) merged[name] = mergeList(Array.isArray(before) ? before : [], value);
    else merged[name] = value;
  }
  return merged;
}

/** The lists of resources are by page size, by name of an interface, or by device. */
function mergeList(old: readonly JsonObject[], asked: readonly JsonObject[]): JsonObject[] {
  const key = ({ pageSize, name, major, minor }: JsonObject) =>
    String(pageSize ?? name ?? `${major}:${minor}`);
  const merged = new Map(old.map((item) => [key(item), item]));
  for (const item of asked) merged.set(key(item), { ...merged.get(key(item)), ...item });
  return [...merged.values()];
}
