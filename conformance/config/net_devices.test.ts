// linux.netDevices. The runtime is started in a network namespace of the test's own, with veth devices in it,
// so that nothing of the host is moved and the kernel takes everything away in the end.
import * as assert from "uvu/assert";
import { type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { type Spec, shell } from "../spec.ts";

const devices = conformance("netDevices");
const options = { needs: ["ip", "unshare"], runcFails: "runc 1.1.5 ignores netDevices" } as const;

/** Runs `setUp`, then the container, then `after`, all in one new network namespace. */
function runBeside(c: Fixture, setUp: string, after = "true"): Promise<Result> {
  const script = `set -e; ${setUp}; "$@" || status=$?; ${after}; exit \${status:-0}`;
  const run = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
  return runCommand(["unshare", "-n", "sh", "-c", script, "sh", ...run]);
}

const pair = "ip link add v0 type veth peer name v1";

const moving = (spec: Spec, netDevices: NonNullable<Spec["linux"]["netDevices"]>, script: string): void => {
  spec.linux.netDevices = netDevices;
  shell(spec, script);
};

devices(
  "a device is moved under its own name, is up, and is gone from the host",
  async (c) => {
    c.configure((spec) => moving(spec, { v0: {} }, "cat /sys/class/net/v0/flags; ls /sys/class/net"));
    const result = succeed(await runBeside(c, `${pair}; ip link set v1 up`, "ls /sys/class/net >&2 || true"));
    assert.is(result.stdout, "0x1003\nlo\nv0\n");
  },
  options,
);

devices(
  "a new name, a name with %d, and two devices at once",
  async (c) => {
    c.configure((spec) =>
      moving(spec, { v0: { name: "uplink" }, v1: { name: "net%d" } }, "ls /sys/class/net"),
    );
    assert.is(succeed(await runBeside(c, pair)).stdout, "lo\nnet0\nuplink\n");
  },
  options,
);

devices(
  "permanent addresses of global scope come along, with prefix, broadcast and order; others do not",
  async (c) => {
    c.configure((spec) =>
      moving(spec, { v0: { name: "eth0" } }, "ip -o addr show eth0 | sed 's/\\\\.*//; s/  */ /g'"),
    );
    const setUp = [
      pair,
      "ip addr add 10.1.2.3/24 brd + dev v0",
      "ip addr add 10.1.2.4/24 dev v0",
      "ip addr add 10.7.7.7/32 scope link dev v0",
      "ip addr add 10.8.8.8/24 valid_lft 900 preferred_lft 900 dev v0",
      "ip addr add fd00:1::5/64 nodad dev v0",
      "ip link set v0 up",
      "ip link set v1 up",
    ];
    const lines = succeed(await runBeside(c, setUp.join("; "))).stdout.split("\n");
    const addresses = lines.map((line) => line.replace(/^\d+: eth0 /, "").trim());
    assert.equal(
      addresses.filter((line) => line !== "" && !line.includes("fe80:")),
      [
        "inet 10.1.2.3/24 brd 10.1.2.255 scope global eth0",
        "inet 10.1.2.4/24 scope global secondary eth0",
        "inet6 fd00:1::5/64 scope global flags 02",
      ],
    );
  },
  options,
);

devices(
  "hooks of the runtime find the devices moved already",
  async (c) => {
    const seen = `${c.dir}/devices`;
    c.configure((spec) => {
      moving(spec, { v0: {} }, "true");
      spec.hooks = {
        createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", `/bin/cat /proc/net/dev >${seen}`] }],
      };
    });
    succeed(await runBeside(c, pair));
    const text = await Bun.file(seen).text();
    assert.match(text, "v1:");
    assert.not.match(text, "v0:");
  },
  options,
);

devices(
  "a device that is not there is named, and nothing is moved",
  async (c) => {
    c.configure((spec) => moving(spec, { v0: {}, nowhere0: {} }, "true"));
    const result = await runBeside(c, pair, "ip -o link show v0");
    refuse(
      result,
      "move network device nowhere0: ENODEV (no such device), asked for by linux.netDevices.nowhere0",
    );
    assert.match(result.stdout, "v0@v1");
  },
  options,
);

devices(
  "a name that the container has already is refused, and nothing is moved",
  async (c) => {
    c.configure((spec) => moving(spec, { v0: { name: "lo" } }, "true"));
    const result = await runBeside(c, pair, "ip -o link show v0");
    refuse(
      result,
      "move network device v0 to lo: EEXIST (file exists), asked for by linux.netDevices.v0 (the container has a device of this name)",
    );
    assert.match(result.stdout, "v0@v1");
  },
  options,
);

devices(
  "a device that the kernel does not let go is refused (with the kernel's words, where it has any)",
  async (c) => {
    c.configure((spec) => moving(spec, { lo: { name: "loop" } }, "true"));
    refuse(
      await runBeside(c, pair),
      /move network device lo to loop: EINVAL \(invalid argument\), asked for by linux\.netDevices\.lo( \(The interface netns|")/,
    );
  },
  options,
);

devices(
  "the runtime's own network namespace by path is not a private one",
  async (c) => {
    c.configure((spec) => {
      moving(spec, { v0: {} }, "true");
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "network");
      spec.linux.namespaces.push({ type: "network", path: "/proc/self/ns/net" });
    });
    refuse(await runBeside(c, pair), "unable to move network devices without a private NET namespace");
  },
  options,
);

devices(
  "a namespace joined by path gets the device; one whose index is taken there gets another",
  async (c) => {
    c.configure((spec) => {
      moving(spec, { v0: { name: "eth0" } }, "ls /sys/class/net");
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "network");
      spec.linux.namespaces.push({ type: "network", path: `${c.dir}/netns` });
    });
    // Both namespaces number their devices from 1, so v0 meets a device of its own index.
    const other = `touch ${c.dir}/netns; unshare -n --net=${c.dir}/netns ip link add w0 type veth peer name w1`;
    const result = await runBeside(c, `${pair}; ${other}`, `umount ${c.dir}/netns`);
    assert.is(succeed(result).stdout, "eth0\nlo\nw0\nw1\n");
  },
  options,
);

devices.run();
