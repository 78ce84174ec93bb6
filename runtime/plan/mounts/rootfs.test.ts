import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostPath } from "../../../syscalls/types.ts";
import type { Spec } from "../../config/types.ts";
import { planRootfs } from "./rootfs.ts";

const rootfs = suite("planRootfs");

const plan = (root: Spec["root"], rootfsPropagation?: string) =>
  planRootfs(
    { ociVersion: "1.0.2", root, linux: { ...(rootfsPropagation && { rootfsPropagation }) } } as Spec,
    { bundle: "/bundle" as HostPath, noPivot: false },
  );

rootfs("relative to the bundle, writable, slave to the host", () => {
  assert.equal(plan({ path: "rootfs" }), {
    path: "/bundle/rootfs",
    readonly: false,
    hostPropagation: 0x84000,
    propagation: 0,
  });
});

rootfs("absolute and read-only", () => {
  assert.equal(plan({ path: "/r", readonly: true }), {
    path: "/r",
    readonly: true,
    hostPropagation: 0x84000,
    propagation: 0,
  });
});

for (const [name, host, own] of [
  ["shared", 0x100000, 0x100000],
  ["rshared", 0x104000, 0x104000],
  ["slave", 0x80000, 0x80000],
  ["rslave", 0x84000, 0x84000],
  ["private", 0x40000, 0x40000],
  ["rprivate", 0x44000, 0x44000],
  ["unbindable", 0x84000, 0x20000],
  ["runbindable", 0x84000, 0x24000],
] as const)
  rootfs(`rootfsPropagation ${name}`, () => {
    const { hostPropagation, propagation } = plan({ path: "r" }, name);
    assert.equal([hostPropagation, propagation], [host, own]);
  });

rootfs.run();
