// vm
// update: the limits of a running container, compared file by file with those of a container that runc has updated alike.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, type Result } from "../command.ts";
import { runWaiting } from "../exec/running.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { isAlive, statusField } from "../inspect.ts";
import { cgroupVersion } from "../needs.ts";
import type { Resources } from "../spec.ts";
import {
  cgroupDirectories,
  differences,
  limit,
  limitsOf,
  messagesOf,
  type RunningContainer,
  withRuncBeside,
} from "./beside_runc.ts";

const update = conformance("update");

type Json = Readonly<Record<string, unknown>>;

/** Options, or a document for standard input; then what the files say on v1 and on v2. */
type Step = readonly [asked: string | Json, v1: readonly string[], v2: readonly string[]];

type Case = {
  readonly title: string;
  readonly base: Resources;
  readonly steps: readonly Step[];
};

const M = 1 << 20;
const online = readFileSync("/sys/devices/system/cpu/online", "utf8").trim();

/** What cannot be compared with runc 1.1.5 on v2, and why. */
const apart = { files: /^\/cpu\.weight(\.nice)? /, why: "its conversion of shares is the older one" };

const cases: readonly Case[] = [
  {
    title: "memory and swap, more and less and without limit",
    base: { memory: { limit: 64 * M } },
    steps: [
      ["--memory 100m", ["memory.limit_in_bytes 104857600"], ["memory.max 104857600"]],
      ["--memory 52428800", ["memory.limit_in_bytes 52428800"], ["memory.max 52428800"]],
      [
        "--memory 200m --memory-swap 300m",
        ["memory.limit_in_bytes 209715200", "memory.memsw.limit_in_bytes 314572800"],
        ["memory.max 209715200", "memory.swap.max 104857600"],
      ],
      [
        { memory: { limit: 32 * M, swap: 40 * M } },
        ["memory.limit_in_bytes 33554432", "memory.memsw.limit_in_bytes 41943040"],
        ["memory.max 33554432", "memory.swap.max 8388608"],
      ],
      [
        "--memory 32m --memory-swap -1",
        ["memory.memsw.limit_in_bytes 9223372036854771712"],
        ["memory.swap.max max"],
      ],
      ["--memory=0.5G", ["memory.limit_in_bytes 536870912"], ["memory.max 536870912"]],
      [
        "--memory -1",
        ["memory.limit_in_bytes 9223372036854771712", "memory.memsw.limit_in_bytes 9223372036854771712"],
        ["memory.max max", "memory.swap.max max"],
      ],
      ["--memory-reservation 30M", ["memory.soft_limit_in_bytes 31457280"], ["memory.low 31457280"]],
    ],
  },
  {
    title: "quota and period, each alone and together, and shares",
    base: { cpu: { quota: 50000, period: 100000 } },
    steps: [
      ["--cpu-quota 20000", ["cpu.cfs_quota_us 20000", "cpu.cfs_period_us 100000"], ["cpu.max 20000 100000"]],
      ["--cpu-period 50000", ["cpu.cfs_quota_us 20000", "cpu.cfs_period_us 50000"], ["cpu.max 20000 50000"]],
      [
        "--cpu-period 1000 --cpu-quota 2000",
        ["cpu.cfs_quota_us 2000", "cpu.cfs_period_us 1000"],
        ["cpu.max 2000 1000"],
      ],
      [
        { cpu: { quota: 900000, period: 1000000 } },
        ["cpu.cfs_quota_us 900000", "cpu.cfs_period_us 1000000"],
        ["cpu.max 900000 1000000"],
      ],
      ["--cpu-quota -1", ["cpu.cfs_quota_us -1", "cpu.cfs_period_us 1000000"], ["cpu.max max 1000000"]],
      [
        "--cpu-rt-period 500000 --cpu-rt-runtime 1000",
        ["cpu.rt_period_us 500000", "cpu.rt_runtime_us 1000"],
        [], // v2 has no such limits
      ],
      ["--cpu-share 512", ["cpu.shares 512"], ["cpu.weight 59"]],
    ],
  },
  {
    title: "processes, processors, and several at once as engines send them",
    base: { memory: { limit: 64 * M }, cpu: { shares: 1024, cpus: online }, pids: { limit: 99 } },
    steps: [
      ["--pids-limit 20", ["pids.max 20"], ["pids.max 20"]],
      ["--pids-limit -1", ["pids.max max"], ["pids.max max"]],
      [{ pids: { limit: 30 } }, ["pids.max 30"], ["pids.max 30"]],
      [
        "--cpuset-cpus 0 --cpuset-mems 0",
        ["cpuset.cpus 0", "cpuset.mems 0"],
        ["cpuset.cpus 0", "cpuset.mems 0"],
      ],
      [{ cpu: { cpus: online } }, [`cpuset.cpus ${online}`], [`cpuset.cpus ${online}`]],
      [
        {
          blockIO: { weight: 0 },
          cpu: { shares: 0, quota: 9000, period: 10000, realtimeRuntime: 0, realtimePeriod: 0, cpus: "0" },
          memory: { limit: 32 * M, reservation: 0, swap: 0, kernel: 0, kernelTCP: 0 },
        },
        ["cpu.cfs_quota_us 9000", "cpu.shares 1024", "memory.limit_in_bytes 33554432", "pids.max 30"],
        ["cpu.max 9000 10000", "cpu.weight 100", "memory.max 33554432", "pids.max 30"],
      ],
    ],
  },
];

const ask = (container: RunningContainer, asked: string | Json): Promise<Result> =>
  typeof asked === "string"
    ? container.run(["update", ...asked.split(" "), container.id])
    : container.run(["update", "--resources", "-", container.id], { stdin: JSON.stringify(asked) });

const withBase =
  (base: Resources = {}) =>
  (spec: { linux: { resources?: Resources } }) => {
    spec.linux.resources = { devices: [{ allow: false, access: "rwm" }], ...base };
  };

for (const { title, base, steps } of cases)
  update(
    title,
    (c) =>
      withRuncBeside(c, withBase(base), async (ours, theirs) => {
        for (const [asked, v1, v2] of steps) {
          const step = JSON.stringify(asked);
          assert.is(succeed(await ask(ours, asked)).stdout, "", step);
          for (const line of cgroupVersion === 1 ? v1 : v2) shows(ours, line, step);
          succeed(await ask(theirs, asked));
          const differ = differences(limitsOf(ours), limitsOf(theirs));
          assert.equal(
            differ.filter((line) => !apart.files.test(line)),
            [],
            step,
          );
        }
      }),
    { needs: ["runc"] },
  );

/** "FILE VALUE" is so. */
function shows(container: RunningContainer, line: string, step = line): void {
  const [file = "", ...value] = line.split(" ");
  assert.is(limit(container, file), value.join(" "), `${step}: ${file}`);
}

/** A container of the runtime under test alone. */
async function running(c: Fixture, base?: Resources): Promise<RunningContainer> {
  await runWaiting(c, withBase(base));
  return { id: c.id, pid: (await c.state()).pid, run: c.runt };
}

const noSuchFlag = "runc 1.1.5 knows no burst and no idle";

update(
  "burst and idle, which ends the shares",
  async (c) => {
    const container = await running(c, { cpu: { quota: 50000, period: 100000, shares: 512 } });
    const weight = cgroupVersion === 1 ? "cpu.shares" : "cpu.weight";
    const burst = cgroupVersion === 1 ? "cpu.cfs_burst_us" : "cpu.max.burst";
    succeed(await ask(container, "--cpu-burst 20000"));
    assert.is(limit(container, burst), "20000");
    succeed(await ask(container, { cpu: { burst: 0 } }));
    assert.is(limit(container, burst), "0");
    succeed(await ask(container, "--cpu-idle 1"));
    assert.is(limit(container, "cpu.idle"), "1");
    // What was refused is as it was: there is nothing to set back, and so nothing inconsistent.
    const refused = refuse(await ask(container, "--cpu-share 512 --pids-limit 77"), `${weight}: EINVAL`);
    assert.is(messagesOf(refused).length, 1, refused.stderr);
    assert.is(limit(container, "pids.max"), "max");
    succeed(await ask(container, "--cpu-idle 0 --cpu-share 1024"));
    assert.is(limit(container, "cpu.idle"), "0");
    assert.is(limit(container, weight), cgroupVersion === 1 ? "1024" : "100");
    succeed(await ask(container, "--cpu-idle 1 --cpu-share 1024"));
    assert.is(limit(container, "cpu.idle"), "1");
  },
  { runcFails: noSuchFlag },
);

update(
  "what is not named stays in force for the next update, on both versions",
  async (c) => {
    const container = await running(c, { memory: { limit: 64 * M }, cpu: { quota: 20000, period: 50000 } });
    succeed(await ask(container, "--pids-limit 9"));
    succeed(await ask(container, "--cpu-quota 30000"));
    succeed(await ask(container, { memory: { swap: 96 * M } }));
    const lines =
      cgroupVersion === 1
        ? ["cpu.cfs_quota_us 30000", "cpu.cfs_period_us 50000", `memory.memsw.limit_in_bytes ${96 * M}`]
        : ["cpu.max 30000 50000", `memory.max ${64 * M}`, `memory.swap.max ${32 * M}`];
    for (const line of ["pids.max 9", ...lines]) shows(container, line);
    // The swap limit is one of both together: more memory leaves less of it to swap.
    succeed(await ask(container, "--memory 80m"));
    if (cgroupVersion === 2) shows(container, `memory.swap.max ${16 * M}`);
  },
  { runcMayFail: "runc 1.1.5 forgets the period on v2, and cannot set swap alone there" },
);

update(
  "numbers beyond 2^53 are exact",
  async (c) => {
    const container = await running(c);
    const file = cgroupVersion === 1 ? "memory.limit_in_bytes" : "memory.max";
    const written = "9223372036854767616"; // the kernel rounds down to whole pages
    succeed(await ask(container, "--memory 9223372036854771711"));
    assert.is(limit(container, file), written);
    succeed(await ask(container, "--memory -1"));
    const stdin = '{"memory":{"limit":9223372036854771711}}';
    succeed(await c.runt(["update", "-r", "-", c.id], { stdin }));
    assert.is(limit(container, file), written);
  },
  { runcFails: "runc reads sizes as floating point numbers" },
);

update(
  "a throttle for one device, and another for another",
  async (c) => {
    const container = await running(c);
    const device = readFileSync(join("/sys/block", readdirSync("/sys/block")[0] ?? "", "dev"), "utf8").trim();
    const [major, minor] = device.split(":").map(Number);
    const throttle = (rate: number) => ({ major, minor, rate });
    succeed(await ask(container, { blockIO: { throttleReadBpsDevice: [throttle(M)] } }));
    succeed(await ask(container, { blockIO: { throttleWriteIOPSDevice: [throttle(120)] } }));
    if (cgroupVersion === 1) {
      assert.is(limit(container, "blkio.throttle.read_bps_device"), `${device} ${M}`);
      assert.is(limit(container, "blkio.throttle.write_iops_device"), `${device} 120`);
    } else assert.is(limit(container, "io.max"), `${device} rbps=${M} wbps=max riops=max wiops=120`);
  },
  { runcFails: "runc 1.1.5 ignores throttles in an update" },
);

update("a weight for block I/O", async (c) => {
  const container = await running(c);
  const files = ["blkio.weight", "blkio.bfq.weight", "io.bfq.weight", "io.weight"];
  if (files.every((file) => limit(container, file) === undefined)) {
    refuse(await ask(container, "--blkio-weight 300"), /io\.weight|blkio\.bfq\.weight/);
    return;
  }
  succeed(await ask(container, "--blkio-weight 300"));
  assert.match(files.map((file) => limit(container, file)).join(" "), /\b(300|2930)\b/);
});

update("device rules in a document are left alone", async (c) => {
  const container = await running(c);
  const list = (): string => {
    const directory = cgroupDirectories(container.pid).get("devices");
    return directory === undefined ? "" : readFileSync(join(directory, "devices.list"), "utf8");
  };
  const before = list();
  succeed(await ask(container, { devices: [{ allow: true, access: "rwm" }], pids: { limit: 5 } }));
  assert.is(list(), before);
  assert.is(limit(container, "pids.max"), "5");
});

update("a document from a file, and without any environment", async (c) => {
  const container = await running(c);
  const file = join(c.dir, "resources.json");
  writeFileSync(file, '{"pids":{"limit":11}}');
  succeed(await c.runt(["update", `--resources=${file}`, c.id], { env: {} }));
  assert.is(limit(container, "pids.max"), "11");
  // A relative path counts from the caller's directory.
  writeFileSync(file, '{"pids":{"limit":12},"unknown":{"key":1}}');
  succeed(await c.runt(["update", "-r", "resources.json", "--pids-limit", "99", c.id], { cwd: c.dir }));
  assert.is(limit(container, "pids.max"), "12", "the options beside a document are ignored");
});

update("a container that is created, and one that is paused", async (c) => {
  c.configure((spec) => {
    spec.process.args = ["sleep", "600"];
  });
  succeed(await c.create());
  const container = { id: c.id, pid: (await c.state()).pid, run: c.runt };
  succeed(await ask(container, "--pids-limit 50"));
  succeed(await c.runt(["start", c.id]));
  assert.is(limit(container, "pids.max"), "50");
  succeed(await c.runt(["pause", c.id]));
  succeed(await ask(container, "--pids-limit 51"));
  assert.is(limit(container, "pids.max"), "51");
  assert.is((await c.state()).status, "paused");
});

const halves: readonly [title: string, asked: string | Json, says: string | RegExp][] = [
  ["a quota that is too small", "--memory 100m --pids-limit 7 --cpu-quota 1", /cfs_quota_us|cpu\.max/],
  ["a processor that is not there", "--cpu-share 100 --cpuset-cpus 4095", "cpuset.cpus"],
  ["a memory node that is not there", "--cpuset-cpus 0 --cpuset-mems 63", "cpuset.mems"],
  [
    "memory below what is used",
    { cpu: { cpus: "0" }, memory: { limit: 4096, swap: 8192, checkBeforeUpdate: true } },
    cgroupVersion === 1
      ? "unable to set memory limit to 4096 (current usage"
      : "rejecting memory limit 4096 <= usage",
  ],
  [
    "idle, and then an error",
    { cpu: { idle: 1, shares: 77, period: 1, quota: 1000 } },
    /cfs_period_us|cpu\.max/,
  ],
];
update(
  "one limit that is refused, and none is changed",
  async (c) => {
    const cpu = { shares: 2048, quota: 50000, period: 100000, cpus: online, mems: "0" };
    const container = await running(c, { memory: { limit: 64 * M }, cpu, pids: { limit: 40 } });
    const before = limitsOf(container);
    for (const [title, asked, says] of halves) {
      const result = refuse(await ask(container, asked), says);
      assert.is(messagesOf(result).length, 1, `${title}: nothing is said of a way back that failed`);
      assert.equal(limitsOf(container), before, title);
      assert.ok(isAlive(container.pid), title);
    }
    // state.json was not changed either: the quota in force comes along.
    succeed(await ask(container, "--cpu-period 50000"));
    shows(container, cgroupVersion === 1 ? "cpu.cfs_quota_us 50000" : "cpu.max 50000 50000");
  },
  { runcFails: "runc restores only what was in config.json" },
);

update(
  "a refusal leaves a container without a cpuset of its own all processors",
  async (c) => {
    const container = await running(c);
    const allowed = (): string | undefined => statusField(container.pid, "Cpus_allowed_list");
    const before = allowed();
    const result = refuse(await ask(container, "--cpuset-cpus 0 --cpuset-mems 63"), "cpuset.mems");
    assert.is(messagesOf(result).length, 1);
    assert.is(allowed(), before);
  },
  { runcFails: "runc restores only what was in config.json" },
);

const accepted = / \([^()]* (is|are) accepted\b[^()]*\)/;

update(
  "mistakes in numbers have runc's words, and then what is accepted",
  (c) =>
    withRuncBeside(c, withBase(), async (ours, theirs) => {
      for (const asked of [
        "--memory abc",
        "--memory -2",
        "--memory 10mbb",
        "--cpu-period abc",
        "--cpu-period 99999999999999999999",
        "--cpu-quota 1.5",
        "--blkio-weight x",
        "--pids-limit 1x",
        "--pids-limit 99999999999999999999",
        "--l3-cache-schema L3:0=f",
        "--mem-bw-schema MB:0=10",
      ]) {
        const [mine, oracle] = [await ask(ours, asked), await ask(theirs, asked)];
        const words = messagesOf(mine).map((text) => text.replace(accepted, ""));
        assert.equal(words, messagesOf(oracle), asked);
        assert.is(mine.status, oracle.status, asked);
      }
      for (const asked of ["--kernel-memory 5m", "--kernel-memory-tcp 5m"]) {
        const [mine, oracle] = [await ask(ours, asked), await ask(theirs, asked)];
        assert.equal(messagesOf(succeed(mine)), messagesOf(succeed(oracle)));
        assert.match(mine.stderr, "level=warning");
      }
    }),
  { needs: ["runc"] },
);

update(
  "a pids limit of 0 is the least that lets a process live",
  async (c) => {
    const container = await running(c, { pids: { limit: 0 } });
    assert.is(limit(container, "pids.max"), "1");
    succeed(await c.runt(["exec", c.id, "true"]));
    succeed(await ask(container, "--pids-limit 9"));
    succeed(await ask(container, "--pids-limit 0"));
    assert.is(limit(container, "pids.max"), "1");
    assert.ok(isAlive(container.pid));
    succeed(await ask(container, "--pids-limit -1"));
    assert.is(limit(container, "pids.max"), "max");
    succeed(await ask(container, { pids: { limit: 0 } }));
    assert.is(limit(container, "pids.max"), "1");
    succeed(await ask(container, { pids: {}, memory: { limit: 64 * M } }));
    assert.is(limit(container, "pids.max"), "1");
  },
  { runcFails: "runc before 1.4 takes 0 for no limit" },
);

update(
  "keys that nothing knows are told, and when nothing is changed",
  async (c) => {
    const container = await running(c);
    const before = limitsOf(container);
    const said = async (asked: string | Json): Promise<string[]> =>
      messagesOf(succeed(await ask(container, asked)));
    const nothing = "nothing was changed: no limit is named that this host can change";
    assert.equal(await said({ memroy: { limit: 1 }, pids: { limitt: 5 } }), [
      "resources: memroy is not known and ignored: did you mean memory?",
      "resources: pids.limitt is not known and ignored: did you mean limit?",
      nothing,
    ]);
    for (const asked of [{}, { devices: [{ allow: true, access: "r" }] }])
      assert.equal(await said(asked), [nothing]);
    assert.equal(messagesOf(succeed(await c.runt(["update", c.id]))), [nothing]);
    assert.equal(limitsOf(container), before);
    assert.equal(await said({ pids: { limit: 50 }, org: 1 }), ["resources: org is not known and ignored"]);
    assert.equal(await said("--pids-limit 51"), []);
  },
  { runcFails: "it says nothing" },
);

update("documents that are none: one line, and nothing is changed", async (c) => {
  const container = await running(c);
  const before = limitsOf(container);
  for (const [stdin, says] of [
    ["", ""],
    ["{", ""],
    ["[]", ""],
    ['{"memory":5}', "memory"],
    ['{"memory":{"limit":"5"}}', "limit"],
    ['{"memory":{"limit":1.5},"pids":{"limit":3}}', "limit"],
    ['{"cpu":{"shares":-1}}', "shares"],
  ] as const) {
    const result = refuse(await c.runt(["update", "--resources", "-", c.id], { stdin }), says);
    assert.is(messagesOf(result).length, 1, stdin);
  }
  refuse(await c.runt(["update", "-r", join(c.dir, "nowhere"), c.id]), "no such file or directory");
  for (const stdin of ["{}", "null"]) succeed(await c.runt(["update", "-r", "-", c.id], { stdin }));
  assert.equal(limitsOf(container), before);
});

update("a container that has stopped, and one that does not exist", async (c) => {
  const { pid } = await running(c);
  process.kill(pid, "SIGKILL");
  await eventually(() => !isAlive(pid));
  refuse(await c.runt(["update", "--pids-limit", "5", c.id]), "container not running");
  refuse(await c.runt(["update", "--pids-limit", "x5", c.id]), "parse error");
  for (const argv of [
    ["--pids-limit", "5"],
    ["--memory", "x"],
    ["-r", "/nowhere"],
  ])
    refuse(await c.runt(["update", ...argv, "nobody"]), "container does not exist");
});
update.run();
