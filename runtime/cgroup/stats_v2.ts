/** Statistics of cgroup v2, with v1's meaning where the two differ. */
import { isErrno } from "../../syscalls/error.ts";
import type { HostPath } from "../../syscalls/types.ts";
import { UNLIMITED } from "../proc/count.ts";
import { readControl, tryReadControl } from "./control_file.ts";
import { count, countIfThere, hugepageSizes, ifThere, parsed } from "./stats_files.ts";
import { parseIoStat, parseKeyValues, parsePsi } from "./stats_text.ts";
import {
  type BlkioStats,
  type CgroupStats,
  type CpuStats,
  type HugetlbStats,
  type MemoryEntry,
  type MemoryStats,
  noMemory,
  noStats,
  type PidsStats,
  type Psi,
} from "./stats_types.ts";

/** Reads what the enabled controllers say. */
export function readStatsV2(directory: HostPath): CgroupStats {
  return {
    cpu: cpu(directory),
    cpuset: noStats.cpuset,
    memory: memory(directory),
    pids: pids(directory),
    blkio: blkio(directory),
    hugetlb: ifThere(() => hugetlb(directory)) ?? {},
  };
}

/** cpu.stat is there without the controller too, with microseconds. */
function cpu(directory: HostPath): CpuStats {
  const stat = ifThere(() => parsed(directory, "cpu.stat", parseKeyValues)) ?? {};
  const nanoseconds = (key: string) => (stat[key] ?? 0n) * 1000n;
  return {
    usage: {
      ...noStats.cpu.usage,
      total: nanoseconds("usage_usec"),
      kernel: nanoseconds("system_usec"),
      user: nanoseconds("user_usec"),
    },
    throttling: {
      periods: stat.nr_periods ?? 0n,
      throttledPeriods: stat.nr_throttled ?? 0n,
      throttledTime: nanoseconds("throttled_usec"),
    },
    psi: pressure(directory, "cpu.pressure"),
  };
}

function memory(directory: HostPath): MemoryStats {
  const psi = pressure(directory, "memory.pressure");
  const raw = ifThere(() => parsed(directory, "memory.stat", parseKeyValues));
  if (raw === undefined) return { ...noStats.memory, psi };
  const usage = memoryEntry(directory, "memory");
  // Without swap accounting these files are missing, and there is no swap to add.
  const swap = ifThere(() => memoryEntry(directory, "memory.swap")) ?? noMemory;
  return { ...noStats.memory, cache: raw.file ?? 0n, usage, swap: withSwap(usage, swap), raw, psi };
}

/** v1's memory+swap. The two peaks need not have been at the same time, so there is no peak of the sum. */
function withSwap(usage: MemoryEntry, swap: MemoryEntry): MemoryEntry {
  const unlimited = usage.limit === UNLIMITED || swap.limit === UNLIMITED;
  return {
    limit: unlimited ? UNLIMITED : usage.limit + swap.limit,
    usage: usage.usage + swap.usage,
    max: 0n,
    failcnt: 0n,
  };
}

function memoryEntry(directory: HostPath, prefix: string): MemoryEntry {
  return {
    limit: count(directory, `${prefix}.max`),
    usage: count(directory, `${prefix}.current`),
    max: countIfThere(directory, `${prefix}.peak`), // since kernel 5.19, swap's since 6.5
    failcnt: 0n,
  };
}

/** Without the controller the processes are counted, in a threaded cgroup the threads. */
function pids(directory: HostPath): PidsStats {
  const current = ifThere(() => count(directory, "pids.current"));
  if (current === undefined) {
    const listed = tryReadControl(directory, "cgroup.procs") ?? readControl(directory, "cgroup.threads");
    return { current: BigInt(listed === "" ? 0 : listed.split("\n").length), limit: 0n };
  }
  const limit = count(directory, "pids.max");
  return { current, limit: limit === UNLIMITED ? 0n : limit };
}

function blkio(directory: HostPath): BlkioStats {
  const tables = ifThere(() => parsed(directory, "io.stat", parseIoStat));
  return {
    ioServiceBytesRecursive: tables?.bytes ?? [],
    ioServicedRecursive: tables?.operations ?? [],
    psi: pressure(directory, "io.pressure"),
  };
}

function hugetlb(directory: HostPath): Record<string, HugetlbStats> {
  return Object.fromEntries(hugepageSizes().map((size) => [size, hugetlbOf(directory, size)]));
}

function hugetlbOf(directory: HostPath, size: string): HugetlbStats {
  const reserved = ifThere(() => count(directory, `hugetlb.${size}.rsvd.current`)); // since kernel 5.7
  const events = parsed(directory, `hugetlb.${size}.events`, parseKeyValues);
  return {
    usage: reserved ?? count(directory, `hugetlb.${size}.current`),
    max: 0n,
    failcnt: events.max ?? 0n,
  };
}

/** Undefined where the kernel does not keep count: no such file, or psi=0 on its command line. */
function pressure(directory: HostPath, file: string): Psi | undefined {
  try {
    return parsed(directory, file, parsePsi);
  } catch (error) {
    if (isErrno(error, "ENOENT", "EOPNOTSUPP")) return undefined;
    throw error;
  }
}
