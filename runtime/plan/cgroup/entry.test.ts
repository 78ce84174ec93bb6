import { suite } from "uvu";
import * as assert from "uvu/assert";
import { execEntry, planCgroupEntry } from "./entry.ts";
import type { CgroupLayout, CgroupPaths } from "./hierarchies.ts";

const entry = suite("execEntry");

const hybrid = {
  cpu: "/cpu/c",
  cpuacct: "/cpu/c",
  memory: "/memory/c",
  "name=systemd": "/systemd/c",
  "": "/unified/c",
} as unknown as CgroupPaths;
const v2 = { "": "/sys/fs/cgroup/c" } as unknown as CgroupPaths;

entry("each hierarchy once, the unified one by clone3", () => {
  assert.equal(execEntry(hybrid, [], false), {
    cloneInto: "/unified/c",
    join: ["/cpu/c/tasks", "/memory/c/tasks", "/systemd/c/tasks"],
    joinAll: ["/cpu/c/tasks", "/memory/c/tasks", "/systemd/c/tasks", "/unified/c/cgroup.procs"],
  });
});

entry("with small limits nothing by clone3", () => {
  assert.equal(execEntry(v2, [], true), {
    cloneInto: undefined,
    join: [],
    joinAll: ["/sys/fs/cgroup/c/cgroup.procs"],
  });
});

entry("a path alone is below all of them", () => {
  const { cloneInto, join } = execEntry(hybrid, ["/a//./b/"], false);
  assert.is(cloneInto, "/unified/c/a/b");
  assert.equal(join, ["/cpu/c/a/b/tasks", "/memory/c/a/b/tasks", "/systemd/c/a/b/tasks"]);
});

entry("controllers with a path; the others of their hierarchy go along", () => {
  const { cloneInto, join } = execEntry(hybrid, ["cpuacct:x", "memory,name=systemd:y"], false);
  assert.is(cloneInto, "/unified/c");
  assert.equal(join, ["/cpu/c/x/tasks", "/memory/c/y/tasks", "/systemd/c/y/tasks"]);
});

for (const [given, text] of [
  [["a", "b"], "invalid --cgroup argument: a (missing <controller>: prefix)"],
  [["memory:a", "b"], "invalid --cgroup argument: b (missing <controller>: prefix)"],
  [[":a"], "invalid --cgroup argument: :a (empty <controller> prefix)"],
  [["memory,:a"], "invalid --cgroup argument: memory,:a (empty <controller> prefix)"],
  [["memory:a", "memory:a"], "invalid --cgroup argument: controller memory specified multiple times"],
  [["memory,memory:a"], "invalid --cgroup argument: controller memory specified multiple times"],
  [["cpu:a", "cpuacct:b"], "invalid --cgroup argument: controller cpuacct specified multiple times"],
  [["nonsense:a"], "unknown controller nonsense in --cgroup nonsense:a"],
  [["constructor:a"], "unknown controller constructor in --cgroup constructor:a"],
  [["a/../b"], "bad sub cgroup path: a/../b"],
  [["memory:.."], "bad sub cgroup path: .."],
] as const)
  entry(`refused [${given.join(" ")}]`, () => {
    assert.throws(
      () => execEntry(hybrid, given, false),
      (error: Error) => error.message === text,
    );
  });

entry.run();

const init = suite("planCgroupEntry");
const layoutOf = (kind: "v1" | "v2") =>
  ({
    kind,
    hierarchies:
      kind === "v2"
        ? [{ controllers: [""], mountPoint: "/sys/fs/cgroup", own: "/own" }]
        : [
            { controllers: ["cpu", "cpuacct"], mountPoint: "/cpu", own: "/" },
            { controllers: ["memory"], mountPoint: "/memory", own: "/own" },
            { controllers: [""], mountPoint: "/unified", own: "/" },
          ],
  }) as unknown as CgroupLayout;
const v1 = {
  cpu: "/cpu/c",
  cpuacct: "/cpu/c",
  memory: "/memory/c",
  "": "/unified/c",
} as unknown as CgroupPaths;
const [nothing, namespace, hooks] = [
  { namespace: false, hooks: false },
  { namespace: true, hooks: false },
  { namespace: true, hooks: true },
];
const procs = "/sys/fs/cgroup/c/cgroup.procs";
const small = 8 << 20;

init("v2: put there by clone3", () => {
  for (const early of [nothing, namespace, hooks])
    for (const limit of [undefined, 0, -1, 1 << 30])
      assert.equal(planCgroupEntry(layoutOf("v2"), v2, limit, early), {
        cloneInto: "/sys/fs/cgroup/c",
        join: [],
        joinAll: [procs],
        leaveMemory: [],
        rejoinMemory: [],
      });
});

init("v2 with a small memory limit: it joins in the end, or for a namespace goes in and out again", () => {
  const late = { cloneInto: undefined, join: [procs], joinAll: [procs] };
  const plan = (early: typeof nothing) => planCgroupEntry(layoutOf("v2"), v2, small, early);
  assert.equal(plan(nothing), { ...late, leaveMemory: [], rejoinMemory: [] });
  const leave = ["/sys/fs/cgroup/own/cgroup.procs"];
  assert.equal(plan(namespace), { ...late, leaveMemory: leave, rejoinMemory: [procs] });
  assert.equal(plan(hooks), { ...planCgroupEntry(layoutOf("v2"), v2, undefined, hooks) });
});

init("v1: put into the unified hierarchy by clone3, out of memory's alone", () => {
  const join = ["/cpu/c/tasks", "/memory/c/tasks"];
  const all = { cloneInto: "/unified/c", join, joinAll: [...join, "/unified/c/cgroup.procs"] };
  const plan = (early: typeof nothing) => planCgroupEntry(layoutOf("v1"), v1, small, early);
  assert.equal(plan(nothing), { ...all, leaveMemory: [], rejoinMemory: [] });
  assert.equal(plan(hooks), { ...all, leaveMemory: [], rejoinMemory: [] });
  assert.equal(plan(namespace), {
    ...all,
    leaveMemory: ["/memory/own/tasks"],
    rejoinMemory: ["/memory/c/tasks"],
  });
});

init("a unit of systemd: made around the process, which is moved out of it and back", () => {
  assert.equal(planCgroupEntry(layoutOf("v2"), v2, small, nothing, "systemd"), {
    cloneInto: undefined,
    join: [],
    joinAll: [],
    leaveMemory: ["/sys/fs/cgroup/own/cgroup.procs"],
    rejoinMemory: [procs],
  });
});
init.run();
