/**
 * The systemd manager with a real systemd: the system's as root, and the user's, for which this file runs itself again
 * as an ordinary user with a session.
 */
// vm only

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readlinkat } from "../../syscalls/directory.ts";
import { geteuid } from "../../syscalls/identity.ts";
import { CWD } from "../../syscalls/open.ts";
import { getpid } from "../../syscalls/process.ts";
import { SIGKILL } from "../../syscalls/signal.ts";
import { environment, programArguments } from "../../syscalls/start.ts";
import { exists, readText } from "../../syscalls/testing/files.ts";
import { run, start, waitUntil } from "../../syscalls/testing/programs.ts";
import { saying } from "../../syscalls/testing/saying.ts";
import type { Pid } from "../../syscalls/types.ts";
import type { LinuxResources } from "../config/types.ts";
import { detectCgroups } from "../host/cgroup_layout.ts";
import { readSystemdFacts } from "../host/systemd.ts";
import { cgroupVersion } from "../plan/cgroup/hierarchies.ts";
import { planCgroupPlace } from "../plan/cgroup/place.ts";
import { planCgroupResources } from "../plan/cgroup/resources.ts";
import { readControl } from "./control_file.ts";
import type { CgroupManager } from "./manager.ts";
import { newCgroup, openCgroup } from "./open.ts";

const busVariables = ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"] as const;

const running = exists("/run/systemd/system");
const root = geteuid() === 0;
const layout = detectCgroups();
const manager = suite(`systemd manager (${root ? "system" : "user"})`);
let count = 0;

const plan = (resources: LinuxResources) =>
  planCgroupResources(resources, { version: cgroupVersion(layout), driver: "systemd", setDevices: root });

const planned = (id: string): CgroupManager =>
  newCgroup(planCgroupPlace({ id }, layout, readSystemdFacts("auto", environment(busVariables), layout)));

type Unit = { readonly cgroup: CgroupManager; readonly name: string; readonly pid: Pid };

/** A unit around a process that sleeps; both are ended whatever happens. */
function withUnit(title: string, body: (unit: Unit) => void): void {
  const register = running ? manager : manager.skip;
  if (!running) console.log(`skip: ${title}: systemd is not running on this host`);
  register(title, () => {
    const id = `test-${getpid()}-${count++}`;
    const child = start(["sleep", "1000"]);
    const cgroup = planned(id);
    try {
      body({ cgroup, name: `runc-${id}.scope`, pid: child.pid });
    } finally {
      child.end();
      cgroup.remove();
    }
  });
}

/** Starting systemctl is slow in an emulated machine: it is asked for all at once. */
function properties(unit: string, ...names: readonly string[]): readonly string[] {
  const bus = root ? [] : ["--user"];
  const { stdout } = run(["systemctl", ...bus, "show", `--property=${names.join(",")}`, unit]);
  const lines = stdout.trim().split("\n");
  return names.map((name) => lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? "");
}

const directoryOf = ({ cgroup }: Unit) => cgroup.paths[""] as NonNullable<(typeof cgroup.paths)[""]>;

withUnit("a scope around the process, and new limits by what is recorded of it", (unit) => {
  const { cgroup, name, pid } = unit;
  assert.not(cgroup.exists());
  cgroup.create(plan({ memory: { limit: 64 << 20 }, pids: { limit: 42 } }), [pid]);
  cgroup.apply(plan({ memory: { limit: 64 << 20 }, pids: { limit: 42 } }));
  assert.equal(cgroup.processes(), [pid]);
  const [path = "/", ...others] = properties(name, "ControlGroup", "Slice", "Delegate", "TasksMax");
  assert.ok(directoryOf(unit).endsWith(path));
  assert.equal(others, [root ? "system.slice" : "user.slice", "yes", "42"]);

  const recorded = { cgroupPaths: cgroup.paths, ...(cgroup.unit && { systemd: cgroup.unit }) };
  const opened = openCgroup(JSON.parse(JSON.stringify(recorded)) as typeof recorded);
  opened.update(plan({ memory: { limit: 32 << 20, swap: 32 << 20 }, pids: { limit: 7 } }));
  const limits = ["MemoryMax", "MemorySwapMax", "TasksMax", "Delegate"];
  assert.equal(properties(name, ...limits), [String(32 << 20), "0", "7", "yes"]);
  assert.is(readControl(directoryOf(unit), "memory.max"), String(32 << 20));
  assert.is(readControl(directoryOf(unit), "pids.max"), "7");
});

withUnit("an update that is checked first and refused changes nothing in the unit", (unit) => {
  const { cgroup, name, pid } = unit;
  cgroup.create(plan({ memory: { limit: 64 << 20 } }), [pid]);
  const user = start(["sh", "-c", "read go; x=$(head -c 16777216 /dev/zero | tr '\\0' x); exec sleep 1000"], {
    stdin: "pipe",
  });
  try {
    cgroup.join(user.pid);
    user.write("go\n");
    const used = () => Number(readControl(directoryOf(unit), "memory.current"));
    // It goes up and down until the shell has it all.
    assert.ok(
      waitUntil(() => used() >= 16 << 20),
      `it uses ${used()} bytes`,
    );
    const below = { memory: { limit: 4 << 20, checkBeforeUpdate: true } };
    assert.throws(() => cgroup.update(plan(below)), saying("rejecting memory limit 4194304 <= usage"));
    assert.equal(properties(name, "MemoryMax"), [String(64 << 20)]);
  } finally {
    user.end();
  }
});

withUnit("others join, are frozen and killed; nobody else takes the name", ({ cgroup, name, pid }) => {
  cgroup.create(plan({}), [pid]);
  const other = start(["sleep", "1000"]);
  cgroup.join(other.pid);
  assert.is(cgroup.processes().length, 2);
  cgroup.freeze();
  assert.is(cgroup.freezerState(), "frozen");
  cgroup.thaw();

  const id = name.slice("runc-".length, -".scope".length);
  const second = planned(id);
  assert.throws(() => second.create(plan({}), [pid]), saying("EEXIST"));
  second.remove();
  assert.is(cgroup.processes().length, 2);

  cgroup.killAll(SIGKILL);
  other.wait();
  cgroup.remove();
  cgroup.remove();
  assert.not(cgroup.exists());
  assert.equal(properties(name, "LoadState"), ["not-found"]);
});

withUnit("what systemd refuses is said with its reason, and makes no unit", ({ cgroup, name, pid }) => {
  const limits = plan({});
  const unit = [{ name: "TasksMax", signature: "t", value: 0n, from: "linux.resources.pids.limit" }];
  const wrong = { ...limits, unit: unit as unknown as NonNullable<typeof limits.unit> };
  assert.throws(() => cgroup.create(wrong, [pid]), saying("asked for by linux.resources.pids.limit"));
  const ended = start(["true"]);
  ended.wait();
  assert.throws(() => cgroup.create(plan({}), [ended.pid]), saying("start unit"));
  assert.equal(properties(name, "LoadState"), ["not-found"]);
});

/** The user that the test machine has for this, with a systemd of its own that is running. */
function asUser(): void {
  const line = readText("/etc/passwd")
    .split("\n")
    .find((text) => text.split(":")[2] === "1000");
  assert.ok(line, "there is no user 1000");
  run(["systemctl", "start", "user@1000.service"]);
  const variables = [`XDG_RUNTIME_DIR=/run/user/1000`, `PATH=${environment(["PATH"]).PATH}`];
  const user = ["setpriv", "--reuid=1000", "--regid=1000", "--init-groups", "env", "-i", ...variables];
  // In a service of the user's: from another cgroup no process could be moved into one of the user's.
  const service = ["systemd-run", "--user", "--quiet", "--pipe", "--wait", "--collect", "-p", "Delegate=yes"];
  const again = [readlinkat(CWD, "/proc/self/exe"), "run", programArguments()[0] ?? ""];
  const child = run([...user, ...service, ...again]);
  const said = child.stdout + child.stderr;
  assert.is(child.status, 0, said);
  assert.match(said, /systemd manager \(user\)/);
  assert.not(/skip/i.test(said.replace("Skipped:   0", "")), said);
}

if (running && root) manager("all of this as a user, with that user's systemd", asUser);

manager.run();
