// The loopback device of a new network namespace: up, also where the caller's unit has few families of sockets.
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { withFamilies } from "../filtered.ts";
import { conformance, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";

const loopback = conformance("loopback");

const flags = "cat /sys/class/net/lo/flags"; // IFF_UP is 1, IFF_LOOPBACK 8

loopback("is up", async (c) => {
  c.configure((spec) => shell(spec, flags));
  assert.is(succeed(await c.run()).stdout, "0x9\n");
});

for (const [families, runcFails] of [
  ["unix,netlink", undefined],
  ["netlink", undefined],
  ["unix,inet", "it knows netlink only"],
] as const)
  loopback(
    `is up with RestrictAddressFamilies=${families}`,
    async (c) => {
      c.configure((spec) => shell(spec, flags));
      const command = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
      assert.is(succeed(await runCommand(withFamilies(families, command))).stdout, "0x9\n");
    },
    runcFails === undefined ? {} : { runcFails },
  );

loopback("neither family is there: one error that says so, and nothing is left", async (c) => {
  const command = [runtimePath, "--root", c.root, "create", "--bundle", c.bundle, c.id];
  const result = await runCommand(withFamilies("unix", command));
  refuse(result, /address family not supported by protocol/);
  refuse(await c.runt(["state", c.id]), "does not exist");
});

loopback("of a network namespace that is the host's nothing is asked", async (c) => {
  c.configure((spec) => {
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "network");
    spec.mounts = spec.mounts.filter(({ type }) => type !== "sysfs");
    shell(spec, "echo fine");
  });
  const command = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
  assert.is(succeed(await runCommand(withFamilies("unix", command))).stdout, "fine\n");
});

loopback.run();
