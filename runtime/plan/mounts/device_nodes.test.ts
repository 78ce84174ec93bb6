import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ContainerPath } from "../../../syscalls/types.ts";
import { devLinks, planDevices } from "./device_nodes.ts";

const devices = suite("planDevices");

const standard = { mode: 0o20666, uid: 0, gid: 0, from: "the default devices", orMount: false };

devices("the default devices", () => {
  assert.equal(planDevices([]), [
    { path: "/dev/null", major: 1, minor: 3, ...standard },
    { path: "/dev/random", major: 1, minor: 8, ...standard },
    { path: "/dev/full", major: 1, minor: 7, ...standard },
    { path: "/dev/tty", major: 5, minor: 0, ...standard },
    { path: "/dev/zero", major: 1, minor: 5, ...standard },
    { path: "/dev/urandom", major: 1, minor: 9, ...standard },
  ]);
});

for (const [type, mode] of [
  ["c", 0o20640],
  ["u", 0o20640],
  ["b", 0o60640],
  ["p", 0o10640],
] as const)
  devices(`type ${type}`, () => {
    const [step] = planDevices([
      { path: "/dev/x", type, major: 10, minor: 229, fileMode: 0o640, uid: 5, gid: 6 },
    ]).slice(6);
    assert.equal(step, {
      path: "/dev/x",
      mode,
      major: 10,
      minor: 229,
      uid: 5,
      gid: 6,
      from: "linux.devices[0]",
      orMount: false,
    });
  });

devices("a configured device takes the place of the default of its path, with mode 0666 by default", () => {
  const steps = planDevices([{ path: "/dev/full", type: "c", major: 1, minor: 7 }]);
  assert.is(steps.length, 6);
  assert.equal(steps.at(-1), {
    path: "/dev/full",
    mode: 0o20666,
    major: 1,
    minor: 7,
    uid: 0,
    gid: 0,
    from: "linux.devices[0]",
    orMount: false,
  });
});

devices("a mount of the configuration may stay in a device's place, but for the null device", () => {
  const asked = [
    { path: "/dev/x", type: "c" },
    { path: "/dev/y", type: "c" },
  ] as const;
  const paths = ["/dev//random/", "/dev/./x", "/dev/null", "/dev/pts"] as ContainerPath[];
  const steps = planDevices(asked, paths);
  assert.equal(
    steps.filter(({ orMount }) => orMount).map(({ path }) => path),
    ["/dev/random", "/dev/x"],
  );
});

devices("of a mode only the permissions count", () => {
  const [step] = planDevices([{ path: "/dev/x", type: "b", fileMode: 0o104755 }]).slice(6);
  assert.is(step?.mode, 0o64755);
});

devices("the links", () => {
  assert.equal(devLinks, [
    ["fd", "/proc/self/fd"],
    ["stdin", "/proc/self/fd/0"],
    ["stdout", "/proc/self/fd/1"],
    ["stderr", "/proc/self/fd/2"],
  ]);
});

devices.run();
