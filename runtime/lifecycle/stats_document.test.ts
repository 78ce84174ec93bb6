import { suite } from "uvu";
import * as assert from "uvu/assert";
import { noMemory, noStats } from "../cgroup/stats_types.ts";
import { stringifyJson } from "../config/json.ts";
import { statsDocument } from "./stats_document.ts";

const stats = suite("statsDocument");

// Both texts are what runc 1.1.5 prints of such numbers.
stats("of nothing there stays what runc always writes", () => {
  const nothing = { limit: 0, failcnt: 0 };
  const text = JSON.stringify({
    cpu: { usage: { kernel: 0, user: 0 }, throttling: {} },
    cpuset: {
      cpu_exclusive: 0,
      mem_hardwall: 0,
      mem_exclusive: 0,
      memory_migrate: 0,
      memory_spread_page: 0,
      memory_spread_slab: 0,
      memory_pressure: 0,
      sched_load_balance: 0,
      sched_relax_domain_level: 0,
    },
    memory: { usage: nothing, swap: nothing, kernel: nothing, kernelTCP: nothing },
    pids: {},
    blkio: {},
    hugetlb: {},
    intel_rdt: {},
    network_interfaces: null,
  });
  assert.is(stringifyJson(statsDocument(noStats, {})), text);
});

stats("runc's keys in runc's order, and exact numbers", () => {
  const entry = { limit: 18446744073709551615n, usage: 9007199254740993n, max: 1n, failcnt: 2n };
  const psi = { some: { avg10: 0.5, avg60: 0, avg300: 0, total: 3n } };
  const document = statsDocument(
    {
      cpu: {
        usage: { total: 1n, percpu: [1n, 0n], percpu_kernel: [2n], percpu_user: [3n], kernel: 4n, user: 5n },
        throttling: { periods: 6n, throttledPeriods: 7n, throttledTime: 8n },
        psi,
      },
      cpuset: { ...noStats.cpuset, cpus: [0, 1], mems: [0], sched_relax_domain_level: -1n },
      memory: {
        cache: 9n,
        usage: entry,
        swap: entry,
        kernel: noMemory,
        kernelTCP: noMemory,
        raw: { a: 0n, b: 18446744073709551615n },
        psi: {},
      },
      pids: { current: 1n, limit: 2n },
      blkio: {
        ioServicedRecursive: [{ major: 0n, minor: 5n, op: "", value: 0n }],
        ioServiceBytesRecursive: [{ major: 8n, minor: 0n, op: "Read", value: 1n }],
        sectorsRecursive: [],
        psi,
      },
      hugetlb: { "2MB": { usage: 0n, max: 0n, failcnt: 0n }, "1GB": { usage: 1n, max: 2n, failcnt: 3n } },
    },
    { schemata: ["L3:0=f"] },
  );
  const pressure = '"psi":{"some":{"avg10":0.5,"avg60":0,"avg300":0,"total":3}}';
  const unlimited = '{"limit":18446744073709551615,"usage":9007199254740993,"max":1,"failcnt":2}';
  assert.is(
    stringifyJson(document),
    `{"cpu":{"usage":{"total":1,"percpu":[1,0],"percpu_kernel":[2],"percpu_user":[3],"kernel":4,"user":5},` +
      `"throttling":{"periods":6,"throttledPeriods":7,"throttledTime":8},${pressure}},` +
      `"cpuset":{"cpus":[0,1],"cpu_exclusive":0,"mems":[0],"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,` +
      `"memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,` +
      `"sched_relax_domain_level":-1},` +
      `"memory":{"cache":9,"usage":${unlimited},"swap":${unlimited},"kernel":{"limit":0,"failcnt":0},` +
      `"kernelTCP":{"limit":0,"failcnt":0},"raw":{"a":0,"b":18446744073709551615},"psi":{}},` +
      `"pids":{"current":1,"limit":2},` +
      `"blkio":{"ioServiceBytesRecursive":[{"major":8,"op":"Read","value":1}],` +
      `"ioServicedRecursive":[{"minor":5}],${pressure}},` +
      `"hugetlb":{"2MB":{"failcnt":0},"1GB":{"usage":1,"max":2,"failcnt":3}},` +
      `"intel_rdt":{"schemata":["L3:0=f"]},"network_interfaces":null}`,
  );
});
stats.run();
