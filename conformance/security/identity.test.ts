// Nothing of the caller's identity is kept, and nothing is granted that the configuration does not name.
import { chmodSync, copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand } from "../command.ts";
import { conformance, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";

const identity = conformance("identity");

/** Fields of /proc/self/status as the container's process sees them. */
const fields = (text: string): Map<string, string> =>
  new Map(text.split("\n").map((line) => [line.split(":")[0] ?? "", (line.split(":")[1] ?? "").trim()]));

const readStatus = "cat /proc/self/status";
const caps = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
const zero = "0000000000000000";

identity("a user without ambient capabilities has none (CVE-2016-8867)", async (c) => {
  c.configure((spec) => {
    spec.process.user = { uid: 1000, gid: 1000 };
    shell(spec, readStatus);
  });
  const status = fields(succeed(await c.run()).stdout);
  assert.equal(
    ["CapInh", "CapPrm", "CapEff", "CapAmb"].map((name) => status.get(name)),
    [zero, zero, zero, zero],
  );
  assert.is(status.get("CapBnd"), "0000000020000420");
});

identity("no inheritable capabilities unless named (CVE-2022-29162)", async (c) => {
  c.configure((spec) => shell(spec, readStatus));
  assert.is(fields(succeed(await c.run()).stdout).get("CapInh"), zero);
});

identity(
  "no capabilities object: all five sets are empty",
  async (c) => {
    c.configure((spec) => {
      delete spec.process.capabilities;
      shell(spec, readStatus);
    });
    const status = fields(succeed(await c.run()).stdout);
    assert.equal(
      caps.map((name) => status.get(name)),
      caps.map(() => zero),
    );
  },
  { runcMayFail: "runc 1.1.5 leaves the capability sets as they are" },
);

identity("the caller's supplementary groups are dropped (CVE-2022-36109)", async (c) => {
  c.configure((spec) => shell(spec, "id -G"));
  const command = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
  assert.is(succeed(await runCommand(["setpriv", "--groups", "10,27", ...command])).stdout, "0\n");
});

identity("nothing of the caller's environment is seen in the container", async (c) => {
  c.configure((spec) => {
    spec.process.args = ["cat", "/proc/self/environ"];
  });
  const env = {
    PATH: process.env.PATH ?? "",
    SECRET_OF_CALLER: "1",
    LD_LIBRARY_PATH: "/x",
    TZ: "Asia/Tokyo",
  };
  const names = succeed(await c.run({ env }))
    .stdout.split("\0")
    .map((entry) => entry.split("=")[0] ?? "");
  assert.equal(names.filter((name) => name !== "").sort(), ["HOME", "PATH", "TERM"]);
});

identity("a setuid program gains nothing under no_new_privs", async (c) => {
  copyFileSync(`${c.rootfs}/bin/busybox`, `${c.rootfs}/bin/id-of-root`);
  chmodSync(`${c.rootfs}/bin/id-of-root`, 0o4755);
  c.configure((spec) => {
    spec.process.user = { uid: 1000, gid: 1000 };
    shell(spec, "exec -a id /bin/id-of-root -u 2>/dev/null || /bin/id-of-root id -u");
  });
  assert.is((await c.run()).stdout, "1000\n");
});

identity("the container's process is its own session leader and has no terminal", async (c) => {
  c.configure((spec) => shell(spec, "cut -d' ' -f6,7 /proc/1/stat"));
  assert.is(succeed(await c.run()).stdout, "1 0\n");
});

identity("a session keyring of its own, unless --no-new-keyring", async (c) => {
  c.configure((spec) => {
    spec.linux.maskedPaths = [];
    shell(spec, `grep -c '_ses.${c.id}' /proc/keys`);
  });
  assert.is((await c.runt(["run", "--no-new-keyring", "--bundle", c.bundle, c.id])).stdout, "0\n");
  assert.is((await c.run()).stdout, "1\n"); // last: the keyring of a container that ended may still be listed
});

identity("signals that the caller ignores have their default action again", async (c) => {
  c.configure((spec) => {
    spec.process.args = ["cat", "/proc/self/status"];
  });
  const command = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
  const ignoring = ["sh", "-c", "trap '' HUP USR1 PIPE TERM; exec \"$@\"", "sh", ...command];
  const status = fields(succeed(await runCommand(ignoring)).stdout);
  assert.is(status.get("SigIgn"), zero);
  assert.is(status.get("SigBlk"), zero);
});

identity("an unknown capability is named in a warning and left out, as config.md says", async (c) => {
  c.configure((spec) => {
    spec.process.capabilities = { bounding: ["CAP_NONSENSE", "CAP_KILL"] };
    shell(spec, readStatus);
  });
  const result = succeed(await c.run());
  assert.is(fields(result.stdout).get("CapBnd"), "0000000000000020");
  assert.match(result.stderr, "CAP_NONSENSE");
});

const unraisable = /level=warning msg="can't raise ambient capability CAP_KILL: operation not permitted/;

identity(
  "an ambient capability that cannot be: a warning of run and of exec, and the others are there",
  async (c) => {
    const two = ["CAP_KILL", "CAP_CHOWN"];
    c.configure((spec) => {
      const sets = { bounding: two, permitted: two, effective: two, ambient: two };
      spec.process.capabilities = { ...sets, inheritable: ["CAP_CHOWN"] };
      shell(spec, `${readStatus}; sleep 1000`);
    });
    const out = join(c.dir, "out");
    const result = succeed(await c.runt(["run", "-d", "--bundle", c.bundle, c.id], { stdout: out }));
    assert.match(result.stderr, unraisable);
    assert.not.match(result.stderr, "CAP_CHOWN");
    assert.ok(await eventually(() => fields(readFileSync(out, "utf8")).get("CapAmb") === "0000000000000001"));
    const inside = succeed(await c.runt(["exec", c.id, "sh", "-c", readStatus]));
    assert.match(inside.stderr, unraisable);
    assert.is(fields(inside.stdout).get("CapAmb"), "0000000000000001");
    // In a log of JSON an engine looks for one error alone.
    const log = join(c.dir, "log");
    const quiet = ["--log", log, "--log-format", "json", "exec", c.id, "true"];
    assert.is(succeed(await c.runt(quiet)).stderr, "");
    assert.is(readFileSync(log, "utf8"), "");
  },
  { runcFails: "runc 1.1.5 does not say so" },
);

identity.run();
