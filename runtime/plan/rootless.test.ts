import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Spec } from "../config/types.ts";
import { refuseRootless } from "./rootless.ts";

const rootless = suite("refuseRootless");

const user = { euid: 1000, egid: 100, capabilities: 0n, lsm: { apparmor: false, selinux: false } };
const one = {
  namespaces: [{ type: "user" }],
  uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
  gidMappings: [{ containerID: 0, hostID: 100, size: 1 }],
};
const spec = (more: object): Spec =>
  ({ ociVersion: "1.0.0", root: { path: "rootfs" }, linux: one, ...more }) as unknown as Spec;
const groups = { process: { user: { additionalGids: [5] } } };

rootless("root may ask for all of it", () => {
  const root = { ...user, euid: 0 };
  refuseRootless(spec({ linux: {}, ...groups }), root);
});

for (const [title, given, text] of [
  ["no user namespace", { linux: {} }, "linux.namespaces: rootless container requires user namespaces"],
  [
    "no map",
    { linux: { ...one, gidMappings: [] } },
    "linux.gidMappings: rootless containers requires at least one GID mapping",
  ],
  [
    "an unmapped owner",
    { mounts: [{ destination: "/a", options: ["uid=0", "gid=5"] }] },
    "mounts[0].options: cannot specify gid=5 mount option for rootless container: user namespaces enabled, but no mapping found for gid 5",
  ],
  [
    "groups beside a single id",
    groups,
    "process.user.additionalGids: cannot set any additional groups in a rootless container",
  ],
] as const)
  rootless(`an ordinary user may not [${title}]`, () => {
    assert.throws(() => refuseRootless(spec(given), user), text);
  });

rootless("a namespace that is joined has maps of its own, and groups where the map is wide", () => {
  refuseRootless(spec({ linux: { namespaces: [{ type: "user", path: "/proc/1/ns/user" }] } }), user);
  const wide = [...one.gidMappings, { containerID: 1, hostID: 100_000, size: 65_535 }];
  refuseRootless(spec({ linux: { ...one, gidMappings: wide }, ...groups }), user);
});

rootless.run();
