// Cgroups of ordinary files: what the two kernels' files come to. That they are the kernel's files is what
// conformance/cgroup/events.test.ts shows.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { join, makeDirectory, makeTemporary, removeTree, writeFile } from "../../syscalls/testing/files.ts";
import type { HostPath } from "../../syscalls/types.ts";
import type { CgroupPaths } from "../plan/cgroup/hierarchies.ts";
import { readStats } from "./stats.ts";
import { hugepageSizes } from "./stats_files.ts";
import { noMemory, noStats } from "./stats_types.ts";

const stats = suite("readStats");

type Files = Readonly<Record<string, string>>;

/** A directory for each controller, with these files. */
function withCgroup(controllers: Readonly<Record<string, Files>>, body: (paths: CgroupPaths) => void): void {
  const top = makeTemporary("stats-");
  const paths: Record<string, HostPath> = {};
  try {
    for (const [controller, files] of Object.entries(controllers)) {
      const directory = join(top, controller || "unified");
      makeDirectory(directory);
      paths[controller] = directory as HostPath;
      for (const [file, text] of Object.entries(files)) writeFile(join(directory, file), `${text}\n`);
    }
    body(paths);
  } finally {
    removeTree(top);
  }
}

const v1 = (controllers: Readonly<Record<string, Files>>, body: (paths: CgroupPaths) => void) =>
  withCgroup({ freezer: {}, ...controllers }, body);
const v2 = (files: Files, body: (paths: CgroupPaths) => void) =>
  withCgroup({ "": { "cgroup.procs": "", ...files } }, body);

stats("v1: cpu time of cpuacct in nanoseconds, ticks made so", () => {
  const cpuacct = {
    "cpuacct.usage": "123456789",
    "cpuacct.stat": "user 3\nsystem 14",
    "cpuacct.usage_percpu": "100 23 ",
    "cpuacct.usage_all": "cpu user system\n0 5 6\n1 7 8",
  };
  const cpu = { "cpu.stat": "nr_periods 4\nnr_throttled 3\nthrottled_time 2000\nnr_bursts 0" };
  v1({ cpuacct, cpu }, (paths) => {
    assert.equal(readStats(paths).cpu, {
      usage: {
        total: 123456789n,
        percpu: [100n, 23n],
        percpu_kernel: [6n, 8n],
        percpu_user: [5n, 7n],
        kernel: 140_000_000n,
        user: 30_000_000n,
      },
      throttling: { periods: 4n, throttledPeriods: 3n, throttledTime: 2000n },
    });
  });
});

const memoryFiles = (prefix: string, usage: number) => ({
  [`${prefix}.usage_in_bytes`]: String(usage),
  [`${prefix}.max_usage_in_bytes`]: String(usage + 1),
  [`${prefix}.limit_in_bytes`]: "9223372036854771712",
  [`${prefix}.failcnt`]: "2",
});
const entry = (usage: bigint) => ({ limit: 9223372036854771712n, usage, max: usage + 1n, failcnt: 2n });

stats("v1: memory with what this kernel accounts", () => {
  const stat = { "memory.stat": "rss 1\ncache 77" };
  const { "memory.kmem.limit_in_bytes": _gone, ...kmem } = memoryFiles("memory.kmem", 30);
  const memory = { ...stat, ...memoryFiles("memory", 10), ...memoryFiles("memory.memsw", 20), ...kmem };
  v1({ memory }, (paths) => {
    assert.equal(readStats(paths).memory, {
      cache: 77n,
      usage: entry(10n),
      swap: entry(20n),
      kernel: { ...entry(30n), limit: 0n },
      kernelTCP: noMemory,
      raw: { cache: 77n, rss: 1n },
    });
  });
});

stats("v1: the cpuset with its flags", () => {
  const cpuset = {
    "cpuset.cpus": "0-1",
    "cpuset.mems": "0",
    "cpuset.sched_load_balance": "1",
    "cpuset.sched_relax_domain_level": "-1",
  };
  v1({ cpuset }, (paths) => {
    const read = readStats(paths).cpuset;
    assert.equal(read, {
      ...noStats.cpuset,
      cpus: [0, 1],
      mems: [0],
      sched_load_balance: 1n,
      sched_relax_domain_level: -1n,
    });
  });
});

stats("v1: pids, where no limit is 0", () => {
  v1({ pids: { "pids.current": "3", "pids.max": "max" } }, (paths) =>
    assert.equal(readStats(paths).pids, { current: 3n, limit: 0n }),
  );
  v1({ pids: { "pids.current": "3", "pids.max": "9" } }, (paths) =>
    assert.equal(readStats(paths).pids, { current: 3n, limit: 9n }),
  );
});

stats("v1: whoever counts the I/O", () => {
  const of = (value: bigint) => [{ major: 8n, minor: 0n, op: "Read", value }];
  const throttle = {
    "blkio.throttle.io_serviced_recursive": "8:0 Read 5\nTotal 5",
    "blkio.throttle.io_service_bytes_recursive": "8:0 Read 50\nTotal 50",
  };
  const silent = { "blkio.bfq.io_serviced_recursive": "Total 0" };
  v1({ blkio: { ...throttle, ...silent } }, (paths) =>
    assert.equal(readStats(paths).blkio, { ioServicedRecursive: of(5n), ioServiceBytesRecursive: of(50n) }),
  );
  const bfq = {
    "blkio.bfq.io_serviced_recursive": "8:0 Read 7\nTotal 7",
    "blkio.bfq.io_service_bytes_recursive": "8:0 Read 70\nTotal 70",
  };
  v1({ blkio: { ...throttle, ...bfq } }, (paths) =>
    assert.equal(readStats(paths).blkio, { ioServicedRecursive: of(7n), ioServiceBytesRecursive: of(70n) }),
  );
  const debug = { ...bfq, "blkio.bfq.sectors_recursive": "8:0 6792" };
  v1({ blkio: debug }, (paths) =>
    // A file that is missing behind the first ends the reading, as in runc.
    assert.equal(readStats(paths).blkio, {
      sectorsRecursive: [{ major: 8n, minor: 0n, op: "", value: 6792n }],
    }),
  );
});

const [size] = hugepageSizes();
/** A test of files that a kernel without huge pages does not have. */
const hugepages = (title: string, body: (size: string) => void) => {
  if (size === undefined) console.log(`skip: ${title}: this kernel has no huge pages`);
  (size === undefined ? stats.skip : stats)(title, () => body(size ?? ""));
};

hugepages("v1: huge pages by what is reserved, where the kernel tells", (size) => {
  const files = (prefix: string, n: number) => ({
    [`${prefix}.usage_in_bytes`]: String(n),
    [`${prefix}.max_usage_in_bytes`]: String(n + 1),
    [`${prefix}.failcnt`]: String(n + 2),
  });
  const all = hugepageSizes().flatMap((each) => [
    files(`hugetlb.${each}`, 1),
    files(`hugetlb.${each}.rsvd`, 10),
  ]);
  v1({ hugetlb: Object.assign({}, ...all) }, (paths) =>
    assert.equal(readStats(paths).hugetlb[size], { usage: 10n, max: 11n, failcnt: 12n }),
  );
  const old = hugepageSizes().map((each) => files(`hugetlb.${each}`, 1));
  v1({ hugetlb: Object.assign({}, ...old) }, (paths) =>
    assert.equal(readStats(paths).hugetlb[size], { usage: 1n, max: 2n, failcnt: 3n }),
  );
});

stats("v1: a host without the controllers, and a cgroup that is gone", () => {
  v1({}, (paths) => assert.equal(readStats(paths), noStats));
  v1({}, (paths) => {
    const gone = `${paths.freezer}/gone` as HostPath;
    assert.equal(readStats({ freezer: gone, memory: gone, pids: gone, cpuset: gone }), noStats);
  });
});

stats("v2: cpu.stat in nanoseconds", () => {
  const text =
    "usage_usec 9007199254740993\nuser_usec 5\nsystem_usec 7\nnr_periods 1\nnr_throttled 2\nthrottled_usec 3";
  v2({ "cpu.stat": text }, (paths) => {
    assert.equal(readStats(paths).cpu, {
      usage: { ...noStats.cpu.usage, total: 9007199254740993000n, kernel: 7000n, user: 5000n },
      throttling: { periods: 1n, throttledPeriods: 2n, throttledTime: 3000n },
      psi: undefined,
    });
  });
});

const UNLIMITED = 18446744073709551615n;
const v2Memory = { "memory.stat": "anon 1\nfile 5", "memory.current": "100", "memory.max": "max" };

stats("v2: swap is memory and swap together, without a peak", () => {
  const swap = { "memory.swap.current": "30", "memory.swap.max": "1000", "memory.swap.peak": "31" };
  v2({ ...v2Memory, "memory.max": "4096", "memory.peak": "200", ...swap }, (paths) => {
    const { cache, usage, swap, kernel, raw } = readStats(paths).memory;
    assert.is(cache, 5n);
    assert.equal(usage, { limit: 4096n, usage: 100n, max: 200n, failcnt: 0n });
    assert.equal(swap, { limit: 5096n, usage: 130n, max: 0n, failcnt: 0n });
    assert.equal(kernel, noMemory);
    assert.equal(raw, { anon: 1n, file: 5n });
  });
});

stats("v2: without a limit of either there is none of both", () => {
  const limits: readonly [memory: string, swap: string, both: bigint][] = [
    ["max", "max", UNLIMITED],
    ["max", "5", UNLIMITED],
    ["5", "max", UNLIMITED],
    ["5", "0", 5n],
  ];
  for (const [memory, swap, both] of limits)
    v2({ ...v2Memory, "memory.max": memory, "memory.swap.current": "0", "memory.swap.max": swap }, (paths) =>
      assert.is(readStats(paths).memory.swap.limit, both, `${memory} and ${swap}`),
    );
  // No swap accounting: memory alone.
  v2({ ...v2Memory, "memory.max": "5" }, (paths) =>
    assert.equal(readStats(paths).memory.swap, { limit: 5n, usage: 100n, max: 0n, failcnt: 0n }),
  );
});

stats("v2: processes are counted where the controller is missing", () => {
  v2({ "cgroup.procs": "5\n6" }, (paths) => assert.equal(readStats(paths).pids, { current: 2n, limit: 0n }));
  v2({}, (paths) => assert.equal(readStats(paths).pids, { current: 0n, limit: 0n }));
  v2({ "pids.current": "7", "pids.max": "8" }, (paths) =>
    assert.equal(readStats(paths).pids, { current: 7n, limit: 8n }),
  );
});

stats("v2: I/O and pressure", () => {
  const some =
    "some avg10=1.50 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0";
  v2({ "io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4", "io.pressure": some }, (paths) => {
    const read = (op: string, value: bigint) => ({ major: 8n, minor: 0n, op, value });
    assert.equal(readStats(paths).blkio, {
      ioServiceBytesRecursive: [read("Read", 1n), read("Write", 2n)],
      ioServicedRecursive: [read("Read", 3n), read("Write", 4n)],
      psi: { some: { avg10: 1.5, avg60: 0, avg300: 0, total: 7n } },
    });
  });
});

hugepages("v2: huge pages and what was refused", () => {
  const files = hugepageSizes().map((size) => ({
    [`hugetlb.${size}.rsvd.current`]: "4",
    [`hugetlb.${size}.events`]: "max 6",
  }));
  v2(Object.assign({}, ...files), (paths) => {
    const expected = hugepageSizes().map((size) => [size, { usage: 4n, max: 0n, failcnt: 6n }]);
    assert.equal(readStats(paths).hugetlb, Object.fromEntries(expected));
  });
  v2({}, (paths) => assert.equal(readStats(paths).hugetlb, {}));
});

stats("a file that makes no sense is an error that names it", () => {
  v1({ pids: { "pids.current": "three", "pids.max": "max" } }, (paths) =>
    assert.throws(() => readStats(paths), /unable to parse \/.*\/pids\/pids\.current: "three"/),
  );
});
stats.run();
