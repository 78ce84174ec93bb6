import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../../syscalls/testing/saying.ts";
import type { HostPath } from "../../syscalls/types.ts";
import type { Linux, Mount, Spec } from "../config/types.ts";
import { planContainer } from "./plan.ts";

const container = suite("planContainer");

const host = {
  euid: 0,
  egid: 0,
  inUserNamespace: false,
  capabilities: 0n,
  lsm: { apparmor: false, selinux: false },
};
const options = { id: "c1", bundle: "/bundle" as HostPath, noPivot: false, noNewKeyring: false };
const least: Spec = { ociVersion: "1.0.2", root: { path: "r" }, process: { cwd: "/", args: ["sh"] } } as Spec;
const plan = (spec: Partial<Spec> = {}, more: Partial<typeof options> = {}) =>
  planContainer({ ...least, ...spec }, host, { ...options, ...more }).plan;

container("the least configuration", () => {
  const { process, namespaces, rootfs, devices, ...rest } = plan();
  assert.equal(rest, {
    mounts: [],
    setUpDev: true,
    maskedPaths: [],
    readonlyPaths: [],
    sysctl: [],
    hostname: "",
    domainname: "",
    hooks: {},
    noPivot: false,
    mountsOnHost: false,
    inUserNamespace: false,
    parentReaches: false,
    personality: undefined,
    memoryPolicy: undefined,
    lsm: { apparmorProfile: "", processLabel: "", mountLabel: "" },
    netDevices: [],
    intelRdt: undefined,
    keyring: "_ses.c1",
    needsMount2: false,
    seccomp: undefined,
    filterNeedsSysAdmin: false,
  });
  assert.equal(process.args, ["sh"]);
  assert.is(namespaces.own, 0);
  assert.is(rootfs.path, "/bundle/r");
  assert.is(devices.length, 6);
});

container("paths know which entry asked for them", () => {
  const linux = { maskedPaths: ["/proc/kcore", "/sys/firmware"], readonlyPaths: ["/proc/sys"] };
  const { maskedPaths, readonlyPaths } = plan({ linux });
  assert.equal(maskedPaths, [
    { path: "/proc/kcore", from: "linux.maskedPaths[0]" },
    { path: "/sys/firmware", from: "linux.maskedPaths[1]" },
  ]);
  assert.equal(readonlyPaths, [{ path: "/proc/sys", from: "linux.readonlyPaths[0]" }]);
});

container("a path that is listed twice is there once", () => {
  const linux = { maskedPaths: ["/a", "/b", "/a/", "/./a"], readonlyPaths: ["/c/../c", "/c"] };
  const { maskedPaths, readonlyPaths } = plan({ linux });
  const from = [...maskedPaths, ...readonlyPaths].map((step) => step.from);
  assert.equal(from, ["linux.maskedPaths[0]", "linux.maskedPaths[1]", "linux.readonlyPaths[0]"]);
});

container("a device's path may begin with that of the root file system", () => {
  const linux = { devices: [{ path: "/bundle/r/dev/x", type: "c", major: 1, minor: 3 }] };
  const { plan: made, warnings } = planContainer({ ...least, linux } as Spec, host, options);
  assert.is(made.devices.at(-1)?.path, "/dev/x");
  assert.equal(warnings, [
    "linux.devices[0].path: /bundle/r/dev/x begins with the path of the root file system on the host, using /dev/x",
  ]);
});

for (const [title, mount, expected] of [
  ["a bind mount on /dev", { destination: "/dev", source: "/dev", options: ["rbind"] }, false],
  ["a bind mount on /dev/", { destination: "/dev/", source: "/dev", options: ["rbind"] }, false],
  ["a tmpfs on /dev", { destination: "/dev", type: "tmpfs" }, true],
  ["a bind mount below", { destination: "/dev/shm", source: "/dev/shm", options: ["bind"] }, true],
] as const)
  container(`/dev is set up: ${expected} [${title}]`, () => {
    const mounts = [mount as unknown as Mount];
    assert.is(plan({ mounts, linux: { namespaces: [{ type: "mount" }] } }).setUpDev, expected);
  });

for (const [title, spec] of [
  ["mounts", { mounts: [{ destination: "/x", type: "tmpfs" }] }],
  ["root.readonly", { root: { path: "r", readonly: true } }],
  ["linux.rootfsPropagation", { linux: { rootfsPropagation: "shared" } }],
  ["process.terminal", { process: { cwd: "/", args: ["sh"], terminal: true } }],
] as const)
  container(
    `without a mount namespace it is done on the host, but not in a user namespace [${title}]`,
    () => {
      const given = spec as unknown as Partial<Spec>;
      const within = (...types: string[]) => ({
        ...given,
        linux: { ...given.linux, namespaces: types.map((type) => ({ type })) } as Linux,
      });
      assert.is(plan(given).mountsOnHost, true);
      assert.is(plan(within("mount")).mountsOnHost, false);
      assert.is(plan(within("mount", "user")).mountsOnHost, false);
      const text = `${title}: not possible in a user namespace without a mount namespace`;
      assert.throws(() => plan(within("user")), saying(text));
    },
  );

const rootless = {
  namespaces: [{ type: "user" }, { type: "network" }],
  uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
  gidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
};

container("network devices are not for rootless containers", () => {
  const spec = { ...least, linux: { ...rootless, netDevices: { eth0: {} } } } as Spec;
  const text = "network devices are not supported for rootless containers";
  assert.throws(() => planContainer(spec, { ...host, euid: 1000 }, options), saying(text));
});

container("--no-new-keyring, --no-pivot", () => {
  const { keyring, noPivot } = plan({}, { noNewKeyring: true, noPivot: true });
  assert.equal([keyring, noPivot], ["", true]);
});

container("without a process there is nothing to run", () => {
  const { process: _, ...rest } = least;
  assert.throws(
    () => planContainer(rest as Spec, host, options),
    saying("process property must not be empty"),
  );
});

container("planning leaves the configuration as it is", () => {
  const frozen = JSON.stringify(least);
  plan();
  assert.is(JSON.stringify(least), frozen);
});

container.run();
