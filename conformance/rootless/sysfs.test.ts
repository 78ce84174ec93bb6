// What a user namespace may not mount anew, and CVE-2023-25809: the caller's hierarchies of cgroups, parts of which may be
// delegated to the caller's user, are not the container's to write to when it asked for a read-only /sys.
import * as assert from "uvu/assert";
import { conformance, refuse, succeed } from "../harness.ts";
import type { ModeName } from "../mode.ts";
import { type Mount, type Spec, shell, withoutMounts } from "../spec.ts";

const quiet = ["nosuid", "noexec", "nodev"];
const bound: Mount = {
  destination: "/sys",
  type: "none",
  source: "/sys",
  options: ["rbind", ...quiet, "ro"],
};
const fresh: Mount = { destination: "/sys", type: "sysfs", source: "sysfs", options: [...quiet, "ro"] };

/** In the caller's network namespace, with this /sys and nothing mounted on it. */
function withSys(spec: Spec, sys: Mount): void {
  withoutMounts(spec, "/sys");
  spec.mounts.push(sys);
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "network");
}

/** Flags of each mount at or below a path. */
const flags = "awk '$5 ~ \"^/sys(/fs/cgroup|$)\" { print $5, $6 }' /proc/self/mountinfo";

for (const mode of [
  "user, one id",
  "user, newuidmap",
  "root, user namespace",
] as const satisfies readonly ModeName[]) {
  const sysfs = conformance("sysfs of a user namespace", mode);

  for (const [title, sys] of [
    ["bound", bound],
    ["not to be had anew", fresh],
  ] as const)
    sysfs(
      `a read-only one is read-only, and so are the hierarchies below [${title}]`,
      async (c) => {
        c.configure((spec) => {
          withSys(spec, sys);
          shell(
            spec,
            `${flags}; mkdir /sys/fs/cgroup/x /sys/fs/cgroup/*/x 2>/dev/null && echo made; echo end`,
          );
        });
        const { stdout } = succeed(await c.run());
        const [first = "", ...lines] = stdout.trim().split("\n");
        assert.match(first, /^\/sys ro,nosuid,nodev,noexec/);
        assert.is(lines.pop(), "end");
        assert.ok(lines.length > 0);
        for (const line of lines) assert.match(line, /^\/sys\/fs\/cgroup\S* ro,/);
      },
      { runcFails: "runc makes the mount on /sys read-only, not those below" },
    );

  sysfs(
    "one that was not asked to be read-only is an error with its reason",
    async (c) => {
      c.configure((spec) => withSys(spec, { ...fresh, options: quiet }));
      refuse(
        await c.run(),
        "EPERM (operation not permitted), asked for by mounts[5] (it takes a network namespace",
      );
    },
    { runcFails: "the words are runt's" },
  );

  sysfs(
    "a procfs in the caller's pid namespace is the caller's",
    async (c) => {
      c.configure((spec) => {
        spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
        shell(
          spec,
          "cat /proc/self/comm; readlink /proc/self/ns/pid; echo x 2>&1 >/proc/sys/kernel/hostname; true",
        );
      });
      const { stdout } = succeed(await c.run());
      assert.match(stdout, /^cat\npid:\[\d+\]\n/);
      assert.match(stdout, /Read-only file system/);
    },
    { runcFails: "runc has no such way" },
  );

  sysfs("a mount of cgroups is read-only as asked, with the caller's cgroup namespace", async (c) => {
    c.configure((spec) =>
      shell(
        spec,
        `${flags} | grep -v '^/sys ' | tail -1; mkdir /sys/fs/cgroup/x /sys/fs/cgroup/*/x 2>/dev/null && echo made; true`,
      ),
    );
    const { stdout } = succeed(await c.run());
    assert.match(stdout, /^\/sys\/fs\/cgroup\S* ro,/);
    assert.not.match(stdout, /made/);
  });

  sysfs.run();
}
