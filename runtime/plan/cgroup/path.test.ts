import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { HostPath } from "../../../syscalls/types.ts";
import type { CgroupLayout } from "./hierarchies.ts";
import { planCgroupPaths } from "./path.ts";

const hybrid: CgroupLayout = {
  kind: "hybrid",
  hierarchies: [
    { controllers: ["cpu", "cpuacct"], mountPoint: "/cg/cpu,cpuacct" as HostPath, own: "/" },
    { controllers: ["memory"], mountPoint: "/cg/memory" as HostPath, own: "/me" },
    { controllers: [""], mountPoint: "/cg/unified" as HostPath, own: "/" },
  ],
};
const v2: CgroupLayout = {
  kind: "v2",
  hierarchies: [{ controllers: [""], mountPoint: "/cg" as HostPath, own: "/user.slice/session" }],
};

const paths = suite("planCgroupPaths");

// The results that runc 1.1.5 gives on a hybrid host for the same values.
const cases = [
  [undefined, "/cg/memory/me/ID"],
  ["", "/cg/memory/me/ID"],
  ["/abs/x", "/cg/memory/abs/x"],
  ["/abs//./y/", "/cg/memory/abs/y"],
  ["/../../x", "/cg/memory/x"],
  ["rel/x", "/cg/memory/me/rel/x"],
  ["./z", "/cg/memory/me/z"],
  ["../../x", "/cg/memory/me/x"],
  ["a/../../../x", "/cg/memory/me/x"],
  ["a:b:c", "/cg/memory/me/a:b:c"],
] as const;
for (const [given, expected] of cases)
  paths(`${given === undefined ? "no path" : JSON.stringify(given)} is ${expected}`, () => {
    assert.is(planCgroupPaths(given, "ID", hybrid).memory, expected);
  });

paths("every controller has its path, and those mounted together share it", () => {
  assert.equal(planCgroupPaths("/x", "ID", hybrid), {
    cpu: "/cg/cpu,cpuacct/x",
    cpuacct: "/cg/cpu,cpuacct/x",
    memory: "/cg/memory/x",
    "": "/cg/unified/x",
  });
});

paths("on v2 a relative path is beside the own cgroup, which has processes", () => {
  assert.equal(planCgroupPaths("x", "ID", v2), { "": "/cg/user.slice/x" });
  assert.equal(planCgroupPaths("/x", "ID", v2), { "": "/cg/x" });
});

for (const given of ["/", ".", "..", "/a/.."])
  paths(`${given} is refused, it would be the host's own cgroup`, () => {
    assert.throws(
      () => planCgroupPaths(given, "ID", hybrid),
      /EINVAL.*linux\.cgroupsPath.*root of the hierarchy/,
    );
  });

paths.run();
