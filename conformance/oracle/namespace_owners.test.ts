// Namespaces and the user namespaces that own them: every kind, the runtime's, new, or by path of the first user
// namespace's, a stranger's, the container's own; with no user namespace, a new one, one by path. Each is run, and
// entered by exec; where runc runs it as well, the process must be in the same namespaces, with the same ids.
import { chmodSync, chownSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { type Holder, type Maps, namespaceFiles, startHolder } from "../namespace_holder.ts";
import { findCommand, runtimePath } from "../needs.ts";
import { type Spec, shell } from "../spec.ts";
import { runcPath } from "./compare.ts";

const owners = conformance("namespaces and their owners");
const runcFails = "each case is compared with runc anyway";
const needs = ["unshare"] as const;

const first = 100_000;
const mapsFrom = (hostID: number): Maps => ({ uid: `0 ${hostID} 65536`, gid: `0 ${hostID} 65536` });

/** Who owns namespaces that are joined; those of mounts are changed by who uses them, so each case has its own. */
const makers: Readonly<Record<string, () => Promise<Holder>>> = {
  "the first user namespace": () => startHolder(),
  "a stranger": () => startHolder(mapsFrom(300_000)),
};

/** Of each type "new", or a path; what is not there is the runtime's. */
type Namespaces = Readonly<Record<string, string>>;

const usual: Namespaces = { network: "new", ipc: "new", uts: "new", mount: "new", pid: "new" };

const probe = [
  `for type in ${Object.values(namespaceFiles).join(" ")}; do readlink /proc/self/ns/$type; done`,
  "cat /proc/self/uid_map /proc/self/gid_map",
  "grep -E '^(Uid|Gid|Groups)' /proc/self/status",
].join("; ");

/** The host's /proc, since no other can be mounted for a pid namespace that somebody else owns. */
function configure(c: Fixture, namespaces: Namespaces, edit: (spec: Spec) => void = () => {}): void {
  for (const dir of [c.dir, c.bundle, c.rootfs]) chmodSync(dir, 0o755);
  const mapped = namespaces.user !== undefined;
  chownSync(c.rootfs, mapped ? first : 0, mapped ? first : 0);
  c.configure((spec) => {
    delete spec.hostname;
    spec.mounts = [
      { destination: "/proc", type: "bind", source: "/proc", options: ["rbind"] },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755"] },
    ];
    Object.assign(spec.linux, { maskedPaths: [], readonlyPaths: [] });
    spec.linux.namespaces = Object.entries(namespaces).map(([type, where]) =>
      where === "new" ? { type } : { type, path: where },
    );
    const maps = [{ containerID: 0, hostID: first, size: 65536 }];
    if (mapped) Object.assign(spec.linux, { uidMappings: maps, gidMappings: maps });
    shell(spec, probe);
    edit(spec);
  });
}

/** What the probe printed: the link of each namespace, and the rest. */
function parse({ stdout }: Result): { readonly links: Record<string, string>; readonly rest: string } {
  const lines = stdout.trim().split("\n");
  const types = Object.keys(namespaceFiles);
  const links = Object.fromEntries(types.map((type, i) => [type, lines[i] ?? ""]));
  return {
    links,
    rest: lines
      .slice(types.length)
      .join("\n")
      .replace(/[ \t]+/g, " "),
  };
}

const ownLink = (type: string): string => readlinkSync(`/proc/self/ns/${namespaceFiles[type]}`);

/** Each is the one that was asked for; a new one is nobody else's, as far as a test can know. */
function assertWhere(links: Readonly<Record<string, string>>, namespaces: Namespaces): void {
  const differ = Object.entries(links).flatMap(([type, link]) => {
    const where = namespaces[type];
    if (where === "new") return link !== ownLink(type) && link !== "" ? [] : [`${type}: ${link} is not new`];
    const asked = where === undefined ? ownLink(type) : readlinkSync(where);
    return link === asked ? [] : [`${type}: ${link}, asked for ${asked}`];
  });
  assert.equal(differ, []);
}

const byRunc = (c: Fixture): Promise<Result> => {
  const command = [runcPath(), "--root", join(c.dir, "oracle-state"), "run", "--bundle", c.bundle, c.id];
  return runCommand(command);
};

/** Runs it, enters it, and does the same with runc where there is one. */
async function runs(c: Fixture, namespaces: Namespaces, edit?: (spec: Spec) => void): Promise<string> {
  configure(c, namespaces, edit);
  const seen = parse(succeed(await c.run()));
  assertWhere(seen.links, namespaces);
  const [uidMap = "", gidMap = ""] = seen.rest.split("\n").map((line) => line.trim());
  const map = namespaces.user === undefined ? "0 0 4294967295" : `0 ${first} 65536`;
  assert.equal([uidMap, gidMap], [map, map]);
  if (findCommand("runc") !== undefined) {
    const theirs = await byRunc(c);
    if (theirs.status === 0) {
      const { links, rest } = parse(theirs);
      assertWhere(links, namespaces);
      assert.is(seen.rest, rest);
    }
  }
  configure(c, namespaces, (spec) => {
    edit?.(spec);
    spec.process.args = ["sleep", "60"];
  });
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
  const { pid } = await c.state();
  const inside = parse(succeed(await c.runt(["exec", c.id, "sh", "-c", probe])));
  assert.equal(
    inside.links,
    Object.fromEntries(Object.keys(namespaceFiles).map((type) => [type, linkOf(pid, type)])),
  );
  assert.is(inside.rest, seen.rest);
  succeed(await c.deleteForce());
  return seen.rest;
}

const linkOf = (pid: number, type: string): string => readlinkSync(`/proc/${pid}/ns/${namespaceFiles[type]}`);

/** One error, and nothing that runc could do. */
async function cannot(
  c: Fixture,
  namespaces: Namespaces,
  error: string | RegExp,
  edit?: (spec: Spec) => void,
): Promise<void> {
  configure(c, namespaces, edit);
  const result = refuse(await c.run(), error);
  assert.is(result.stderr.trim().split("\n").length, 1, result.stderr);
  if (findCommand("runc") !== undefined) assert.is.not((await byRunc(c)).status, 0, "runc runs it");
}

const own = (): Promise<Holder> => startHolder(mapsFrom(first));

for (const users of ["no", "a new", "a joined"] as const) {
  const suite = (
    title: string,
    body: (c: Fixture, user: Namespaces, holder: Holder) => Promise<void>,
  ): void =>
    owners(
      `${users} user namespace: ${title}`,
      async (c) => {
        const holder = await own();
        const user = { no: {}, "a new": { user: "new" }, "a joined": { user: holder.path("user") } }[users];
        try {
          await body(c, user as Namespaces, holder);
        } finally {
          holder.end();
        }
      },
      { needs, runcFails },
    );
  const container = users === "a joined" ? "the container" : "another container";

  suite("the usual ones and all eight", async (c, user) => {
    await runs(c, { ...usual, ...user });
    await runs(c, { ...usual, time: "new", cgroup: "new", ...user });
  });

  for (const type of ["network", "ipc", "uts", "pid"])
    suite(`${type} of the runtime`, async (c, user) => {
      const { [type]: _, ...others } = usual;
      await runs(c, { ...others, ...user });
    });

  for (const type of ["network", "ipc", "uts", "pid", "time", "cgroup"])
    suite(`${type} of the first user namespace, of a stranger, of ${container}`, async (c, user, holder) => {
      for (const make of Object.values(makers)) {
        const other = await make();
        await runs(c, { ...usual, ...user, [type]: other.path(type) });
        other.end();
      }
      await runs(c, { ...usual, ...user, [type]: holder.path(type) });
    });

  suite(`all but mount of one owner, and mixed`, async (c, user, holder) => {
    const [ofFirst, ofStranger] = await Promise.all(Object.values(makers).map((make) => make()));
    if (ofFirst === undefined || ofStranger === undefined) throw new Error("no holders");
    const types = ["network", "ipc", "uts", "pid", "time", "cgroup"];
    for (const one of [ofFirst, ofStranger, holder]) {
      const all = Object.fromEntries(types.map((type) => [type, one.path(type)]));
      await runs(c, { ...usual, ...user, ...all });
    }
    const [network, ipc, uts] = [ofFirst.path("network"), ofStranger.path("ipc"), holder.path("uts")];
    await runs(c, { ...usual, ...user, network, ipc, uts, pid: ofStranger.path("pid"), time: "new" });
    for (const one of [ofFirst, ofStranger]) one.end();
  });

  suite("the clocks of a new time namespace", async (c, user) => {
    const edit = (spec: Spec): void => {
      spec.linux.timeOffsets = { boottime: { secs: 777, nanosecs: 5 }, monotonic: { secs: 3 } };
      if (spec.process.args[0] === "sh") shell(spec, `${probe}; cat /proc/self/timens_offsets`);
    };
    configure(c, { ...usual, ...user, time: "new" }, edit);
    const { stdout } = succeed(await c.run());
    assert.match(stdout.replace(/ +/g, " "), /\nmonotonic 3 0\nboottime 777 5\n$/);
  });
}

// Where the owner is another, nothing could be mounted in it: not by runc either.
for (const [users, owner, works] of [
  ["no", "the first user namespace", true],
  ["no", "a stranger", true],
  ["a new", "the first user namespace", false],
  ["a new", "a stranger", false],
  ["a joined", "the first user namespace", false],
  ["a joined", "a stranger", false],
  ["a joined", "the container", true],
] as const)
  owners(
    `${users} user namespace: mount of ${owner} ${works ? "runs" : "is refused"}`,
    async (c) => {
      const holder = await own();
      const other = owner === "the container" ? holder : await (makers[owner] ?? own)();
      try {
        const user = { no: {}, "a new": { user: "new" }, "a joined": { user: holder.path("user") } }[users];
        const namespaces = { ...usual, ...user, mount: other.path("mount") } as Namespaces;
        if (works) {
          configure(c, namespaces);
          assertWhere(parse(succeed(await c.run())).links, namespaces);
        } else
          await cannot(
            c,
            namespaces,
            `join mount namespace ${other.path("mount")}: EPERM (operation not permitted), asked for by linux.namespaces[3].path (it belongs to another user namespace than the container's, whose root may mount nothing in it)`,
          );
      } finally {
        for (const one of [holder, other]) one.end();
      }
    },
    { needs, runcFails },
  );

owners(
  "names, mounts and sysctls of namespaces that the container's root does not own are refused, each by its field",
  async (c) => {
    const other = await startHolder();
    const edits: readonly (readonly [string, string, (spec: Spec) => void])[] = [
      [
        "uts",
        "sethostname inside: EPERM (operation not permitted), asked for by hostname",
        (spec) => void Object.assign(spec, { hostname: "inside" }),
      ],
      [
        "pid",
        "mount proc on /proc: EPERM (operation not permitted), asked for by mounts[0]",
        (spec) => spec.mounts.splice(0, 1, { destination: "/proc", type: "proc", source: "proc" }),
      ],
      [
        "network",
        "open /proc/sys/net/ipv4/ip_forward: EACCES (permission denied), asked for by linux.sysctl",
        (spec) => void Object.assign(spec.linux, { sysctl: { "net.ipv4.ip_forward": "1" } }),
      ],
    ];
    try {
      for (const [type, error, edit] of edits)
        await cannot(c, { ...usual, user: "new", [type]: other.path(type) }, error, edit);
    } finally {
      other.end();
    }
  },
  { needs, runcFails },
);

/** A user namespace that is joined and has maps of its own, which the configuration does not repeat. */
async function joining(
  maps: Maps,
  body: (namespaces: Namespaces, edit: (spec: Spec) => void) => Promise<void>,
): Promise<void> {
  const holder = await startHolder(maps);
  const edit = (spec: Spec): void => void Object.assign(spec.linux, { uidMappings: [], gidMappings: [] });
  try {
    await body({ ...usual, user: holder.path("user") }, edit);
  } finally {
    holder.end();
  }
}

owners(
  "a user namespace by path that denies setgroups: no groups, and those asked for are no error",
  (c) =>
    joining({ ...mapsFrom(first), denySetgroups: true }, async (namespaces, edit) => {
      assert.match(await runs(c, namespaces, edit), /Uid: 0 0 0 0\nGid: 0 0 0 0\nGroups:$/);
      const rest = await runs(c, namespaces, (spec) => {
        edit(spec);
        spec.process.user = { uid: 1000, gid: 1001, additionalGids: [5] };
      });
      assert.match(rest, /Uid: 1000 1000 1000 1000\nGid: 1001 1001 1001 1001\nGroups:$/);
    }),
  { needs, runcFails },
);

for (const [title, user] of [
  ["without one", {}],
  ["with a new one", { user: "new" }],
] as const)
  owners(
    `a runtime in a user namespace that denies setgroups: a container ${title}`,
    async (c) => {
      configure(c, { ...usual, ...user }, (spec) => {
        const maps = [{ containerID: 0, hostID: 0, size: 1 }];
        if ("user" in user) Object.assign(spec.linux, { uidMappings: maps, gidMappings: maps });
        spec.process.user = { uid: 0, gid: 0, additionalGids: [7] };
      });
      chownSync(c.rootfs, 0, 0);
      const inside = [
        "unshare",
        "-U",
        "--map-root-user",
        "-m",
        "-p",
        "--fork",
        "--mount-proc",
        "--kill-child",
      ];
      const by = (runtime: string, root: string) =>
        runCommand([...inside, runtime, "--root", root, "run", "--bundle", c.bundle, c.id]);
      const ours = parse(succeed(await by(runtimePath, c.root)));
      assert.match(ours.rest, /Uid: 0 0 0 0\nGid: 0 0 0 0\nGroups:$/);
      if (findCommand("runc") === undefined) return;
      assert.is(ours.rest, parse(succeed(await by(runcPath(), join(c.dir, "oracle-state")))).rest);
    },
    { needs, runcFails },
  );

owners(
  "nor do the caller's groups come along into it",
  (c) =>
    joining({ ...mapsFrom(first), denySetgroups: true }, async (namespaces, edit) => {
      configure(c, namespaces, (spec) => {
        edit(spec);
        spec.process.args = ["sleep", "60"];
      });
      const withGroups = (...words: string[]) =>
        runCommand(["setpriv", "--groups", "4,20", runtimePath, "--root", c.root, ...words]);
      succeed(await withGroups("run", "--detach", "--bundle", c.bundle, c.id));
      const groups = "grep Groups /proc/1/status /proc/self/status | cut -d: -f 3 | tr -d '[:space:]'";
      assert.is(succeed(await withGroups("exec", c.id, "sh", "-c", groups)).stdout, "");
    }),
  { needs: [...needs, "setpriv"], runcFails },
);

for (const [title, maps, kind] of [
  ["without a map of groups", { uid: `0 ${first} 65536` }, "gid"],
  ["without maps", {}, "gid"],
  ["without a root of groups", { uid: "0 0 10", gid: "1000 1000 1" }, "gid"],
  ["without a root", { uid: "1000 1000 1", gid: "0 0 10" }, "uid"],
] as const)
  owners(
    `a user namespace by path ${title} is refused`,
    (c) =>
      joining(maps, async (namespaces, edit) => {
        configure(c, namespaces, edit);
        const problem = `user namespaces enabled, but no mapping found for ${kind} 0`;
        refuse(await c.run(), `${problem}, asked for by linux.namespaces[5].path`);
        if (findCommand("runc") !== undefined) assert.is.not((await byRunc(c)).status, 0, "runc runs it");
      }),
    { needs, runcFails },
  );

owners(
  "a new user namespace without a root is refused",
  async (c) => {
    const maps = [{ containerID: 1000, hostID: first, size: 10 }];
    configure(c, { ...usual, user: "new" }, (spec) => Object.assign(spec.linux, { uidMappings: maps }));
    refuse(
      await c.run(),
      "user namespaces enabled, but no mapping found for uid 0, asked for by linux.uidMappings",
    );
  },
  { runcFails },
);

owners(
  "a user namespace by path that is the runtime's own, and a pid namespace above it, are refused",
  async (c) => {
    configure(c, { ...usual, user: "/proc/self/ns/user" }, (spec) =>
      Object.assign(spec.linux, { uidMappings: [], gidMappings: [] }),
    );
    refuse(
      await c.run(),
      "join user namespace /proc/self/ns/user: EINVAL (invalid argument), asked for by linux.namespaces[5].path (it is the one that the runtime is in already: leave it out)",
    );
    configure(c, { ...usual, pid: `/proc/${process.pid}/ns/pid` });
    const inside = ["unshare", "-p", "--fork", "--kill-child", runtimePath, "--root", c.root];
    refuse(
      await runCommand([...inside, "run", "--bundle", c.bundle, c.id]),
      `join pid namespace /proc/${process.pid}/ns/pid: EINVAL (invalid argument), asked for by linux.namespaces[4].path (it is neither the runtime's own nor below that)`,
    );
  },
  { needs, runcFails },
);

owners.run();
