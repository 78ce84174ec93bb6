/**
 * The `data` of a stats event as go-runc decodes it: runc's keys in runc's order (events.go,
 * convertLibcontainerStats). What is zero or empty is left out,
 * except for the few numbers that runc always writes.
 */
import type { CgroupStats, MemoryEntry } from "../cgroup/stats_types.ts";
import type { RdtStats } from "../intel_rdt/stats.ts";

/** A tree of numbers, texts and lists, ready to be written as JSON. */
export type StatsDocument = Readonly<Record<string, unknown>>;

/** Makes the document. */
export function statsDocument(stats: CgroupStats, rdt: RdtStats): StatsDocument {
  const { cpu, cpuset, memory, pids, blkio, hugetlb } = stats;
  const { psi, ...tables } = blkio;
  return {
    cpu: {
      usage: {
        ...filled(cpu.usage, "total", "percpu", "percpu_kernel", "percpu_user"),
        kernel: cpu.usage.kernel,
        user: cpu.usage.user,
      },
      throttling: filled(cpu.throttling, "periods", "throttledPeriods", "throttledTime"),
      ...filled(cpu, "psi"),
    },
    cpuset: Object.fromEntries(
      Object.entries(cpuset).filter(([, value]) => typeof value === "bigint" || value.length > 0),
    ),
    memory: {
      ...filled(memory, "cache"),
      usage: memoryEntry(memory.usage),
      swap: memoryEntry(memory.swap),
      kernel: memoryEntry(memory.kernel),
      kernelTCP: memoryEntry(memory.kernelTCP),
      ...filled(memory, "raw", "psi"),
    },
    pids: filled(pids, "current", "limit"),
    blkio: {
      ...Object.fromEntries(
        blkioTables.flatMap((table) => {
          const entries = tables[table] ?? [];
          return entries.length === 0
            ? []
            : [[table, entries.map((entry) => filled(entry, "major", "minor", "op", "value"))]];
        }),
      ),
      ...filled({ psi }, "psi"),
    },
    hugetlb: Object.fromEntries(
      Object.entries(hugetlb).map(([size, entry]) => [
        size,
        { ...filled(entry, "usage", "max"), failcnt: entry.failcnt },
      ]),
    ),
    intel_rdt: rdt,
    network_interfaces: null, // as runc's: the namespace and its devices are not the runtime's
  };
}

const blkioTables = [
  "ioServiceBytesRecursive",
  "ioServicedRecursive",
  "ioQueueRecursive",
  "ioServiceTimeRecursive",
  "ioWaitTimeRecursive",
  "ioMergedRecursive",
  "ioTimeRecursive",
  "sectorsRecursive",
] as const;

function memoryEntry(entry: MemoryEntry): StatsDocument {
  return { limit: entry.limit, ...filled(entry, "usage", "max"), failcnt: entry.failcnt };
}

/** These members, in this order, if there is something in them. Pressure is there as soon as it is measured. */
function filled<T extends object>(from: T, ...keys: readonly (keyof T & string)[]): StatsDocument {
  return Object.fromEntries(keys.filter((key) => !isEmpty(key, from[key])).map((key) => [key, from[key]]));
}

function isEmpty(key: string, value: unknown): boolean {
  if (value === undefined || value === 0n || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return key !== "psi" && typeof value === "object" && Object.keys(value ?? {}).length === 0;
}
