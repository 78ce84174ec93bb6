// vm
/** The managers against the kernel, with the same titles on v1, hybrid and v2 hosts. Needs root. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { geteuid } from "../../syscalls/identity.ts";
import { sleepMs } from "../../syscalls/poll.ts";
import { getpid } from "../../syscalls/process.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { exists, join, parentOf, statOf } from "../../syscalls/testing/files.ts";
import { run, start, waitUntil } from "../../syscalls/testing/programs.ts";
import type { HostPath, SpecField } from "../../syscalls/types.ts";
import type { LinuxResources } from "../config/types.ts";
import { detectCgroups } from "../host/cgroup_layout.ts";
import { cgroupVersion } from "../plan/cgroup/hierarchies.ts";
import { planCgroupPlace } from "../plan/cgroup/place.ts";
import { planCgroupResources } from "../plan/cgroup/resources.ts";
import { readControl, tryReadControl, tryWriteControl, writeControl } from "./control_file.ts";
import { directoryExists, makeDirectories } from "./directory.ts";
import { CgroupInUse, type CgroupManager } from "./manager.ts";
import { newCgroup, openCgroup } from "./open.ts";

const layout = detectCgroups();
const version = cgroupVersion(layout);
const root = geteuid() === 0 && layout.kind !== "none";
const manager = suite(`cgroup manager (${layout.kind})`);
let count = 0;

/** A test with a cgroup of its own, which is emptied and removed whatever happens. */
function withCgroup(title: string, body: (cgroup: CgroupManager) => void): void {
  const register = root ? manager : manager.skip;
  if (!root) console.log(`skip: ${title}: not root, or no cgroup file system`);
  register(title, () => {
    const cgroup = newCgroup(
      planCgroupPlace({ id: "unused", cgroupsPath: `/runt-test-${getpid()}-${count++}/c` }, layout),
    );
    const parents = Object.values(cgroup.paths).map((path) => path.slice(0, -2) as HostPath);
    try {
      body(cgroup);
    } finally {
      if (cgroup.exists()) cgroup.killAll(SIGKILL);
      cgroup.remove();
      openCgroup({ cgroupPaths: Object.fromEntries(parents.map((path, i) => [String(i), path])) }).remove();
    }
  });
}

/** A shell that waits for a line before it runs the script, so that it can be moved first. */
function startShell(script: string) {
  const child = start(["/bin/sh", "-c", `read go; ${script}`], { stdin: "pipe" });
  return { pid: child.pid, go: () => child.write("go\n"), end: child.end };
}

const until = (condition: () => boolean): void => assert.ok(waitUntil(condition));

const plan = (resources: LinuxResources) =>
  planCgroupResources(resources, { version, setDevices: version === 1 });

withCgroup("create makes every directory, remove removes them, twice is fine", (cgroup) => {
  assert.not(cgroup.exists());
  cgroup.create(plan({}));
  cgroup.create(plan({}));
  for (const path of Object.values(cgroup.paths)) assert.ok(directoryExists(path), path);
  assert.ok(cgroup.exists());
  assert.equal(cgroup.processes(), []);
  cgroup.requireUsable();
  cgroup.remove();
  cgroup.remove();
  for (const path of Object.values(cgroup.paths)) assert.not(directoryExists(path), path);
});

withCgroup("limits are what the kernel says afterwards", (cgroup) => {
  cgroup.create(plan({}));
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
          ["pids", "pids.max", "1"],
        ]
      : [
          ["memory", "memory.max", "67108864"],
          ["memory", "memory.swap.max", "67108864"],
          ["memory", "memory.low", "33554432"],
          ["cpu", "cpu.weight", "59"],
          ["cpu", "cpu.max", "50000 100000"],
          ["cpuset", "cpuset.cpus", "0"],
          ["pids", "pids.max", "1"],
        ];
  for (const [controller = "", file = "", value] of expected) assert.is(read(controller, file), value, file);
});

withCgroup("a second plan may shrink quota, period and burst in any direction", (cgroup) => {
  cgroup.create(plan({}));
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
    cgroup.create(plan({}));
    cgroup.apply(plan({ devices: [{ allow: false, access: "rwm" }] }));
    const { devices = "" as HostPath } = cgroup.paths;
    const list = readControl(devices, "devices.list").split("\n").sort();
    const ours =
      "b *:* m,c *:* m,c 10:200 rwm,c 136:* rwm,c 1:3 rwm,c 1:5 rwm,c 1:7 rwm,c 1:8 rwm,c 1:9 rwm,c 5:0 rwm,c 5:2 rwm";
    assert.equal(list, ours.split(","));
  });

/** The whole message of the error with which a plan is refused. */
function refusal(act: () => void): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it was not refused");
}

const unified = (file: string) => ({
  writes: [
    { controller: file.split(".")[0] ?? "", file, value: "1", from: "linux.resources.x" as SpecField },
  ],
  notEnforced: [],
});

withCgroup("a limit that the kernel refuses names controller, file, value and field", (cgroup) => {
  cgroup.create(plan({}));
  const directory = cgroup.paths.cpuset ?? cgroup.paths[""] ?? ("" as HostPath);
  const there = readControl(
    parentOf(parentOf(directory)) as HostPath,
    `cpuset.cpus${version === 2 ? ".effective" : ""}`,
  );
  const said = refusal(() => cgroup.apply(plan({ cpu: { cpus: "0-9999" } })));
  assert.is(
    said,
    `write ${directory}/cpuset.cpus: ERANGE (numerical result out of range), asked for by linux.resources.cpu.cpus ("0-9999" to controller cpuset; the parent cgroup has ${there})`,
  );
});

withCgroup("a controller that the kernel does not have is missing", (cgroup) => {
  cgroup.create(plan({}));
  const [where, why] =
    version === 1
      ? ["", "this kernel does not have it"]
      : [`${cgroup.paths[""]}/`, "this kernel does not have it, or has it in cgroup v1"];
  assert.is(
    refusal(() => cgroup.apply(unified("nonesuch.max"))),
    `write ${where}nonesuch.max: ENOENT (no such file or directory), asked for by linux.resources.x ("1" to controller nonesuch; the controller is missing: ${why})`,
  );
});

withCgroup("a file that the kernel does not have, of a controller that it has", (cgroup) => {
  cgroup.create(plan({}));
  const directory = cgroup.paths.pids ?? cgroup.paths[""];
  assert.is(
    refusal(() => cgroup.apply(unified("pids.nonesuch"))),
    `write ${directory}/pids.nonesuch: ENOENT (no such file or directory), asked for by linux.resources.x ("1" to controller pids; this kernel does not have the file)`,
  );
});

if (version === 1)
  withCgroup("a controller of the kernel without a hierarchy is not mounted", (cgroup) => {
    const line = /^(\S+)\t0\t\d+\t1$/m.exec(readControl("/proc" as HostPath, "cgroups"));
    const name = line?.[1] ?? assert.unreachable("every controller of this kernel is mounted");
    cgroup.create(plan({}));
    assert.is(
      refusal(() => cgroup.apply(unified(`${name}.max`))),
      `write ${name}.max: ENOENT (no such file or directory), asked for by linux.resources.x ("1" to controller ${name}; the controller is not mounted as a hierarchy of cgroup v1)`,
    );
  });

if (version === 1)
  withCgroup("a memory limit below the usage says how much is used", (cgroup) => {
    cgroup.create(plan({}));
    const shell = startShell("x=$(head -c 4000000 /dev/zero | tr '\\0' x); echo full >&2; sleep 600");
    try {
      cgroup.join(shell.pid);
      shell.go();
      const { memory = "" as HostPath } = cgroup.paths;
      until(() => Number(readControl(memory, "memory.usage_in_bytes")) > 4_000_000);
      tryWriteControl(memory, "memory.swappiness", "0");
      const said = refusal(() => cgroup.apply(plan({ memory: { limit: 4096 } })));
      assert.match(
        said,
        /^write \S+\/memory\.limit_in_bytes: EBUSY \(device or resource busy\), asked for by linux\.resources\.memory\.limit \("4096" to controller memory; unable to set memory limit to 4096 \(current usage: \d+, peak usage: \d+\)\)$/,
      );
    } finally {
      shell.end();
    }
  });

withCgroup("join moves a process into every hierarchy, and then the cgroup is not usable", (cgroup) => {
  cgroup.create(plan({}));
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
    shell.end();
  }
});

withCgroup("freeze stops, thaw lets go, and a frozen cgroup is not usable", (cgroup) => {
  cgroup.create(plan({}));
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
    sleepMs(30);
    assert.is(readControl("/proc" as HostPath, `${shell.pid}/schedstat`), before);
    cgroup.thaw();
    assert.is(cgroup.freezerState(), "thawed");
    until(() => readControl("/proc" as HostPath, `${shell.pid}/schedstat`) !== before);
  } finally {
    shell.end();
  }
});

const twoHundred = "i=0; while [ $i -lt 200 ]; do sleep 600 & i=$((i+1)); done; wait";

for (const paused of [false, true])
  withCgroup(
    `200 processes are killed${paused ? " while frozen" : ""} and the cgroup is removed`,
    (cgroup) => {
      cgroup.create(plan({}));
      const shell = startShell(twoHundred);
      try {
        cgroup.join(shell.pid);
        shell.go();
        until(() => cgroup.processes().length === 201);
        if (paused) cgroup.freeze();
        cgroup.killAll(SIGKILL);
        cgroup.remove();
        assert.not(cgroup.exists());
      } finally {
        shell.end();
      }
    },
  );

withCgroup("without cgroup.kill the processes are frozen, signalled and thawed", (cgroup) => {
  cgroup.create(plan({}));
  const shell = startShell(twoHundred);
  try {
    cgroup.join(shell.pid);
    shell.go();
    until(() => cgroup.processes().length === 201);
    cgroup.killAll(15);
    until(() => cgroup.processes().length === 0);
    assert.is(cgroup.freezerState(), "thawed");
  } finally {
    shell.end();
  }
});

withCgroup("sub-cgroups count as the container's, and go with it", (cgroup) => {
  cgroup.create(plan({}));
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
    shell.end();
  }
});

withCgroup("create undoes its own work when a hierarchy refuses", (cgroup) => {
  const broken = openCgroup({ cgroupPaths: { ...cgroup.paths, last: "/proc/self/nonesuch" as HostPath } });
  if (version === 2) return; // one hierarchy: there is nothing to undo
  assert.throws(() => broken.create(plan({})), /mkdir \/proc\/self\/nonesuch: ENOENT/);
  for (const path of Object.values(cgroup.paths)) {
    assert.not(directoryExists(path), path);
    assert.not(directoryExists(path.slice(0, -2) as HostPath), path);
  }
});

const top = (cgroup: CgroupManager) => cgroup.paths[""] ?? ("" as HostPath);
const above = (cgroup: CgroupManager) => parentOf(top(cgroup)) as HostPath;

if (version === 2) {
  withCgroup("below a threaded cgroup it is threaded as well, and its processes are found", (cgroup) => {
    makeDirectories(above(cgroup), []);
    assert.is(tryWriteControl(above(cgroup), "cgroup.type", "threaded"), 0);
    cgroup.create(plan({ pids: { limit: 20 } }));
    assert.is(readControl(top(cgroup), "cgroup.type"), "threaded");
    cgroup.apply(plan({ pids: { limit: 20 } }));
    const shell = startShell("sleep 600");
    try {
      cgroup.join(shell.pid);
      shell.go();
      until(() => cgroup.processes().length === 2);
      assert.ok(cgroup.processes().includes(shell.pid));
    } finally {
      shell.end();
    }
  });

  withCgroup(
    "below a threaded cgroup a memory limit is refused with the reason, and nothing stays",
    (cgroup) => {
      makeDirectories(above(cgroup), []);
      assert.is(tryWriteControl(above(cgroup), "cgroup.type", "threaded"), 0);
      assert.is(
        refusal(() => cgroup.create(plan({ memory: { limit: 64 << 20 } }))),
        `use cgroup ${top(cgroup)}: EOPNOTSUPP (operation not supported) (it is of type "domain invalid" because a parent is threaded, in which controller memory cannot work; choose a cgroupsPath outside of it)`,
      );
      assert.not(directoryExists(top(cgroup)));
    },
  );

  /** A test below a cgroup that has a process. */
  const crowded = (title: string, body: (cgroup: CgroupManager) => void) =>
    withCgroup(title, (cgroup) => {
      makeDirectories(above(cgroup), []);
      const shell = startShell("exit");
      try {
        openCgroup({ cgroupPaths: { "": above(cgroup) } }).join(shell.pid);
        body(cgroup);
      } finally {
        cgroup.killAll(SIGKILL);
        shell.end();
      }
    });

  crowded(
    "below a cgroup with processes a memory limit is not delegated, and it stays a domain",
    (cgroup) => {
      const limits = plan({ memory: { limit: 64 << 20 }, pids: { limit: 5 } });
      cgroup.create(limits);
      assert.is(readControl(above(cgroup), "cgroup.type"), "domain");
      assert.is(
        refusal(() => cgroup.apply(limits)),
        `write ${top(cgroup)}/pids.max: ENOENT (no such file or directory), asked for by linux.resources.pids.limit ("5" to controller pids; the controller is not delegated: it is not in cgroup.subtree_control of ${above(cgroup)}, which has processes)`,
      );
    },
  );

  crowded("below a cgroup with processes, without limits: it stays a domain too", (cgroup) => {
    cgroup.create(plan({}));
    assert.is(readControl(above(cgroup), "cgroup.type"), "domain");
    assert.is(readControl(top(cgroup), "cgroup.type"), "domain");
  });

  crowded("below a cgroup with processes, limits of a threaded controller are had by threading", (cgroup) => {
    const limits = plan({ pids: { limit: 5 }, cpu: { quota: 50000 } });
    cgroup.create(limits);
    cgroup.apply(limits);
    assert.is(readControl(top(cgroup), "cgroup.type"), "threaded");
    assert.is(readControl(top(cgroup), "pids.max"), "5");
    assert.is(
      refusal(() => cgroup.apply(plan({ memory: { limit: 64 << 20 } }))).replace(/.*memory; /, ""),
      `the controller is not delegated: it is not in cgroup.subtree_control of ${above(cgroup)}, which has processes)`,
    );
  });

  withCgroup("a controller that was taken away again is not delegated", (cgroup) => {
    cgroup.create(plan({}));
    assert.is(tryWriteControl(above(cgroup), "cgroup.subtree_control", "-memory"), 0);
    assert.is(
      refusal(() => cgroup.apply(plan({ memory: { limit: 64 << 20 } }))),
      `write ${top(cgroup)}/memory.max: ENOENT (no such file or directory), asked for by linux.resources.memory.limit ("67108864" to controller memory; the controller is not delegated: it is not in cgroup.subtree_control of ${above(cgroup)})`,
    );
  });

  withCgroup("a weight is set before idle begins; then it is refused with the reason", (cgroup) => {
    cgroup.create(plan({}));
    cgroup.apply(plan({ cpu: { idle: 1, shares: 1024 } }));
    assert.is(readControl(top(cgroup), "cpu.idle"), "1");
    assert.is(
      refusal(() => cgroup.apply(plan({ cpu: { shares: 512 } }))),
      `write ${top(cgroup)}/cpu.weight: EINVAL (invalid argument), asked for by linux.resources.cpu.shares ("59" to controller cpu; cpu.idle is 1, which excludes a weight)`,
    );
  });

  withCgroup("the owner has the directory and what may be given away, not the limits", (cgroup) => {
    cgroup.create({ ...plan({}), owner: 4711 });
    const owners = (files: readonly string[]) => files.map((file) => statOf(join(top(cgroup), file)).uid);
    const given = readControl("/sys/kernel/cgroup" as HostPath, "delegate")
      .split("\n")
      .filter((file) => exists(join(top(cgroup), file)));
    assert.ok(given.includes("cgroup.procs"));
    assert.equal(new Set(owners([".", ...given])), new Set([4711]));
    assert.equal(new Set(owners(["memory.max", "pids.max", "cgroup.freeze", "cgroup.type"])), new Set([0]));
  });
}

withCgroup("a cgroup around it that is frozen is named", (cgroup) => {
  const cgroupPaths = Object.fromEntries(
    Object.entries(cgroup.paths).map(([name, path]) => [name, parentOf(path) as HostPath]),
  );
  const outer = openCgroup({ cgroupPaths });
  outer.create(plan({}));
  outer.freeze();
  const where = outer.paths.freezer ?? outer.paths[""];
  try {
    const text = `container's cgroup unexpectedly frozen, together with ${where}`;
    assert.is(
      refusal(() => cgroup.requireUsable()),
      text,
    );
    assert.is(outer.freezerState(), "frozen");
    cgroup.create(plan({}));
    assert.is(cgroup.freezerState(), "thawed");
    assert.is(
      refusal(() => cgroup.requireUsable()),
      `container's cgroup unexpectedly frozen, together with ${cgroup.paths.freezer ?? cgroup.paths[""]}`,
    );
  } finally {
    outer.thaw();
  }
  cgroup.requireUsable();
});

if (version === 1) {
  withCgroup("memory and swap limits change in any direction", (cgroup) => {
    cgroup.create(plan({}));
    const { memory = "" as HostPath } = cgroup.paths;
    for (const [limit, swap] of [
      [64 << 20, 128 << 20],
      [256 << 20, 256 << 20],
      [32 << 20, 48 << 20],
      [-1, -1],
      [64 << 20, 64 << 20],
    ] as const) {
      cgroup.apply(plan({ memory: { limit, swap } }));
      const now = ["limit_in_bytes", "memsw.limit_in_bytes"].map((file) =>
        readControl(memory, `memory.${file}`),
      );
      const none = "9223372036854771712";
      assert.equal(
        now,
        [limit, swap].map((value) => (value < 0 ? none : String(value))),
      );
    }
  });

  withCgroup("cpus of the configuration are there from the start, not all of the parent's", (cgroup) => {
    cgroup.create(plan({ cpu: { cpus: "0" } }));
    assert.is(readControl(cgroup.paths.cpuset ?? ("" as HostPath), "cpuset.cpus"), "0");
    assert.is(readControl(cgroup.paths.cpuset ?? ("" as HostPath), "cpuset.mems"), "0");
  });

  withCgroup("realtime of the configuration is there before a realtime process comes", (cgroup) => {
    const parent = parentOf(cgroup.paths.cpu ?? "") as HostPath;
    makeDirectories(parent, []);
    assert.is(tryWriteControl(parent, "cpu.rt_runtime_us", "2000"), 0);
    cgroup.create(plan({ cpu: { realtimeRuntime: 1000, realtimePeriod: 1000000 } }));
    const shell = startShell("exit");
    try {
      assert.is(run(["chrt", "--fifo", "-p", "1", String(shell.pid)]).status, 0);
      cgroup.join(shell.pid);
    } finally {
      shell.end();
    }
  });

  withCgroup("who has left the unified hierarchy alone dies as well", (cgroup) => {
    cgroup.create(plan({}));
    const shell = startShell("sleep 600");
    try {
      cgroup.join(shell.pid);
      shell.go();
      until(() => cgroup.processes().length === 2);
      const unified = layout.hierarchies.find(({ controllers }) => controllers[0] === "");
      if (unified !== undefined) writeControl(unified.mountPoint, "cgroup.procs", String(shell.pid));
      cgroup.killAll(SIGKILL);
      cgroup.remove();
      assert.not(cgroup.exists());
    } finally {
      shell.end();
    }
  });

  withCgroup("what the container has frozen itself dies as well", (cgroup) => {
    cgroup.create(plan({}));
    const shell = startShell("sleep 600");
    try {
      const inner = `${cgroup.paths.freezer}/inner` as HostPath;
      makeDirectories(inner, []);
      cgroup.join(shell.pid);
      tryWriteControl(inner, "cgroup.procs", String(shell.pid));
      tryWriteControl(inner, "freezer.state", "FROZEN");
      until(() => readControl(inner, "freezer.state") === "FROZEN");
      cgroup.killAll(SIGKILL);
      cgroup.remove();
      assert.not(cgroup.exists());
    } finally {
      shell.end();
    }
  });
}

manager.run();
