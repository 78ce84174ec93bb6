import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Linux, Spec } from "../config/types.ts";
import { refuseGroups, refuseRootless } from "./rootless.ts";

const rootless = suite("refuseRootless");

const user = { euid: 1000, egid: 100, capabilities: 0n, lsm: { apparmor: false, selinux: false } };
const one = {
  namespaces: [{ type: "user" }],
  uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
  gidMappings: [{ containerID: 0, hostID: 100, size: 1 }],
};
const spec = (more: object): Spec =>
  ({ ociVersion: "1.0.0", root: { path: "rootfs" }, linux: one, ...more }) as unknown as Spec;
const linux = one as Linux;

rootless("root may ask for all of it", () => {
  const root = { ...user, euid: 0 };
  refuseRootless(spec({ linux: {} }), root);
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
] as const)
  rootless(`an ordinary user may not [${title}]`, () => {
    assert.throws(() => refuseRootless(spec(given), user), text);
  });

rootless("groups are refused beside a single id, and set where the map is wide", () => {
  const text = "process.user.additionalGids: cannot set any additional groups in a rootless container";
  assert.throws(() => refuseGroups([5], linux, user), text);
  refuseGroups([], linux, user);
  refuseGroups([5], linux, { ...user, euid: 0 });
  const wide = [...one.gidMappings, { containerID: 1, hostID: 100_000, size: 65_535 }];
  refuseGroups([5], { ...linux, gidMappings: wide }, user);
});

rootless("a namespace that is joined has maps of its own", () => {
  refuseRootless(spec({ linux: { namespaces: [{ type: "user", path: "/proc/1/ns/user" }] } }), user);
});

rootless.run();
