// vm
// process.apparmorProfile on a host that has AppArmor, with a profile of the test's own.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { findCommand, runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";

const apparmor = conformance("apparmorProfile");
const needs = ["apparmor", "apparmor_parser"] as const;

/** Loads a profile that allows all but to read /probe.sh, for as long as `body` runs. */
async function withProfile(c: Fixture, body: (name: string) => Promise<void>): Promise<void> {
  const file = `${c.dir}/profile`;
  const rules = "file, capability, network, mount, signal, ptrace, deny /probe.sh r,";
  writeFileSync(file, `profile ${c.token} flags=(attach_disconnected,mediate_deleted) { ${rules} }\n`);
  const parser = findCommand("apparmor_parser") ?? "apparmor_parser";
  execFileSync(parser, ["--replace", "--skip-cache", file]);
  try {
    await body(c.token);
  } finally {
    execFileSync(parser, ["--remove", file]);
  }
}

apparmor(
  "the program and its children are confined, with and without no_new_privs",
  (c) =>
    withProfile(c, async (name) => {
      for (const noNewPrivileges of [true, false]) {
        c.configure((spec) => {
          spec.process.apparmorProfile = name;
          spec.process.noNewPrivileges = noNewPrivileges;
          shell(spec, "cat /proc/1/attr/current /proc/self/attr/current; cat /probe.sh 2>&1 | head -n1");
        });
        const [init, child, denied] = succeed(await c.run()).stdout.split("\n");
        assert.equal([init, child], [`${name} (enforce)`, `${name} (enforce)`]);
        assert.match(denied ?? "", "Permission denied");
      }
    }),
  { needs },
);

apparmor(
  "a user without capabilities is confined as well",
  (c) =>
    withProfile(c, async (name) => {
      c.configure((spec) => {
        spec.process.apparmorProfile = name;
        spec.process.user = { uid: 1000, gid: 1000 };
        delete spec.process.capabilities;
        spec.process.args = ["cat", "/proc/self/attr/current"];
      });
      assert.is(succeed(await c.run()).stdout, `${name} (enforce)\n`);
    }),
  { needs },
);

apparmor(
  "the program is confined where securityfs is not mounted, as Podman has it for a user namespace",
  (c) =>
    withProfile(c, async (name) => {
      c.configure((spec) => {
        spec.process.apparmorProfile = name;
        spec.process.args = ["cat", "/proc/self/attr/current"];
      });
      const run = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
      const without = ["unshare", "-m", "sh", "-ec", 'umount /sys/kernel/security; exec "$@"', "sh"];
      assert.is(succeed(await runCommand([...without, ...run])).stdout, `${name} (enforce)\n`);
    }),
  { needs: [...needs, "unshare"] },
);

apparmor(
  "a process of exec is confined as the container is",
  (c) =>
    withProfile(c, async (name) => {
      c.configure((spec) => {
        spec.process.apparmorProfile = name;
        spec.process.args = ["sleep", "60"];
      });
      succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id], { stdout: "/dev/null" }));
      const result = await c.runt(["exec", c.id, "cat", "/proc/self/attr/current"]);
      assert.is(succeed(result).stdout, `${name} (enforce)\n`);
    }),
  { needs },
);

apparmor(
  "a profile that is not loaded fails the create by name",
  async (c) => {
    c.configure((spec) => {
      spec.process.apparmorProfile = `${c.token}-missing`;
    });
    refuse(
      await c.create(),
      `apply apparmor profile ${c.token}-missing: ENOENT (no such file or directory), asked for by process.apparmorProfile`,
    );
  },
  { needs, runcFails: "the words are runt's" },
);

apparmor.run();
