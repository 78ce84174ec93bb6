import { suite } from "uvu";
import * as assert from "uvu/assert";
import { saying } from "../../../syscalls/testing/saying.ts";
import type { HostPath } from "../../../syscalls/types.ts";
import type { Mount } from "../../config/types.ts";
import { planMounts } from "./mounts.ts";

const mounts = suite("planMounts");

let warnings: string[] = [];
const plan = (...list: Mount[]) =>
  planMounts(
    list,
    { bundle: "/bundle" as HostPath, rootfs: "/bundle/rootfs" as HostPath, userns: undefined },
    (text) => warnings.push(text),
  );
const rest = { isRoot: false, propagation: [], recursiveSet: 0, recursiveClear: 0, from: "mounts[0]" };

mounts("proc", () => {
  assert.equal(plan({ destination: "/proc", type: "proc", source: "proc" }), [
    {
      ...rest,
      kind: "filesystem",
      destination: "/proc",
      type: "proc",
      options: [{ key: "source", value: "proc" }],
      attributes: 0,
      mount2: undefined,
      readOnlyLater: false,
      copyUp: false,
      modeOfCovered: false,
    },
  ]);
});

mounts("a tmpfs: its data in order, its mode its own", () => {
  const [step] = plan({
    destination: "/dev",
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
  });
  assert.equal(step, {
    ...rest,
    kind: "filesystem",
    destination: "/dev",
    type: "tmpfs",
    options: [
      { key: "source", value: "tmpfs" },
      { key: "mode", value: "755" },
      { key: "size", value: "65536k" },
    ],
    attributes: 0x22,
    mount2: undefined,
    readOnlyLater: false,
    copyUp: false,
    modeOfCovered: false,
  });
});

mounts("a read-only tmpfs is filled first, and has the mode of what it covers", () => {
  const [step] = plan({ destination: "/run", type: "tmpfs", options: ["ro", "tmpcopyup"] });
  assert.equal(step, {
    ...rest,
    kind: "filesystem",
    destination: "/run",
    type: "tmpfs",
    options: [],
    attributes: 0,
    mount2: undefined,
    readOnlyLater: true,
    copyUp: true,
    modeOfCovered: true,
  });
});

mounts("a read-only file system of another type is so from the start", () => {
  const [step] = plan({ destination: "/sys", type: "sysfs", options: ["ro", "nosuid"] });
  assert.ok(step?.kind === "filesystem");
  assert.is(step.attributes, 3);
  assert.is(step.readOnlyLater, false);
  assert.equal(step.options, [{ key: "ro" }]);
});

for (const [title, mount, source, recursive] of [
  ["by option", { destination: "/a", source: "/host", options: ["bind"] }, "/host", false],
  ["rbind", { destination: "/a", source: "/host", options: ["rbind"] }, "/host", true],
  ["by type alone", { destination: "/a", source: "/host", type: "bind" }, "/host", true],
  [
    "by type and option",
    { destination: "/a", source: "/host", type: "bind", options: ["bind"] },
    "/host",
    false,
  ],
  [
    "the option beats the type",
    { destination: "/a", source: "/host", type: "none", options: ["rbind"] },
    "/host",
    true,
  ],
  ["from the bundle", { destination: "/a", source: "data", options: ["bind"] }, "/bundle/data", false],
] as const)
  mounts(`bind [${title}]`, () => {
    const [step] = plan(mount as Mount);
    assert.equal(step, {
      ...rest,
      kind: "bind",
      destination: "/a",
      source,
      recursive,
      attributes: undefined,
      idmap: undefined,
    });
  });

mounts("bind [ro, rprivate, rnosuid]", () => {
  const [step] = plan({ destination: "/a", source: "/b", options: ["bind", "ro", "rprivate", "rnosuid"] });
  assert.equal(step, {
    ...rest,
    kind: "bind",
    destination: "/a",
    source: "/b",
    recursive: false,
    attributes: { set: 1, clear: 0x20000e, mustClear: 0, atimeNamed: false },
    idmap: undefined,
    propagation: [0x44000],
    recursiveSet: 2,
  });
});

for (const type of ["cgroup", "cgroup2"])
  mounts(`${type} is the container's own view`, () => {
    assert.equal(plan({ destination: "/sys/fs/cgroup", type, options: ["ro", "nosuid"] }), [
      { ...rest, kind: "cgroup", destination: "/sys/fs/cgroup", attributes: 3 },
    ]);
  });

for (const destination of [
  "/",
  ".",
  "//",
  "/.",
  "/proc/..",
  "",
  "/../",
  "/bundle/rootfs",
  "/bundle//rootfs/",
])
  mounts(`on the root [${destination}]`, () => {
    assert.is(plan({ destination, source: "/a", options: ["bind"] })[0]?.isRoot, true);
  });

for (const type of ["proc", "sysfs", "mqueue", "devpts", "cgroup"])
  mounts(`a ${type} is no root`, () => {
    const text = `mounts[0].destination: a ${type} cannot be the root file system`;
    assert.throws(() => plan({ destination: "/", type }), saying(text));
  });

mounts("tmpcopyup of the root copies no other mount", () => {
  const root = { destination: "/", type: "tmpfs", options: ["tmpcopyup"] };
  assert.is(plan(root)[0]?.isRoot, true);
  const text = "mounts[1].options: tmpcopyup on / is for the first mount only";
  assert.throws(() => plan({ destination: "/proc", type: "proc" }, root), saying(text));
});

for (const [destination, inside] of [
  ["/bundle/rootfs/mnt", "/mnt"],
  ["/bundle/./x/../rootfs//mnt/", "/mnt"],
  ["bundle/rootfs/mnt", "/mnt"],
  ["/bundle/rootfs/bundle/rootfs/mnt", "/bundle/rootfs/mnt"],
] as const)
  mounts(`the path of the root file system is left out, with a warning [${destination}]`, () => {
    warnings = [];
    assert.is(plan({ destination, type: "tmpfs" })[0]?.destination, inside);
    assert.equal(warnings, [
      `mounts[0].destination: ${destination} begins with the path of the root file system on the host, using ${inside}`,
    ]);
  });

for (const destination of ["/bundle/rootfs2/mnt", "/bundle", "/mnt/bundle/rootfs"])
  mounts(`what only looks like it stays [${destination}]`, () => {
    warnings = [];
    assert.is(plan({ destination, type: "tmpfs" })[0]?.destination, destination);
    assert.equal(warnings, []);
  });

mounts("order is that of the configuration, and a relative destination is below the root", () => {
  const steps = plan({ destination: "b", type: "tmpfs" }, { destination: "/a", type: "proc" });
  assert.equal(
    steps.map(({ destination, from }) => [destination, from]),
    [
      ["/b", "mounts[0]"],
      ["/a", "mounts[1]"],
    ],
  );
});

mounts("size and mode of a mount that is a bind mount by its options alone are told", () => {
  warnings = [];
  const [step] = plan({ destination: "/a", source: "/b", options: ["bind", "size=1", "mode=755"] });
  assert.is(step?.kind, "bind");
  assert.equal(warnings, [
    'mounts[0].options: a bind mount takes no file system data, ignored: "size=1", "mode=755"',
  ]);
});

for (const [title, mount, message] of [
  [
    "bind without a source",
    { destination: "/a", type: "bind" },
    "mounts[0].source: a bind mount needs a source",
  ],
  [
    "bind with data",
    { destination: "/a", source: "/b", options: ["bind", "size=1", "noquota"] },
    'mounts[0].options: bind mounts cannot have any filesystem-specific options applied: "size=1", "noquota"',
  ],
  [
    "bind with data, by type",
    { destination: "/a", source: "/b", type: "bind", options: ["mode=755"] },
    'mounts[0].options: bind mounts cannot have any filesystem-specific options applied: "mode=755"',
  ],
  [
    "bind with data, of a dummy type",
    { destination: "/a", source: "/b", type: "none", options: ["rbind", "size=1"] },
    'mounts[0].options: bind mounts cannot have any filesystem-specific options applied: "size=1"',
  ],
  [
    "bind remounted with data",
    { destination: "/a", type: "bind", options: ["remount", "ro", "data=ordered"] },
    'mounts[0].options: bind mounts cannot have any filesystem-specific options applied: "data=ordered"',
  ],
  [
    "bind with tmpcopyup",
    { destination: "/a", source: "/b", options: ["bind", "tmpcopyup"] },
    'mounts[0].options: bind mounts cannot have any filesystem-specific options applied: "tmpcopyup"',
  ],
  [
    "no type",
    { destination: "/a", source: "/b" },
    "mounts[0].type: a mount that is no bind mount needs a type",
  ],
  [
    "tmpcopyup elsewhere",
    { destination: "/a", type: "proc", options: ["tmpcopyup"] },
    "mounts[0].options: tmpcopyup is for tmpfs only, not for proc",
  ],
] as const)
  mounts(`refuses: ${title}`, () => {
    assert.throws(
      () => plan(mount as Mount),
      (error: Error) => error.message === message || assert.unreachable(error.message),
    );
  });

mounts.run();
