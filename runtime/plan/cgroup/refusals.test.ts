// Values of linux.resources and linux.cgroupsPath that no kernel would take, or would take for something else: the
// whole text of each refusal.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostPath } from "../../../syscalls/types.ts";
import type { LinuxDeviceCgroup, LinuxResources } from "../../config/types.ts";
import { planCgroupPaths } from "./path.ts";
import { planCgroupResources } from "./resources.ts";

const refusals = suite("refusals of planCgroupResources");

const denyAll = { allow: false, access: "rwm" };
const devices = (...rules: object[]): LinuxResources => ({
  devices: rules as unknown as LinuxDeviceCgroup[],
});

const both = [1, 2] as const;
const cases: readonly (readonly [versions: readonly (1 | 2)[], resources: LinuxResources, says: string])[] = [
  [
    [1],
    { unified: { "memory.high": "1" } },
    "unified to its files | invalid configuration: cannot use unified on cgroup v1 | unified",
  ],
  [[2], { unified: { "a/b": "1" } }, 'unified["a/b"] to 1 | the key must be a file name | unified["a/b"]'],
  [[2], { unified: { a: "1" } }, 'unified["a"] to 1 | the key must be a file name | unified["a"]'],
  [[1], { cpu: { shares: 1 } }, "cpu.shares to 1 | the minimum allowed cpu-shares is 2 | cpu.shares"],
  [
    [1],
    { cpu: { shares: 262145 } },
    "cpu.shares to 262145 | the maximum allowed cpu-shares is 262144 | cpu.shares",
  ],
  [
    [1],
    { memory: { swappiness: 101 } },
    "memory.swappiness to 101 | the range is 0 to 100 | memory.swappiness",
  ],
  [
    [2],
    { memory: { swap: 1 } },
    "memory.swap to 1 | unable to set swap limit without memory limit | memory.swap",
  ],
  [
    [2],
    { memory: { limit: -1, swap: 1 } },
    "memory.swap to 1 | unable to set swap limit without memory limit | memory.swap",
  ],
  [
    [2],
    { memory: { limit: 2, swap: 1 } },
    "memory.swap to 1 | memory+swap limit should be >= memory limit | memory.swap",
  ],
  [
    both,
    devices(denyAll, { allow: true, type: "c" }),
    "devices[1] to no access | device access at 1 field cannot be empty | devices[1]",
  ],
  [
    both,
    devices({ allow: true, type: "u", access: "r" }),
    "devices[0] to u | the type is a, b or c | devices[0]",
  ],
  [
    both,
    devices(
      denyAll,
      { allow: true, type: "b", access: "r" },
      { allow: false, type: "b", major: 8, access: "r" },
    ),
    'devices to b 8:* | it is an exception from the wider "b *:*" | devices',
  ],
];
for (const [versions, resources, says] of cases)
  for (const version of versions) {
    const [object = "", hint = "", field = ""] = says.split(" | ");
    const message = `set ${object}: EINVAL (invalid argument), asked for by linux.resources.${field} (${hint})`;
    refusals(`v${version}: ${object}`, () => {
      assert.throws(
        () => planCgroupResources(resources, { version, setDevices: true }),
        (error: Error) => error.message === message || assert.is(error.message, message),
      );
    });
  }

refusals("a path that is the root of the hierarchy", () => {
  const mountPoint = "/sys/fs/cgroup" as HostPath;
  const layout = { kind: "v2", hierarchies: [{ controllers: [""], mountPoint, own: "/" }] } as const;
  const message =
    "use cgroup /a/..: EINVAL (invalid argument), asked for by linux.cgroupsPath (it names the root of the hierarchy, which cannot be a container's cgroup)";
  assert.throws(
    () => planCgroupPaths("/a/..", "ID", layout as never),
    (error: Error) => error.message === message || assert.is(error.message, message),
  );
});

refusals.run();
