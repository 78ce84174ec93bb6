import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseMounts, readMounts } from "./mountinfo.ts";

const mounts = suite("mountinfo");

const text = `21 28 0:19 / /proc rw,nosuid shared:12 master:1 - proc proc rw
32 28 0:30 /docker/a\\134b /sys/fs/cgroup/my\\040memory rw - cgroup cgroup rw,memory
40 28 0:40 / /mnt\\011tab rw - tmpfs tmp\\012fs rw,size=4k
`;

mounts("ids, paths with blanks, tabs and backslashes, type and options", () => {
  assert.equal(parseMounts(text), [
    { id: 21, parent: 28, root: "/", mountPoint: "/proc", type: "proc", options: "rw" },
    {
      id: 32,
      parent: 28,
      root: "/docker/a\\b",
      mountPoint: "/sys/fs/cgroup/my memory",
      type: "cgroup",
      options: "rw,memory",
    },
    { id: 40, parent: 28, root: "/", mountPoint: "/mnt\ttab", type: "tmpfs", options: "rw,size=4k" },
  ]);
});

mounts("those of a type, and none out of nothing", () => {
  assert.equal(
    parseMounts(text, (type) => type.startsWith("cgroup")).map(({ id }) => id),
    [32],
  );
  assert.equal(parseMounts(""), []);
});

mounts("of this process: its root, and the procfs that says so", () => {
  assert.ok(readMounts().some(({ mountPoint }) => mountPoint === "/"));
  assert.ok(readMounts((type) => type === "proc").every(({ type }) => type === "proc"));
});

mounts.run();
