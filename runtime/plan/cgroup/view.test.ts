import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CLONE_NEWCGROUP, CLONE_NEWUSER } from "../../../syscalls/constants/sched.ts";
import type { HostPath } from "../../../syscalls/types.ts";
import type { CgroupLayout } from "./hierarchies.ts";
import { cgroupView } from "./view.ts";

const at = (path: string): HostPath => path as HostPath;
const v2: CgroupLayout = {
  kind: "v2",
  hierarchies: [{ controllers: [""], mountPoint: at("/sys/fs/cgroup"), own: "/a" }],
};
const hybrid: CgroupLayout = {
  kind: "hybrid",
  hierarchies: [
    { controllers: ["memory"], mountPoint: at("/sys/fs/cgroup/memory"), own: "/" },
    { controllers: [""], mountPoint: at("/sys/fs/cgroup/unified"), own: "/" },
  ],
};

const view = suite("cgroupView");

view("v2 in the host's cgroup namespace: the whole hierarchy", () => {
  const { ownNamespace, hierarchies } = cgroupView(v2, { "": at("/sys/fs/cgroup/a/c") }, 0);
  assert.is(ownNamespace, false);
  assert.equal(
    hierarchies.map(({ path }) => path),
    ["/sys/fs/cgroup"],
  );
});

view("v2 in the host's cgroup namespace and a user namespace: its own part", () => {
  const { hierarchies } = cgroupView(v2, { "": at("/sys/fs/cgroup/a/c") }, CLONE_NEWUSER);
  assert.equal(
    hierarchies.map(({ path }) => path),
    ["/sys/fs/cgroup/a/c"],
  );
});

view("where the container has no cgroup: the runtime's own, in which it stays", () => {
  const { hierarchies } = cgroupView(v2, {}, CLONE_NEWUSER);
  assert.equal(
    hierarchies.map(({ path }) => path),
    ["/sys/fs/cgroup/a"],
  );
  assert.equal(
    cgroupView(hybrid, {}, 0).hierarchies.map(({ path }) => path),
    ["/sys/fs/cgroup/memory"],
  );
});

view("a cgroup namespace is told", () => {
  assert.is(cgroupView(v2, { "": at("/sys/fs/cgroup/a/c") }, CLONE_NEWCGROUP).ownNamespace, true);
});

view("hybrid: its own part of v1, nothing of v2", () => {
  const paths = { memory: at("/sys/fs/cgroup/memory/c"), "": at("/sys/fs/cgroup/unified/c") };
  assert.equal(cgroupView(hybrid, paths, 0).hierarchies, [
    { name: "memory", path: paths.memory, option: "memory" },
  ]);
});

view.run();
