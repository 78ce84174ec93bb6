/** Statistics of cgroup v1, one hierarchy after the other. */
import type { HostPath } from "../../syscalls/types.ts";
import type { CgroupPaths } from "../plan/cgroup/hierarchies.ts";
import { parseCount, UNLIMITED } from "../proc/count.ts";
import { readControl } from "./control_file.ts";
import { count, countIfThere, hugepageSizes, ifThere, parsed } from "./stats_files.ts";
import { parseBlkio, parseCpuList, parseKeyValues } from "./stats_text.ts";
import {
  type BlkioEntry,
  type BlkioStats,
  type BlkioTable,
  type CgroupStats,
  type CpuStats,
  type CpusetStats,
  type HugetlbStats,
  type MemoryEntry,
  type MemoryStats,
  noMemory,
  noStats,
  type PidsStats,
} from "./stats_types.ts";

/** Reads what the mounted controllers say. */
export function readStatsV1(paths: CgroupPaths): CgroupStats {
  const of = <T>(controller: string, read: (directory: HostPath) => T, none: T): T => {
    const directory = paths[controller];
    return directory === undefined ? none : (ifThere(() => read(directory)) ?? none);
  };
  return {
    cpu: {
      usage: of("cpuacct", cpuUsage, noStats.cpu.usage),
      throttling: of("cpu", throttling, noStats.cpu.throttling),
    },
    cpuset: of("cpuset", cpuset, noStats.cpuset),
    memory: of("memory", memory, noStats.memory),
    pids: of("pids", pids, noStats.pids),
    blkio: of("blkio", blkio, noStats.blkio),
    hugetlb: of("hugetlb", hugetlb, noStats.hugetlb),
  };
}

/** cpuacct.stat counts in USER_HZ, which is 100 on every architecture of ours. */
const TICK = 10_000_000n;

function cpuUsage(directory: HostPath): CpuStats["usage"] {
  const stat = parsed(directory, "cpuacct.stat", parseKeyValues);
  const percpu = readControl(directory, "cpuacct.usage_percpu").split(" ");
  // A line a processor, "cpu user system", below a heading; since kernel 4.9.
  const all = ifThere(() => readControl(directory, "cpuacct.usage_all")) ?? "";
  const rows = all
    .split("\n")
    .slice(1)
    .map((line) => line.split(" "));
  const column = (i: number) => rows.map((row) => parseCount(row[i] ?? "", `${directory}/cpuacct.usage_all`));
  return {
    total: count(directory, "cpuacct.usage"),
    percpu: percpu.map((text) => parseCount(text, `${directory}/cpuacct.usage_percpu`)),
    percpu_kernel: column(2),
    percpu_user: column(1),
    kernel: (stat.system ?? 0n) * TICK,
    user: (stat.user ?? 0n) * TICK,
  };
}

function throttling(directory: HostPath): CpuStats["throttling"] {
  const stat = parsed(directory, "cpu.stat", parseKeyValues);
  return {
    periods: stat.nr_periods ?? 0n,
    throttledPeriods: stat.nr_throttled ?? 0n,
    throttledTime: stat.throttled_time ?? 0n,
  };
}

function cpuset(directory: HostPath): CpusetStats {
  const flag = (name: string) => countIfThere(directory, `cpuset.${name}`);
  const level = ifThere(() => readControl(directory, "cpuset.sched_relax_domain_level")) ?? "0";
  return {
    cpus: parsed(directory, "cpuset.cpus", parseCpuList),
    cpu_exclusive: flag("cpu_exclusive"),
    mems: parsed(directory, "cpuset.mems", parseCpuList),
    mem_hardwall: flag("mem_hardwall"),
    mem_exclusive: flag("mem_exclusive"),
    memory_migrate: flag("memory_migrate"),
    memory_spread_page: flag("memory_spread_page"),
    memory_spread_slab: flag("memory_spread_slab"),
    memory_pressure: flag("memory_pressure"),
    sched_load_balance: flag("sched_load_balance"),
    sched_relax_domain_level: BigInt(level), // -1 is the system's own
  };
}

function memory(directory: HostPath): MemoryStats {
  const raw = parsed(directory, "memory.stat", parseKeyValues);
  return {
    cache: raw.cache ?? 0n,
    usage: memoryEntry(directory, "memory"),
    swap: ifThere(() => memoryEntry(directory, "memory.memsw")) ?? noMemory,
    kernel: ifThere(() => memoryEntry(directory, "memory.kmem")) ?? noMemory,
    kernelTCP: ifThere(() => memoryEntry(directory, "memory.kmem.tcp")) ?? noMemory,
    raw,
  };
}

function memoryEntry(directory: HostPath, prefix: string): MemoryEntry {
  return {
    limit: countIfThere(directory, `${prefix}.limit_in_bytes`), // kmem's is gone since kernel 6.0
    usage: count(directory, `${prefix}.usage_in_bytes`),
    max: count(directory, `${prefix}.max_usage_in_bytes`),
    failcnt: count(directory, `${prefix}.failcnt`),
  };
}

function pids(directory: HostPath): PidsStats {
  const limit = count(directory, "pids.max");
  return { current: count(directory, "pids.current"), limit: limit === UNLIMITED ? 0n : limit };
}

/** Whoever schedules the I/O counts it: BFQ with and without its debugging files, CFQ, or only the throttle. */
const blkioFiles: readonly (readonly (readonly [table: BlkioTable, file: string])[])[] = [
  [
    ["sectorsRecursive", "blkio.bfq.sectors_recursive"],
    ["ioServiceTimeRecursive", "blkio.bfq.io_service_time_recursive"],
    ["ioWaitTimeRecursive", "blkio.bfq.io_wait_time_recursive"],
    ["ioMergedRecursive", "blkio.bfq.io_merged_recursive"],
    ["ioQueueRecursive", "blkio.bfq.io_queued_recursive"],
    ["ioTimeRecursive", "blkio.bfq.time_recursive"],
    ["ioServicedRecursive", "blkio.bfq.io_serviced_recursive"],
    ["ioServiceBytesRecursive", "blkio.bfq.io_service_bytes_recursive"],
  ],
  [
    ["ioServicedRecursive", "blkio.bfq.io_serviced_recursive"],
    ["ioServiceBytesRecursive", "blkio.bfq.io_service_bytes_recursive"],
  ],
  [
    ["sectorsRecursive", "blkio.sectors_recursive"],
    ["ioServiceTimeRecursive", "blkio.io_service_time_recursive"],
    ["ioWaitTimeRecursive", "blkio.io_wait_time_recursive"],
    ["ioMergedRecursive", "blkio.io_merged_recursive"],
    ["ioQueueRecursive", "blkio.io_queued_recursive"],
    ["ioTimeRecursive", "blkio.time_recursive"],
    ["ioServicedRecursive", "blkio.io_serviced_recursive"],
    ["ioServiceBytesRecursive", "blkio.io_service_bytes_recursive"],
  ],
  [
    ["ioServicedRecursive", "blkio.throttle.io_serviced_recursive"],
    ["ioServiceBytesRecursive", "blkio.throttle.io_service_bytes_recursive"],
  ],
  [
    ["ioServicedRecursive", "blkio.throttle.io_serviced"],
    ["ioServiceBytesRecursive", "blkio.throttle.io_service_bytes"],
  ],
];

/**
 * The first group whose first file knows a device; a later file that says nothing ends it, as in runc
 * (cgroups/fs/blkio.go, getBlkioStat).
 */
function blkio(directory: HostPath): BlkioStats {
  for (const group of blkioFiles) {
    const tables: { [T in BlkioTable]?: BlkioEntry[] } = {};
    for (const [table, file] of group) {
      const entries = ifThere(() => parsed(directory, file, parseBlkio)) ?? [];
      if (entries.length === 0) break;
      tables[table] = entries;
    }
    if (Object.keys(tables).length > 0) return tables;
  }
  return {};
}

function hugetlb(directory: HostPath): Record<string, HugetlbStats> {
  return Object.fromEntries(hugepageSizes().map((size) => [size, hugetlbOf(directory, size)]));
}

/** What is reserved counts where the kernel tells it, since 5.7: it is what a limit refuses. */
function hugetlbOf(directory: HostPath, size: string): HugetlbStats {
  const entry = (prefix: string): HugetlbStats => ({
    usage: count(directory, `${prefix}.usage_in_bytes`),
    max: count(directory, `${prefix}.max_usage_in_bytes`),
    failcnt: count(directory, `${prefix}.failcnt`),
  });
  return ifThere(() => entry(`hugetlb.${size}.rsvd`)) ?? entry(`hugetlb.${size}`);
}
