import { suite } from "uvu";
import * as assert from "uvu/assert";
import { execEntry } from "./entry.ts";
import type { CgroupPaths } from "./types.ts";

const entry = suite("execEntry");

const hybrid = {
  cpu: "/cpu/c",
  cpuacct: "/cpu/c",
  memory: "/memory/c",
  "name=systemd": "/systemd/c",
  "": "/unified/c",
} as unknown as CgroupPaths;
const v2 = { "": "/sys/fs/cgroup/c" } as unknown as CgroupPaths;

entry("each hierarchy once, the unified one by birth", () => {
  assert.equal(execEntry(hybrid, [], false), {
    cloneInto: "/unified/c",
    join: ["/cpu/c/tasks", "/memory/c/tasks", "/systemd/c/tasks"],
    joinAll: ["/cpu/c/tasks", "/memory/c/tasks", "/systemd/c/tasks", "/unified/c/cgroup.procs"],
  });
});

entry("where it is tight, nothing by birth", () => {
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
