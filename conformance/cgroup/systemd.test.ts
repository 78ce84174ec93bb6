// The systemd driver against a real systemd: what `systemctl show` and the control files say of a container of the
// runtime under test and of one of runc, for the same configuration.
// vm only
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { cgroupsOf } from "../leftovers.ts";
import { type Need, runtimePath } from "../needs.ts";
import { runcPath } from "../oracle/compare.ts";
import { type Resources, shell } from "../spec.ts";

const need: readonly Need[] = ["systemd", "runc"];
const suite = conformance("systemd driver");

type V2Resources = Resources & { unified?: Record<string, string> };

/** What differs from one unit to the next whoever makes it, and what only tells how its properties were set. */
const volatile = new RegExp(
  `^(${[
    ".*Timestamp.*",
    ".*(Current|Available|NSec|Bytes|Packets|Operations)",
    "InvocationID|ControlGroupId|DropInPaths|FragmentPath|NeedDaemonReload",
  ].join("|")})=`,
);

/** runc before 1.2 asks for a group of devices by its name, later ones and runt by its number. */
const groups: readonly (readonly [RegExp, string])[] = [
  [/=char-pts /, "=char-136 "],
  [/=block-loop /, "=block-7 "],
];

async function systemctl(...args: string[]): Promise<Result> {
  return runCommand(["systemctl", ...args]);
}

async function show(unit: string): Promise<string[]> {
  const { stdout } = succeed(await systemctl("show", unit));
  return stdout
    .trimEnd()
    .split("\n")
    .filter((line) => !volatile.test(line))
    .map((line) => groups.reduce((text, [from, to]) => text.replace(from, to), line))
    .sort();
}

const property = async (unit: string, name: string): Promise<string> =>
  succeed(await systemctl("show", "--value", "-p", name, unit)).stdout.trim();

const isLoaded = async (unit: string): Promise<boolean> =>
  (await property(unit, "LoadState")) !== "not-found";

/** Every control file that can be read and does not count anything. */
function controlFiles(directory: string): string[] {
  const counts =
    /\.(stat|events|events\.local|current|pressure|peak|numa_stat)$|^cgroup\.(procs|threads|stat)/;
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !counts.test(entry.name))
    .map((entry) => `${entry.name}: ${tryRead(join(directory, entry.name))}`)
    .sort();
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "cannot be read";
  }
}

const directoryOf = (cgroup: string): string => `/sys/fs/cgroup${cgroup}`;

function cgroupOf(pid: number): string {
  return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "";
}

/** Creates, looks, and deletes. */
async function look(c: Fixture, runtime: string, root: string, unit: string): Promise<string[]> {
  const command = (...args: string[]) => runCommand([runtime, "--root", root, ...args]);
  try {
    succeed(await command("--systemd-cgroup", "create", "--bundle", c.bundle, c.id));
    const { pid } = JSON.parse(succeed(await command("state", c.id)).stdout) as { pid: number };
    const cgroup = cgroupOf(pid);
    return [`cgroup ${cgroup}`, ...(await show(unit)), ...controlFiles(directoryOf(cgroup))];
  } finally {
    await command("delete", "--force", c.id);
  }
}

type Case = {
  readonly title: string;
  readonly annotations?: Record<string, string>;
  readonly resources?: V2Resources;
  /** TOKEN is the test's own. */
  readonly path?: string;
  readonly unit?: string;
  /** Lines that must be among those of runt. */
  readonly shows: readonly string[];
  /** How the lines begin in which runc 1.1.5 differs, and why. */
  readonly differs?: readonly (readonly [start: string, why: string])[];
};

const megabyte = 1 << 20;

// Few, as each is two containers in an emulated machine.
const cases: readonly Case[] = [
  {
    title: "a slice, a prefix, and all limits",
    path: "TOKEN-pods.slice:cri:TOKEN",
    unit: "cri-TOKEN.scope",
    resources: {
      memory: { limit: 64 * megabyte, swap: 96 * megabyte, reservation: 32 * megabyte },
      cpu: { quota: 25000, period: 50000, cpus: "0-1", mems: "0" },
      pids: { limit: 42 },
      devices: [
        { allow: false, access: "rwm" },
        { allow: true, type: "c", major: 10, minor: 229, access: "rw" },
        { allow: true, type: "b", major: 7, access: "r" },
        { allow: false, type: "c", major: 1, minor: 5, access: "w" },
      ],
    },
    shows: [
      "Slice=TOKEN-pods.slice",
      "cgroup /conf.slice/TOKEN.slice/TOKEN-pods.slice/cri-TOKEN.scope",
      `MemoryMax=${64 * megabyte}`,
      `MemorySwapMax=${32 * megabyte}`,
      `MemoryLow=${32 * megabyte}`,
      `memory.max: ${64 * megabyte}`,
      `memory.swap.max: ${32 * megabyte}`,
      "CPUQuotaPerSecUSec=500ms",
      "CPUQuotaPeriodUSec=50ms",
      "cpu.max: 25000 50000",
      "AllowedCPUs=0-1",
      "AllowedMemoryNodes=0",
      "cpuset.cpus: 0-1",
      "TasksMax=42",
      "pids.max: 42",
      "DevicePolicy=strict",
      "DeviceAllow=/dev/char/10:229 rw",
      "DeviceAllow=block-7 r",
    ],
  },
  {
    title: "the root slice, and no limit of anything",
    path: "-.slice:root:TOKEN",
    unit: "root-TOKEN.scope",
    resources: {
      memory: { limit: -1 },
      cpu: { quota: -1 },
      pids: { limit: -1 },
      devices: [{ allow: true, access: "rwm" }],
    },
    shows: [
      "Slice=-.slice",
      "cgroup /root-TOKEN.scope",
      "MemoryMax=infinity",
      "CPUQuotaPerSecUSec=infinity",
      "TasksMax=infinity",
      "pids.max: max",
      "DevicePolicy=auto",
    ],
  },
  {
    title: "where runc 1.1.5 is another",
    resources: {
      memory: { limit: 64 * megabyte, swap: 64 * megabyte },
      cpu: { shares: 1024, quota: 33333, period: 50000 },
    },
    shows: [
      "MemorySwapMax=0",
      "memory.swap.max: 0",
      "CPUWeight=100",
      "cpu.weight: 100",
      "CPUQuotaPerSecUSec=670ms",
      "cpu.max: 33500 50000",
    ],
    differs: [
      ["MemorySwapMax=", "runc takes a swap of 0 for a limit that is not set"],
      ["CPUWeight=", "the formula is that of runc 1.4"],
      ["cpu.weight", "the same"],
      ["cpu.max: ", "runc before 1.2 writes a quota that systemd then contradicts"],
    ],
  },
  {
    title: "unified files",
    resources: {
      unified: {
        "memory.high": String(48 * megabyte),
        "memory.low": String(16 * megabyte),
        "pids.max": "55",
        "cpu.max": "20000 40000",
        "cpu.weight": "77",
        "cpuset.cpus": "1",
        "io.weight": "default 200",
      },
    },
    shows: [
      `MemoryHigh=${48 * megabyte}`,
      `MemoryLow=${16 * megabyte}`,
      "TasksMax=55",
      "CPUQuotaPerSecUSec=500ms",
      "CPUWeight=77",
      "AllowedCPUs=1",
      "io.weight: default 200",
    ],
  },
  {
    title: "no limits: a delegated scope in system.slice, with properties by annotation",
    annotations: {
      "org.systemd.property.TimeoutStopUSec": "uint64 7000000",
      "org.systemd.property.RuntimeMaxSec": "uint64 1234",
      "org.systemd.property.CollectMode": "'inactive-or-failed'",
      "org.systemd.property.After": "['dbus.service', 'basic.target']",
      "org.systemd.property.SendSIGHUP": "true",
      "org.systemd.property.KillSignal": "int32 9",
    },
    shows: [
      "Delegate=yes",
      "Slice=system.slice",
      "DefaultDependencies=no",
      "MemoryAccounting=yes",
      "TimeoutStopUSec=7s",
      "RuntimeMaxUSec=20min 34s",
      "CollectMode=inactive-or-failed",
      "After=basic.target dbus.service system.slice",
      "SendSIGHUP=yes",
      "KillSignal=9",
    ],
  },
];

/** The order in which systemd prints the units of a list is that of a hash table. */
const sortedList = (line: string): string =>
  /^(After|Requires|Wants)=/.test(line)
    ? line.replace(/=(.*)/, (_, list: string) => `=${list.split(" ").sort().join(" ")}`)
    : line;

for (const { title, annotations, resources, path, unit = "runc-ID.scope", shows, differs = [] } of cases)
  suite(
    title,
    async (c) => {
      const named = (text: string) => text.replaceAll("TOKEN", c.token).replaceAll("ID", c.id);
      c.configure((spec) => {
        if (resources) spec.linux.resources = { devices: [{ allow: false, access: "rwm" }], ...resources };
        if (path) spec.linux.cgroupsPath = named(path);
        if (annotations) spec.annotations = annotations;
      });
      const ours = (await look(c, runtimePath, c.root, named(unit))).map(sortedList);
      assert.not(await isLoaded(named(unit)), "the unit is still there after delete");
      const theirs = (await look(c, runcPath(), join(c.dir, "oracle-state"), named(unit))).map(sortedList);
      const only = (these: string[], those: string[]) => these.filter((line) => !those.includes(line));
      const surprising = (line: string) => !differs.some(([start]) => line.startsWith(start));
      const [runt, runc] = [only(ours, theirs), only(theirs, ours)];
      assert.equal({ runt: runt.filter(surprising), runc: runc.filter(surprising) }, { runt: [], runc: [] });
      for (const [start] of differs)
        assert.ok(
          runt.some((line) => line.startsWith(start)),
          `${start} does not differ`,
        );
      for (const line of shows.map(named))
        assert.ok(ours.includes(line), `${line} is not among\n${ours.join("\n")}`);
      await stopSlices(c);
    },
    { needs: need },
  );

/** systemd keeps slices that were only ever wanted by a container. */
async function stopSlices(c: Fixture): Promise<void> {
  await systemctl("stop", `${c.token}.slice`);
}

const create = (c: Fixture) => c.runt(["--systemd-cgroup", "create", "--bundle", c.bundle, c.id]);
const unitOf = (c: Fixture) => `runc-${c.id}.scope`;

suite(
  "a name that ends in .slice makes a slice, which wants its parent",
  async (c) => {
    const unit = `${c.token}-pod.slice`;
    c.configure((spec) => {
      spec.linux.cgroupsPath = `${c.token}.slice:ignored:${unit}`;
      spec.linux.resources = { pids: { limit: 42 } };
    });
    succeed(await create(c));
    assert.is(cgroupOf((await c.state()).pid), `/conf.slice/${c.token}.slice/${unit}`);
    assert.match(await property(unit, "Wants"), `${c.token}.slice`);
    assert.is(await property(unit, "TasksMax"), "42");
    assert.is(await property(unit, "ActiveState"), "active");
    succeed(await c.deleteForce());
    assert.is.not(await property(unit, "ActiveState"), "active");
    await stopSlices(c);
  },
  { needs: need, runcFails: "runc gives the slice a process to start with, which systemd refuses" },
);

suite(
  "exec, pause, resume, kill and delete need no flag, and the process is in the scope itself",
  async (c) => {
    c.configure((spec) => shell(spec, "while :; do sleep 0.1; done"));
    succeed(await create(c));
    succeed(await c.runt(["start", c.id]));
    const inside = `/system.slice/${unitOf(c)}`;
    assert.is(cgroupOf((await c.state()).pid), inside);
    assert.match(succeed(await c.runt(["exec", c.id, "cat", "/proc/self/cgroup"])).stdout, `0::${inside}`);
    succeed(await c.runt(["pause", c.id]));
    assert.is((await c.state()).status, "paused");
    succeed(await c.runt(["resume", c.id]));
    succeed(await c.runt(["kill", c.id, "KILL"]));
    assert.ok(
      await eventually(() => !existsSync(directoryOf(inside)), 20),
      "the scope ends with its process",
    );
    assert.is((await c.state()).status, "stopped");
    succeed(await c.runt(["delete", c.id]));
    assert.not(await isLoaded(unitOf(c)));
  },
  { needs: need },
);

/** Creates, updates, looks, and deletes. */
async function lookAfterUpdate(
  c: Fixture,
  runtime: string,
  root: string,
  options: string,
): Promise<string[]> {
  const command = (...args: string[]) => runCommand([runtime, "--root", root, ...args]);
  try {
    succeed(await command("--systemd-cgroup", "create", "--bundle", c.bundle, c.id));
    succeed(await command("update", ...options.split(" "), c.id));
    const { pid } = JSON.parse(succeed(await command("state", c.id)).stdout) as { pid: number };
    return [...(await show(unitOf(c))), ...controlFiles(directoryOf(cgroupOf(pid)))];
  } finally {
    await command("delete", "--force", c.id);
  }
}

suite(
  "update changes the unit as well as the files",
  async (c) => {
    c.configure((spec) => {
      spec.linux.resources = {
        devices: [{ allow: false, access: "rwm" }],
        memory: { limit: 64 * megabyte },
        pids: { limit: 42 },
      };
    });
    const options =
      "--memory 33554432 --memory-swap 50331648 --cpu-period 50000 --cpu-quota 25000 --cpuset-cpus 1 --pids-limit 7";
    const ours = await lookAfterUpdate(c, runtimePath, c.root, options);
    const theirs = await lookAfterUpdate(c, runcPath(), join(c.dir, "oracle-state"), options);
    assert.equal(ours, theirs);
    const shows = [
      `MemoryMax=${32 * megabyte}`,
      `MemorySwapMax=${16 * megabyte}`,
      "CPUQuotaPerSecUSec=500ms",
      "AllowedCPUs=1",
      "TasksMax=7",
      "pids.max: 7",
      "cpuset.cpus: 1",
      "DevicePolicy=strict",
    ];
    for (const line of shows) assert.ok(ours.includes(line), `${line} is not among\n${ours.join("\n")}`);
  },
  { needs: need },
);

suite(
  "the limits survive that systemd reads its files again",
  async (c) => {
    c.configure((spec) => {
      spec.linux.resources = {
        devices: [{ allow: false, access: "rwm" }],
        memory: { limit: 64 * megabyte, swap: 64 * megabyte },
        cpu: { quota: 33333, period: 50000, cpus: "0" },
        pids: { limit: 42 },
      };
    });
    succeed(await create(c));
    const directory = directoryOf(cgroupOf((await c.state()).pid));
    const before = controlFiles(directory);
    succeed(await systemctl("daemon-reload"));
    // Any change makes systemd write all that it knows of the unit.
    succeed(await systemctl("set-property", "--runtime", unitOf(c), "MemoryLow=4096"));
    const after = controlFiles(directory);
    const changed = after.filter((line) => !before.includes(line));
    assert.equal(changed, ["memory.low: 4096"]);
  },
  { needs: need, runcFails: "runc before 1.2 writes a quota that it has not told systemd" },
);

suite(
  "a failed unit of the same name is reset",
  async (c) => {
    const limited = ["-p", "RuntimeMaxSec=1ms", "sleep", "1000"];
    await runCommand(["systemd-run", "--scope", `--unit=${unitOf(c)}`, ...limited]);
    assert.is(await property(unitOf(c), "ActiveState"), "failed");
    succeed(await create(c));
    assert.is(cgroupOf((await c.state()).pid), `/system.slice/${unitOf(c)}`);
    assert.is(await property(unitOf(c), "ActiveState"), "active");
    succeed(await c.deleteForce());
    assert.not(await isLoaded(unitOf(c)));
  },
  { needs: need, runcFails: "runc before 1.2 goes on in no unit at all" },
);

suite(
  "a living unit of the same name is refused, and lives on",
  async (c) => {
    const unit = `${c.token}.slice`;
    const start = ["systemd-run", `--unit=${c.token}-other.service`, `--slice=${unit}`, "sleep", "1000"];
    succeed(await runCommand(start));
    c.configure((spec) => {
      spec.linux.cgroupsPath = `::${unit}`;
    });
    refuse(await create(c), /already exists|not empty/);
    assert.is(await property(`${c.token}-other.service`, "ActiveState"), "active");
    refuse(await c.runt(["state", c.id]), "does not exist");
    succeed(await systemctl("stop", `${c.token}-other.service`));
    await stopSlices(c);
  },
  { needs: need },
);

suite(
  "two containers cannot share a scope",
  async (c) => {
    c.configure();
    succeed(await create(c));
    const other = `${c.id}2`;
    c.configure((spec) => {
      spec.linux.cgroupsPath = `:runc:${c.id}`;
    });
    refuse(
      await c.runt(["--systemd-cgroup", "create", "--bundle", c.bundle, other]),
      "container's cgroup is not empty",
    );
    assert.is(await property(unitOf(c), "ActiveState"), "active");
    assert.is((await c.state()).status, "created");
  },
  { needs: need, runcFails: "runc before 1.2 only warns" },
);

suite(
  "a unit that systemd refuses names what asked for it, and leaves nothing",
  async (c) => {
    c.configure((spec) => {
      spec.annotations = { "org.systemd.property.NoSuchThing": "true" };
    });
    refuse(await create(c), 'asked for by annotations[\\"org.systemd.property.NoSuchThing\\"]');
    assert.not(await isLoaded(unitOf(c)));
    assert.equal(cgroupsOf(c.token), []);
    refuse(await c.runt(["state", c.id]), "does not exist");
  },
  { needs: [...need, "built"] },
);

suite(
  "a container that fails after its unit was made leaves no unit",
  async (c) => {
    c.configure((spec) => {
      spec.process.args = ["/no/such/program"];
    });
    refuse(await create(c), "no such file");
    assert.not(await isLoaded(unitOf(c)));
    assert.equal(cgroupsOf(c.token), []);
  },
  { needs: need },
);

suite(
  "systemctl stop ends the container",
  async (c) => {
    c.configure((spec) => shell(spec, "trap 'exit 0' TERM; while :; do sleep 0.1; done"));
    succeed(await create(c));
    succeed(await c.runt(["start", c.id]));
    succeed(await systemctl("stop", unitOf(c)));
    assert.is((await c.state()).status, "stopped");
    succeed(await c.runt(["delete", c.id]));
  },
  { needs: need },
);

suite(
  "processes that outlive the init process are ended by delete, and the unit with them",
  async (c) => {
    c.configure((spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
      shell(spec, "sleep 1000 & sleep 1000 & exit 0");
    });
    succeed(await create(c));
    succeed(await c.runt(["start", c.id]));
    const init = (await c.state()).pid;
    assert.ok(await eventually(() => !existsSync(`/proc/${init}/root`), 20));
    assert.is(await property(unitOf(c), "ActiveState"), "active");
    succeed(await c.runt(["delete", "--force", c.id]));
    assert.not(await isLoaded(unitOf(c)));
  },
  { needs: need },
);

suite(
  "run with a memory limit of 2 MB and a single task",
  async (c) => {
    c.configure((spec) => {
      spec.process.args = ["true"];
      spec.linux.resources = { memory: { limit: 2 * megabyte }, pids: { limit: 1 } };
    });
    succeed(await c.runt(["--systemd-cgroup", "run", "--bundle", c.bundle, c.id]));
    assert.not(await isLoaded(unitOf(c)));
  },
  { needs: [...need, "built"] },
);

suite(
  "with a cgroup namespace the scope is its root",
  async (c) => {
    c.configure((spec) => {
      spec.linux.namespaces.push({ type: "cgroup" });
      shell(spec, "cat /proc/self/cgroup; cat /sys/fs/cgroup/pids.max");
      spec.linux.resources = { pids: { limit: 42 } };
    });
    const { stdout } = succeed(await c.runt(["--systemd-cgroup", "run", "--bundle", c.bundle, c.id]));
    assert.is(stdout, "0::/\n42\n");
  },
  { needs: need },
);

suite(
  "a user namespace: the parent moves what has no right to move itself",
  async (c) => {
    const mappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
    c.configure((spec) => {
      spec.linux.namespaces.push({ type: "user" }, { type: "cgroup" });
      Object.assign(spec.linux, { uidMappings: mappings, gidMappings: mappings });
      spec.mounts = spec.mounts.filter(({ type }) => type !== "cgroup" && type !== "mqueue");
    });
    await runCommand(["chown", "-R", "100000:100000", c.rootfs]);
    await runCommand(["chmod", "755", c.dir, c.bundle]);
    succeed(await create(c));
    assert.is(cgroupOf((await c.state()).pid), `/system.slice/${unitOf(c)}`);
  },
  { needs: need },
);

suite.run();
