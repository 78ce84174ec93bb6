import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Spec } from "../../config/types.ts";
import { planCgroupOwner } from "./owner.ts";

const cgroupMount = { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid"] };
const mappings = [
  { containerID: 0, hostID: 1000, size: 1 },
  { containerID: 1, hostID: 100000, size: 65535 },
];
const spec = (uid: number, edit: Partial<Spec> = {}, types: readonly string[] = ["cgroup", "user"]): Spec =>
  ({
    ociVersion: "1.3.0",
    process: { user: { uid, gid: 0 }, args: ["true"], cwd: "/" },
    mounts: [cgroupMount],
    linux: { namespaces: types.map((type) => ({ type })), uidMappings: mappings },
    ...edit,
  }) as Spec;

const owner = suite("planCgroupOwner");

owner("the user on the host that the process is", () => {
  assert.is(planCgroupOwner(spec(0)), 1000);
  assert.is(planCgroupOwner(spec(1)), 100000);
  assert.is(planCgroupOwner(spec(42)), 100041);
  assert.is(planCgroupOwner(spec(42, {}, ["cgroup"])), 42);
});

owner("root of the host has it anyway; a user without mapping is told elsewhere", () => {
  assert.is(planCgroupOwner(spec(0, {}, ["cgroup"])), undefined);
  assert.is(planCgroupOwner(spec(70000)), undefined);
});

owner("only with a new cgroup namespace", () => {
  assert.is(planCgroupOwner(spec(0, {}, ["user"])), undefined);
  const joined = { namespaces: [{ type: "user" }, { type: "cgroup", path: "/proc/1/ns/cgroup" }] } as const;
  assert.is(planCgroupOwner(spec(0, { linux: { ...joined, uidMappings: mappings } })), undefined);
});

owner("only with a cgroup mount that can be written", () => {
  const mounted = (change: object) => planCgroupOwner(spec(0, { mounts: [{ ...cgroupMount, ...change }] }));
  assert.is(mounted({ options: ["nosuid", "ro"] }), undefined);
  assert.is(mounted({ options: ["ro", "rw"] }), 1000);
  assert.is(mounted({ destination: "/sys/fs/cgroup/" }), 1000);
  assert.is(mounted({ destination: "/cgroup" }), undefined);
  assert.is(mounted({ source: "/sys/fs/cgroup", type: "bind", options: ["bind"] }), undefined);
  assert.is(planCgroupOwner(spec(0, { mounts: [] })), undefined);
});
owner.run();
