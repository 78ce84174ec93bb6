/**
 * What a cgroup has used, in the form of runc's `events` (its types.Stats, with its names): one form for both versions
 * of cgroups. Every number is exact, since an unlimited v1 memory limit exceeds 2^53; times are nanoseconds.
 */

/** Pressure stall information (Documentation/accounting/psi): a share of time in percent, the total in microseconds. */
export interface PsiLine {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly total: bigint;
}

/** Some of the tasks waited, or all of them. */
export interface Psi {
  readonly some?: PsiLine;
  readonly full?: PsiLine;
}

export interface CgroupStats {
  readonly cpu: CpuStats;
  readonly cpuset: CpusetStats;
  readonly memory: MemoryStats;
  readonly pids: PidsStats;
  readonly blkio: BlkioStats;
  /** By page size, such as "2MB". */
  readonly hugetlb: Readonly<Record<string, HugetlbStats>>;
}

export interface CpuStats {
  readonly usage: {
    readonly total: bigint;
    readonly percpu: readonly bigint[];
    readonly percpu_kernel: readonly bigint[];
    readonly percpu_user: readonly bigint[];
    readonly kernel: bigint;
    readonly user: bigint;
  };
  readonly throttling: {
    readonly periods: bigint;
    readonly throttledPeriods: bigint;
    readonly throttledTime: bigint;
  };
  readonly psi?: Psi | undefined;
}

/** The flags are files of cgroup v1; all zero on v2. */
export interface CpusetStats {
  readonly cpus: readonly number[];
  readonly cpu_exclusive: bigint;
  readonly mems: readonly number[];
  readonly mem_hardwall: bigint;
  readonly mem_exclusive: bigint;
  readonly memory_migrate: bigint;
  readonly memory_spread_page: bigint;
  readonly memory_spread_slab: bigint;
  readonly memory_pressure: bigint;
  readonly sched_load_balance: bigint;
  readonly sched_relax_domain_level: bigint;
}

/** Bytes; `max` is the most there ever was. */
export interface MemoryEntry {
  readonly limit: bigint;
  readonly usage: bigint;
  readonly max: bigint;
  readonly failcnt: bigint;
}

export interface MemoryStats {
  readonly cache: bigint;
  readonly usage: MemoryEntry;
  /** Memory and swap together, as cgroup v1 counts them. */
  readonly swap: MemoryEntry;
  readonly kernel: MemoryEntry;
  readonly kernelTCP: MemoryEntry;
  /** memory.stat. */
  readonly raw: Readonly<Record<string, bigint>>;
  readonly psi?: Psi | undefined;
}

export interface PidsStats {
  readonly current: bigint;
  /** 0 is none. */
  readonly limit: bigint;
}

export interface BlkioEntry {
  readonly major: bigint;
  readonly minor: bigint;
  /** "Read", "Write" and the like; "" where a file has one number a device. */
  readonly op: string;
  readonly value: bigint;
}

export type BlkioTable =
  | "ioServiceBytesRecursive"
  | "ioServicedRecursive"
  | "ioQueueRecursive"
  | "ioServiceTimeRecursive"
  | "ioWaitTimeRecursive"
  | "ioMergedRecursive"
  | "ioTimeRecursive"
  | "sectorsRecursive";

export type BlkioStats = { readonly [T in BlkioTable]?: readonly BlkioEntry[] } & {
  readonly psi?: Psi | undefined;
};

export interface HugetlbStats {
  readonly usage: bigint;
  readonly max: bigint;
  readonly failcnt: bigint;
}

export const noMemory: MemoryEntry = { limit: 0n, usage: 0n, max: 0n, failcnt: 0n };

/** What a host says that has none of the controllers. */
export const noStats: CgroupStats = {
  cpu: {
    usage: { total: 0n, percpu: [], percpu_kernel: [], percpu_user: [], kernel: 0n, user: 0n },
    throttling: { periods: 0n, throttledPeriods: 0n, throttledTime: 0n },
  },
  cpuset: {
    cpus: [],
    cpu_exclusive: 0n,
    mems: [],
    mem_hardwall: 0n,
    mem_exclusive: 0n,
    memory_migrate: 0n,
    memory_spread_page: 0n,
    memory_spread_slab: 0n,
    memory_pressure: 0n,
    sched_load_balance: 0n,
    sched_relax_domain_level: 0n,
  },
  memory: { cache: 0n, usage: noMemory, swap: noMemory, kernel: noMemory, kernelTCP: noMemory, raw: {} },
  pids: { current: 0n, limit: 0n },
  blkio: {},
  hugetlb: {},
};
