// vm
/** The managers against the kernel, with the same titles on v1, hybrid and v2 hosts. Needs root. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { geteuid } from "../../syscalls/identity.ts";
import { getpid, tryKill } from "../../syscalls/process.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import type { HostPath, Pid } from "../../syscalls/types.ts";
import { planCgroupResources } from "../plan/cgroup_resources.ts";
import type { LinuxResources } from "../spec/types.ts";
import { readControl, tryReadControl, tryWriteControl } from "./control_file.ts";
import { detectCgroups } from "./detect.ts";
import { directoryExists, makeDirectories } from "./directory.ts";
import { cgroupVersion, openCgroup, planCgroup } from "./open.ts";
import { CgroupInUse, type CgroupManager } from "./types.ts";

const layout = detectCgroups();
const version = cgroupVersion(layout);
const root = geteuid() === 0 && layout.kind !== "none";
const manager = suite(`cgroup manager (${layout.kind})`);
let count = 0;

/** A test with a cgroup of its own, which is emptied and removed whatever happens. */
function withCgroup(title: string, body: (cgroup: CgroupManager) => Promise<void> | void): void {
  const register = root ? manager : manager.skip;
  if (!root) process.stdout.write(`skip: ${title}: not root, or no cgroup file system\n`);
  register(title, async () => {
    const cgroup = planCgroup(`/runt-test-${getpid()}-${count++}/c`, "unused", layout);
    const parents = Object.values(cgroup.paths).map((path) => path.slice(0, -2) as HostPath);
    try {
      await body(cgroup);
    } finally {
      if (cgroup.exists()) cgroup.killAll(SIGKILL);
      cgroup.remove();
      openCgroup(Object.fromEntries(parents.map((path, i) => [String(i), path]))).remove();
    }
  });
}

/** A shell that waits for a line before it runs the script, so that it can be moved first. */
function startShell(script: string) {
  const child = Bun.spawn(["/bin/sh", "-c", `read go; ${script}`], { stdin: "pipe" });
  return {
    pid: child.pid as Pid,
    go() {
      child.stdin.write("go\n");
      child.stdin.flush();
    },
    async end(): Promise<void> {
      tryKill(child.pid, SIGKILL);
      await child.exited;
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !condition(); i++) await Bun.sleep(5);
  assert.ok(condition());
}

const plan = (resources: LinuxResources) =>
  planCgroupResources(resources, { version, setDevices: version === 1 });

withCgroup("create makes every directory, remove removes them, twice is fine", (cgroup) => {
  assert.not(cgroup.exists());
  cgroup.create();
  cgroup.create();
  for (const path of Object.values(cgroup.paths)) assert.ok(directoryExists(path), path);
  assert.ok(cgroup.exists());
  assert.equal(cgroup.processes(), []);
  cgroup.requireUsable();
  cgroup.remove();
  cgroup.remove();
  for (const path of Object.values(cgroup.paths)) assert.not(directoryExists(path), path);
});

withCgroup("limits are what the kernel says afterwards", (cgroup) => {
  cgroup.create();
  const memory = { limit: 64 << 20, swap: 128 << 20, reservation: 32 << 20 };
  const cpu = { shares: 512, quota: 50000, period: 100000, cpus: "0", mems: "0" };
  cgroup.apply(plan({ memory, cpu, pids: { limit: 0 } }));
  const read = (controller: string, file: string) =>
    readControl(cgroup.paths[controller] ?? cgroup.paths[""] ?? ("" as HostPath), file);
  const expected =
    version === 1
      ? [
          ["memory", "memory.limit_in_bytes", "67108864"],
          ["memory", "memory.memsw.limit_in_bytes", "134217728"],
          ["memory", "memory.soft_limit_in_bytes", "33554432"],
          ["cpu", "cpu.shares", "512"],
          ["cpu", "cpu.cfs_quota_us", "50000"],
          ["cpu", "cpu.cfs_period_us", "100000"],
          ["cpuset", "cpuset.cpus", "0"],
          ["pids", "pids.max", "0"],
        ]
      : [
          ["memory", "memory.max", "67108864"],
          ["memory", "memory.swap.max", "67108864"],
          ["memory", "memory.low", "33554432"],
          ["cpu", "cpu.weight", "59"],
          ["cpu", "cpu.max", "50000 100000"],
          ["cpuset", "cpuset.cpus", "0"],
          ["pids", "pids.max", "0"],
        ];
  for (const [controller = "", file = "", value] of expected) assert.is(read(controller, file), value, file);
});

withCgroup("a second plan may shrink quota, period and burst in any direction", (cgroup) => {
  cgroup.create();
  for (const [quota, period, burst] of [
    [50000, 100000, 20000],
    [5000, 10000, 1000],
    [200000, 100000, 150000],
    [1000, 1000000, 0],
  ] as const)
    cgroup.apply(plan({ cpu: { quota, period, burst } }));
  const directory = cgroup.paths.cpu ?? cgroup.paths[""] ?? ("" as HostPath);
  const file = version === 1 ? "cpu.cfs_quota_us" : "cpu.max";
  assert.is(readControl(directory, file), version === 1 ? "1000" : "1000 1000000");
});

if (version === 1)
  withCgroup("devices.list is what the rules come to", (cgroup) => {
    cgroup.create();
    cgroup.apply(plan({ devices: [{ allow: false, access: "rwm" }] }));
    const { devices = "" as HostPath } = cgroup.paths;
    const list = readControl(devices, "devices.list").split("\n").sort();
    const ours =
      "b *:* m,c *:* m,c 10:200 rwm,c 136:* rwm,c 1:3 rwm,c 1:5 rwm,c 1:7 rwm,c 1:8 rwm,c 1:9 rwm,c 5:0 rwm,c 5:2 rwm";
    assert.equal(list, ours.split(","));
  });

withCgroup("a limit that the kernel refuses names controller, file, value and field", (cgroup) => {
  cgroup.create();
  assert.throws(
    () => cgroup.apply(plan({ cpu: { cpus: "9999" } })),
    /^write \/.*cpuset\.cpus: (ERANGE|EINVAL) .*asked for by linux\.resources\.cpu\.cpus \("9999" to controller cpuset/,
  );
});

withCgroup("a missing controller is said to be missing", (cgroup) => {
  cgroup.create();
  const missing = {
    writes: [{ controller: "nonesuch", file: "nonesuch.max", value: "1", from: "x" as never }],
  };
  assert.throws(
    () => cgroup.apply({ ...missing, notEnforced: [] }),
    /ENOENT.*nonesuch.*(not mounted|not delegated)/,
  );
});

withCgroup("join moves a process into every hierarchy, and then the cgroup is not usable", async (cgroup) => {
  cgroup.create();
  const shell = startShell("exit");
  try {
    cgroup.join(shell.pid);
    assert.equal(cgroup.processes(), [shell.pid]);
    for (const path of Object.values(cgroup.paths))
      assert.is(readControl(path, "cgroup.procs"), String(shell.pid), path);
    assert.throws(
      () => cgroup.requireUsable(),
      (error: Error) =>
        error instanceof CgroupInUse &&
        error.message === "container's cgroup is not empty: 1 process(es) found",
    );
  } finally {
    await shell.end();
  }
});

withCgroup("freeze stops, thaw lets go, and a frozen cgroup is not usable", async (cgroup) => {
  cgroup.create();
  cgroup.freeze();
  assert.throws(
    () => cgroup.requireUsable(),
    /^CgroupInUse: container's cgroup unexpectedly frozen$|unexpectedly frozen/,
  );
  cgroup.thaw();
  const shell = startShell("while :; do :; done");
  try {
    cgroup.join(shell.pid);
    shell.go();
    cgroup.freeze();
    assert.is(cgroup.freezerState(), "frozen");
    const before = readControl("/proc" as HostPath, `${shell.pid}/schedstat`);
    await Bun.sleep(30);
    assert.is(readControl("/proc" as HostPath, `${shell.pid}/schedstat`), before);
    cgroup.thaw();
    assert.is(cgroup.freezerState(), "thawed");
    await until(() => readControl("/proc" as HostPath, `${shell.pid}/schedstat`) !== before);
  } finally {
    await shell.end();
  }
});

const twoHundred = "i=0; while [ $i -lt 200 ]; do sleep 600 & i=$((i+1)); done; wait";

for (const paused of [false, true])
  withCgroup(
    `200 processes are killed${paused ? " while frozen" : ""} and the cgroup is removed`,
    async (cgroup) => {
      cgroup.create();
      const shell = startShell(twoHundred);
      try {
        cgroup.join(shell.pid);
        shell.go();
        await until(() => cgroup.processes().length === 201);
        if (paused) cgroup.freeze();
        cgroup.killAll(SIGKILL);
        cgroup.remove();
        assert.not(cgroup.exists());
      } finally {
        await shell.end();
      }
    },
  );

withCgroup("without cgroup.kill the processes are frozen, signalled and thawed", async (cgroup) => {
  cgroup.create();
  const shell = startShell(twoHundred);
  try {
    cgroup.join(shell.pid);
    shell.go();
    await until(() => cgroup.processes().length === 201);
    cgroup.killAll(15);
    await until(() => cgroup.processes().length === 0);
    assert.is(cgroup.freezerState(), "thawed");
  } finally {
    await shell.end();
  }
});

withCgroup("sub-cgroups count as the container's, and go with it", async (cgroup) => {
  cgroup.create();
  const shell = startShell("exit");
  try {
    cgroup.join(shell.pid);
    for (const path of Object.values(cgroup.paths)) makeDirectories(`${path}/a/b` as HostPath, []);
    const main = cgroup.paths.freezer ?? cgroup.paths[""] ?? ("" as HostPath);
    tryWriteControl(`${main}/a/b` as HostPath, "cgroup.procs", String(shell.pid));
    assert.is(tryReadControl(`${main}/a/b` as HostPath, "cgroup.procs"), String(shell.pid));
    assert.equal(cgroup.processes(), [shell.pid]);
    cgroup.killAll(SIGKILL);
    cgroup.remove();
    assert.not(cgroup.exists());
  } finally {
    await shell.end();
  }
});

withCgroup("create undoes its own work when a hierarchy refuses", (cgroup) => {
  const broken = openCgroup({ ...cgroup.paths, last: "/proc/self/nonesuch" as HostPath });
  if (version === 2) return; // one hierarchy: there is nothing to undo
  assert.throws(() => broken.create(), /mkdir \/proc\/self\/nonesuch: ENOENT/);
  for (const path of Object.values(cgroup.paths)) {
    assert.not(directoryExists(path), path);
    assert.not(directoryExists(path.slice(0, -2) as HostPath), path);
  }
});

if (version === 2)
  withCgroup(
    "below a threaded cgroup the new one is refused with the reason, and nothing stays",
    (cgroup) => {
      const path = cgroup.paths[""] ?? ("" as HostPath);
      const parent = path.slice(0, -2) as HostPath;
      makeDirectories(parent, []);
      assert.is(tryWriteControl(parent, "cgroup.type", "threaded"), 0);
      assert.throws(() => cgroup.create(), /EOPNOTSUPP.*"domain invalid" because a parent is threaded/);
      assert.not(directoryExists(path));
    },
  );

if (version === 2)
  withCgroup(
    "below a cgroup with processes a limit is refused, and that cgroup stays a domain",
    async (cgroup) => {
      const parent = (cgroup.paths[""] ?? "").slice(0, -2) as HostPath;
      makeDirectories(parent, []);
      const shell = startShell("exit");
      try {
        openCgroup({ "": parent }).join(shell.pid);
        cgroup.create();
        assert.is(readControl(parent, "cgroup.type"), "domain");
        assert.throws(
          () => cgroup.apply(plan({ memory: { limit: 64 << 20 } })),
          /memory\.max: ENOENT.*linux\.resources\.memory\.limit.*its parent has processes/,
        );
      } finally {
        await shell.end();
      }
    },
  );

manager.run();
