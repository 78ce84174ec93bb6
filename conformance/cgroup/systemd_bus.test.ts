// By which socket a real systemd is reached, and whose: the system's own where there is no message broker, and that of
// the user's session for the root of a user namespace.
// vm only
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { cgroupsOf } from "../leftovers.ts";
import { type Need, runtimePath } from "../needs.ts";

const need: readonly Need[] = ["systemd", "unshare", "mount", "built", "test machine"];
const suite = conformance("the bus of the systemd driver");

/** The runtime in a mount namespace in which these commands were run. */
const inside = (c: Fixture, prepare: string, ...args: readonly string[]) =>
  runCommand([
    ...["unshare", "--mount", "sh", "-c", `${prepare} && exec "$@"`, "sh"],
    ...[runtimePath, "--root", c.root, ...args],
  ]);

const create = (c: Fixture) => ["--systemd-cgroup", "create", "--bundle", c.bundle, c.id];

suite(
  "without a message broker systemd's own socket is used, and its signals come unasked",
  async (c) => {
    c.configure((spec) => {
      spec.linux.resources = { pids: { limit: 42 } };
    });
    const broken = "mount -t tmpfs tmpfs /run/dbus";
    const trace = join(c.dir, "trace");
    succeed(await inside(c, broken, "--trace", trace, ...create(c)));
    const lines = readFileSync(trace, "utf8");
    assert.match(lines, `dbus_call("StartTransientUnit", "runc-${c.id}.scope") = 0`);
    assert.not.match(lines, 'dbus_call("Hello"');
    const { pid } = await c.state();
    assert.match(readFileSync(`/proc/${pid}/cgroup`, "utf8"), `/system.slice/runc-${c.id}.scope`);
    succeed(await inside(c, broken, "update", "--pids-limit", "7", c.id));
    const shown = await runCommand(["systemctl", "show", "--value", "-p", "TasksMax", `runc-${c.id}.scope`]);
    assert.is(shown.stdout.trim(), "7");
    succeed(await inside(c, broken, "delete", "--force", c.id));
    assert.equal(cgroupsOf(c.id), []);
  },
  { needs: need },
);

suite(
  "with neither socket: one clear line",
  async (c) => {
    c.configure();
    const nothing =
      "mount -t tmpfs tmpfs /run/dbus && mount -t tmpfs -o mode=755 tmpfs /run/systemd && mkdir /run/systemd/system";
    const { stderr } = refuse(
      await inside(c, nothing, ...create(c)),
      "connect to D-Bus unix:path=/run/dbus/system_bus_socket: ENOENT (no such file or directory)",
    );
    assert.is(stderr.trimEnd().split("\n").length, 1, stderr);
    assert.equal(cgroupsOf(c.id), []);
  },
  { needs: need },
);

suite(
  "the root of a user namespace has the systemd of the user whose session it is in",
  async (c) => {
    c.configure((spec) => {
      spec.process.args = ["cat", "/proc/self/cgroup"];
      spec.mounts = spec.mounts.filter(({ type }) => ["proc", "tmpfs"].includes(type ?? ""));
    });
    succeed(await runCommand(["chmod", "-R", "a+rX", c.dir]));
    const run = `${runtimePath} --root $(mktemp -d) --systemd-cgroup run --bundle ${c.bundle} ${c.id}`;
    const command = `exec unshare --map-auto --map-root-user --mount sh -c '${run}'`;
    const { stdout } = succeed(await runCommand(["as-user", command]));
    assert.match(stdout, /^0::\/user\.slice\/user-1000\.slice\/user@1000\.service\/.*\/runc-.*\.scope\n$/);
  },
  { needs: need },
);

suite.run();
