// The systemd driver on cgroup v1, and where systemd is old, slow to agree, or not there: against a stand-in, as the
// machine that tests run on has no systemd. It is reached where a real one is, in a mount namespace of the runtime.
import { readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { cgroupDirectory, cgroupValue } from "../inspect.ts";
import { cgroupsOf, removeCgroups } from "../leftovers.ts";
import type { Need } from "../needs.ts";
import { runtimePath } from "../needs.ts";
import { type Spec, shell } from "../spec.ts";
import { type FakeOptions, FakeSystemd } from "./fake_systemd.ts";

const suite = conformance("systemd driver, against a stand-in");
const need: readonly Need[] = ["cgroup1", "unshare", "mount", "built"];

type Host = {
  readonly systemd: FakeSystemd;
  /** The slice that the containers of this test are in: of a name that no other test has. */
  readonly slice: string;
  /** The runtime under test on that host, with its state root. */
  readonly command: readonly string[];
  readonly runt: (...args: readonly string[]) => Promise<Result>;
};

type HostOptions = FakeOptions & {
  /** Only the socket that systemd itself has, as on a host without a message broker. */
  readonly direct?: boolean;
};

async function withHost(
  c: Fixture,
  options: HostOptions,
  body: (host: Host) => Promise<void>,
): Promise<void> {
  const systemd = await FakeSystemd.start(c.dir, options);
  const socket = options.direct ? "/run/systemd/private" : "/run/dbus/system_bus_socket";
  const script = [
    "mount -t tmpfs tmpfs /run",
    "mkdir -p /run/systemd/system /run/dbus",
    `ln -s ${systemd.socket} ${socket}`,
    'exec "$@"',
  ].join(" && ");
  const command = ["unshare", "--mount", "sh", "-c", script, "sh", runtimePath, "--root", c.root];
  const runt = (...args: readonly string[]) => runCommand([...command, ...args]);
  try {
    await body({ systemd, slice: `${c.token}.slice`, command, runt });
  } finally {
    await runt("delete", "--force", c.id);
    systemd.stop();
    removeSlices(c.token);
  }
}

/** systemd's slices stay when they are empty, and so does what the runtime made beside them. */
function removeSlices(token: string): void {
  const slices = cgroupsOf(token).filter((path) => path.endsWith(".slice"));
  removeCgroups(token);
  for (const slice of slices)
    try {
      rmdirSync(join(slice, ".."));
    } catch {} // another test is in it
}

const configure = (c: Fixture, edit: (spec: Spec) => void = () => {}) =>
  c.configure((spec) => {
    spec.linux.cgroupsPath = `${c.token}.slice:runc:${c.id}`;
    spec.process.args = ["sleep", "1000"];
    edit(spec);
  });

const create = (c: Fixture, { runt }: Host, ...globals: readonly string[]) =>
  runt(...globals, "--systemd-cgroup", "create", "--bundle", c.bundle, c.id);

/** The controllers whose hierarchies a process is in the unit of. */
function controllersInside(pid: number, unit: string): string[] {
  return readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .split("\n")
    .filter((line) => line.endsWith(`.slice/${unit}`))
    .map((line) => line.split(":")[1] ?? "")
    .sort();
}

/** Those whose hierarchies the host has mounted. */
function mountedControllers(): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return readFileSync("/proc/self/cgroup", "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split(":")[1] ?? "")
    .filter((name) =>
      mounts.some((line) => {
        const [type, , options = ""] = line.split(" - ")[1]?.split(" ") ?? [];
        return name === "" ? type === "cgroup2" : type === "cgroup" && options.endsWith(name);
      }),
    )
    .sort();
}

const pidOf = async (c: Fixture) => (await c.state()).pid;

suite(
  "v1: the process is in the unit's cgroup in every hierarchy, and the limits are said and written",
  (c) =>
    withHost(c, {}, async (host) => {
      configure(c, (spec) => {
        spec.linux.resources = {
          devices: [{ allow: false, access: "rwm" }],
          memory: { limit: 64 << 20 },
          cpu: { shares: 512, quota: 33333, period: 50000, cpus: "0" },
          pids: { limit: 42 },
        };
      });
      succeed(await create(c, host));
      const pid = await pidOf(c);
      const unit = `runc-${c.id}.scope`;
      assert.equal(controllersInside(pid, unit), mountedControllers());
      assert.is(cgroupValue(pid, "memory", "memory.limit_in_bytes"), String(64 << 20));
      assert.is(cgroupValue(pid, "cpu", "cpu.shares"), "512");
      assert.is(cgroupValue(pid, "cpu", "cpu.cfs_quota_us"), "33500");
      assert.is(cgroupValue(pid, "pids", "pids.max"), "42");
      assert.ok(cgroupDirectory(pid, "memory").endsWith(`/conf.slice/${host.slice}/${unit}`));
      const properties = host.systemd.properties();
      assert.equal([...properties.keys()].sort(), [
        ..."AllowedCPUs BlockIOAccounting CPUAccounting CPUQuotaPerSecUSec CPUQuotaPeriodUSec CPUShares".split(
          " ",
        ),
        ..."DefaultDependencies Delegate Description DeviceAllow DevicePolicy MemoryAccounting".split(" "),
        ..."MemoryLimit PIDs Slice TasksAccounting TasksMax".split(" "),
      ]);
      const shown = (name: string) => properties.get(name);
      assert.is(shown("Slice"), host.slice);
      assert.is(shown("Delegate"), true);
      assert.is(shown("DefaultDependencies"), false);
      assert.is(shown("MemoryLimit"), BigInt(64 << 20));
      assert.is(shown("CPUQuotaPerSecUSec"), 670000n);
      assert.equal(shown("AllowedCPUs"), [1]);
      assert.is(shown("DevicePolicy"), "strict");
      succeed(await host.runt("delete", "--force", c.id));
      assert.equal(host.systemd.members, ["StartTransientUnit", "StopUnit", "ResetFailedUnit"]);
      assert.equal(cgroupsOf(c.id), []);
    }),
  { needs: need },
);

suite(
  "later commands need no flag: exec, pause, resume, ps, kill",
  (c) =>
    withHost(c, {}, async (host) => {
      configure(c);
      succeed(await create(c, host));
      succeed(await host.runt("start", c.id));
      const unit = `runc-${c.id}.scope`;
      const inside = succeed(await host.runt("exec", c.id, "cat", "/proc/self/cgroup")).stdout;
      const init = readFileSync(`/proc/${await pidOf(c)}/cgroup`, "utf8");
      assert.is(inside.split(unit).length, init.split(unit).length);
      assert.equal(inside.split("\n").length, init.split("\n").length);
      succeed(await host.runt("pause", c.id));
      assert.is((await c.state()).status, "paused");
      succeed(await host.runt("resume", c.id));
      assert.match(succeed(await host.runt("ps", c.id)).stdout, "sleep");
      succeed(await host.runt("kill", "--all", c.id, "KILL"));
      assert.equal(host.systemd.members, ["StartTransientUnit"]);
    }),
  { needs: need },
);

suite(
  "update tells systemd first, while nothing runs, and then writes the files",
  (c) =>
    withHost(c, {}, async (host) => {
      configure(c, (spec) => {
        spec.linux.resources = { pids: { limit: 42 } };
      });
      succeed(await create(c, host));
      succeed(await host.runt("update", "--pids-limit", "7", "--cpu-share", "512", c.id));
      assert.equal(host.systemd.members, ["StartTransientUnit", "SetUnitProperties"]);
      const [unit, runtime, properties] = host.systemd.calls.at(-1)?.args ?? [];
      assert.equal([unit, runtime], [`runc-${c.id}.scope`, true]);
      const sent = (properties as [string, { value: unknown }][]).map(
        ([name, { value }]) => `${name}=${value}`,
      );
      assert.equal(sent.sort(), ["CPUShares=512", "TasksMax=7"]);
      assert.equal(host.systemd.freezerStates, ["FROZEN"]);
      const pid = await pidOf(c);
      assert.is(cgroupValue(pid, "pids", "pids.max"), "7");
      assert.is(cgroupValue(pid, "freezer", "freezer.state"), "THAWED");
    }),
  { needs: need },
);

suite(
  "an old systemd is not told what it does not know, and knows devices by the name of their group",
  (c) =>
    withHost(c, { version: "v219" }, async (host) => {
      configure(c, (spec) => {
        spec.linux.resources = {
          devices: [{ allow: false, access: "rwm" }],
          cpu: { quota: 10000, period: 50000, cpus: "0" },
        };
      });
      succeed(await create(c, host));
      const properties = host.systemd.properties();
      for (const name of ["AllowedCPUs", "CPUQuotaPeriodUSec"]) assert.not(properties.has(name), name);
      assert.is(properties.get("CPUQuotaPerSecUSec"), 200000n);
      const allowed = (properties.get("DeviceAllow") as string[][]).map(([path]) => path);
      assert.ok(allowed.includes("char-pts"), allowed.join(" "));
      assert.not(allowed.includes("char-136"));
      // The files do not depend on that.
      assert.is(cgroupValue(await pidOf(c), "cpuset", "cpuset.cpus"), "0");
    }),
  { needs: need },
);

suite(
  "without a message broker systemd is spoken to directly",
  (c) =>
    withHost(c, { direct: true }, async (host) => {
      configure(c);
      succeed(await create(c, host));
      const asked = host.systemd.calls.map(({ member }) => member);
      assert.not(asked.includes("Hello"));
      assert.ok(asked.includes("StartTransientUnit"));
    }),
  { needs: need },
);

suite(
  "a unit of this name that has failed is reset, and made again",
  (c) =>
    withHost(c, { failedUnit: `runc-${c.id}.scope` }, async (host) => {
      configure(c);
      succeed(await create(c, host));
      assert.equal(host.systemd.members, ["StartTransientUnit", "ResetFailedUnit", "StartTransientUnit"]);
    }),
  { needs: need },
);

suite(
  "a unit of this name that lives is somebody else's: an error, and it is not stopped",
  (c) =>
    withHost(c, { livingUnit: `runc-${c.id}.scope` }, async (host) => {
      configure(c);
      const unit = `runc-${c.id}.scope`;
      refuse(
        await create(c, host),
        `start unit ${unit}: EEXIST (file exists), asked for by linux.cgroupsPath (systemd says: Unit ${unit} already exists.)`,
      );
      assert.not(host.systemd.members.includes("StopUnit"));
      refuse(await host.runt("state", c.id), "does not exist");
    }),
  { needs: need },
);

suite(
  "a job that does not end well is an error, and nothing is left",
  (c) =>
    withHost(c, { result: "failed" }, async (host) => {
      configure(c);
      refuse(await create(c, host), `error creating systemd unit \`runc-${c.id}.scope\`: got \`failed\``);
      assert.ok(host.systemd.members.includes("ResetFailedUnit"));
      refuse(await host.runt("state", c.id), "does not exist");
      assert.equal(cgroupsOf(c.id), []);
    }),
  { needs: need },
);

suite(
  "a process that systemd has put somewhere else is noticed",
  (c) =>
    withHost(c, { slice: `${c.token}-other.slice` }, async (host) => {
      configure(c);
      refuse(await create(c, host), `-other.slice/runc-${c.id}.scope, not in /`);
      assert.equal(cgroupsOf(c.id), []);
    }),
  { needs: need },
);

suite(
  "a memory limit smaller than the runtime itself, and a single task",
  (c) =>
    withHost(c, {}, async (host) => {
      configure(c, (spec) => {
        spec.process.args = ["true"];
        spec.linux.resources = { memory: { limit: 2 << 20 }, pids: { limit: 1 } };
      });
      succeed(await host.runt("--systemd-cgroup", "run", "--bundle", c.bundle, c.id));
      assert.is(
        (host.systemd.properties().get("PIDs") as unknown[]).length,
        2,
        "the process and its placeholder",
      );
    }),
  { needs: need },
);

suite(
  "hooks of the runtime find the process in its cgroup",
  (c) =>
    withHost(c, {}, async (host) => {
      const seen = join(c.dir, "seen");
      configure(c, (spec) => {
        const script = `cat /proc/$(sed 's/.*"pid":\\([0-9]*\\).*/\\1/')/cgroup > ${seen}`;
        spec.hooks = { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", script] }] };
      });
      succeed(await create(c, host));
      assert.match(readFileSync(seen, "utf8"), `name=systemd:/conf.slice/${host.slice}/runc-${c.id}.scope`);
    }),
  { needs: need },
);

suite(
  "the trace shows what systemd is asked",
  (c) =>
    withHost(c, {}, async (host) => {
      const trace = join(c.dir, "trace");
      configure(c);
      succeed(await create(c, host, "--trace", trace));
      assert.match(readFileSync(trace, "utf8"), `dbus_call("StartTransientUnit", "runc-${c.id}.scope") = 0`);
    }),
  { needs: need },
);

for (const [title, options, said] of [
  [
    "hangs up",
    { hangsUp: true },
    "ECONNRESET (connection reset by peer), asked for by linux.cgroupsPath (the other side closed the connection)",
  ],
  [
    "sends garbage",
    { says: "HTTP/1.1 400 Bad Request" },
    "EBADMSG (bad message), asked for by linux.cgroupsPath (of a message that was received:",
  ],
] as const)
  suite(
    `a systemd that ${title} in the middle: one clear line, and nothing is left`,
    (c) =>
      withHost(c, options, async (host) => {
        configure(c);
        const method = "D-Bus org.freedesktop.systemd1.Manager.StartTransientUnit";
        const { stderr } = refuse(await create(c, host), `${method}: ${said}`);
        assert.is(stderr.trimEnd().split("\n").length, 1, stderr);
        refuse(await host.runt("state", c.id), "does not exist");
        assert.equal(cgroupsOf(c.id), []);
      }),
    { needs: need },
  );

suite(
  "a user's systemd has to be found, and makes no cgroups of v1",
  (c) =>
    withHost(c, {}, async (host) => {
      configure(c);
      const ownEnv = { PATH: process.env.PATH ?? "" };
      const asUser = (env: Record<string, string>) =>
        runCommand([...host.command, "--rootless=true", "--systemd-cgroup", "run", "-b", c.bundle, c.id], {
          env: { ...ownEnv, ...env },
        });
      refuse(await asUser({}), "could not detect DBUS_SESSION_BUS_ADDRESS from the environment");
      const address = `unix:path=${host.systemd.socket}`;
      const refusal = "cannot use rootless systemd cgroups manager on cgroup v1";
      refuse(await asUser({ DBUS_SESSION_BUS_ADDRESS: address }), refusal);
      refuse(await asUser({ XDG_RUNTIME_DIR: c.dir }), refusal);
    }),
  { needs: need },
);

suite(
  "annotations become properties; what makes no sense is refused before anything is made",
  (c) =>
    withHost(c, {}, async (host) => {
      const annotations: Record<string, string> = {
        "org.systemd.property.TimeoutStopSec": "uint64 7",
        "org.systemd.property.After": "['x.service']",
        "org.systemd.property.DefaultDependencies": "true",
      };
      configure(c, (spec) => {
        spec.annotations = annotations;
      });
      succeed(await create(c, host));
      const properties = host.systemd.properties();
      assert.is(properties.get("TimeoutStopUSec"), 7000000n);
      assert.equal(properties.get("After"), ["x.service"]);
      assert.is(properties.get("DefaultDependencies"), true);
      succeed(await host.runt("delete", "--force", c.id));
      for (const [name, value, why] of [
        ["ExecStartPre", "[('/bin/sh', ['sh'], false)]", "value parse error"],
        ["CollectMode", "$(id)", "value parse error"],
        ["X", "true", "too short"],
      ] as const) {
        configure(c, (spec) => {
          spec.annotations = { [`org.systemd.property.${name}`]: value };
        });
        refuse(await create(c, host), why);
        refuse(await host.runt("state", c.id), "does not exist");
      }
      assert.equal(host.systemd.members, ["StartTransientUnit", "StopUnit", "ResetFailedUnit"]);
    }),
  { needs: need },
);

suite(
  "a cgroupsPath of the other driver is refused in runc's words",
  (c) =>
    withHost(c, {}, async (host) => {
      configure(c, (spec) => {
        spec.linux.cgroupsPath = "/a/b";
        shell(spec, "true");
      });
      const text =
        'expected cgroupsPath to be of format \\"slice:prefix:name\\" for systemd cgroups, got \\"/a/b\\" instead';
      refuse(await create(c, host), text);
    }),
  { needs: need },
);

suite.run();
