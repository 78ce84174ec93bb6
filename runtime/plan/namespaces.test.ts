import { suite } from "uvu";
import * as assert from "uvu/assert";
import { namespaceFlags } from "../config/names.ts";
import { planNamespaces } from "./namespaces.ts";

const namespaces = suite("planNamespaces");

const rest = { idMaps: undefined, timeOffsets: "" };

namespaces("none", () => assert.equal(planNamespaces({}), { ...rest, join: [], create: 0, own: 0 }));

namespaces("the usual five are new", () => {
  const types = ["pid", "network", "ipc", "uts", "mount"] as const;
  const plan = planNamespaces({ namespaces: types.map((type) => ({ type })) });
  assert.equal(plan, { ...rest, join: [], create: 0x6c020000, own: 0x6c020000 });
});

namespaces("user is joined first and mount last, whatever the order given", () => {
  const { join, create, own } = planNamespaces({
    namespaces: [
      { type: "mount", path: "/m" },
      { type: "network", path: "/n" },
      { type: "uts" },
      { type: "user", path: "/u" },
      { type: "pid", path: "/p" },
    ],
  });
  assert.equal(join, [
    { type: "user", flag: 0x10000000, path: "/u", from: "linux.namespaces[3].path" },
    { type: "pid", flag: 0x20000000, path: "/p", from: "linux.namespaces[4].path" },
    { type: "network", flag: 0x40000000, path: "/n", from: "linux.namespaces[1].path" },
    { type: "mount", flag: 0x20000, path: "/m", from: "linux.namespaces[0].path" },
  ]);
  assert.is(create, 0x4000000);
  assert.is(own, 0x74020000); // user, pid, network, mount and uts
});

namespaces("an empty path is no path", () => {
  const plan = planNamespaces({ namespaces: [{ type: "ipc", path: "" }] });
  assert.equal(plan, { ...rest, join: [], create: 0x8000000, own: 0x8000000 });
});

namespaces("a new user namespace has the maps, one to join its own", () => {
  const uidMappings = [{ containerID: 0, hostID: 1000, size: 10 }];
  const gidMappings = [{ containerID: 0, hostID: 2000, size: 10 }];
  const maps = { uidMappings, gidMappings };
  assert.equal(planNamespaces({ namespaces: [{ type: "user" }], ...maps }).idMaps, maps);
  assert.is(planNamespaces({ namespaces: [{ type: "user", path: "/u" }], ...maps }).idMaps, undefined);
});

namespaces("flags of all eight", () => {
  assert.equal(namespaceFlags, {
    user: 0x10000000,
    pid: 0x20000000,
    network: 0x40000000,
    ipc: 0x8000000,
    uts: 0x4000000,
    time: 0x80,
    cgroup: 0x2000000,
    mount: 0x20000,
  });
});

namespaces.run();
