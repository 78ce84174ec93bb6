// An ordinary user who runs the runtime directly: where state is, which ids can be mapped, what is refused and how.
import { chownSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { USER } from "../mode.ts";
import { runtimePath } from "../needs.ts";
import { type IDMapping, type Spec, shell, withoutMounts } from "../spec.ts";

const one = conformance("an ordinary user", "user, one id");
const many = conformance("an ordinary user", "user, newuidmap");

const mappings = (spec: Spec, uids: IDMapping[], gids = uids): void => {
  spec.linux.namespaces.push({ type: "user" });
  Object.assign(spec.linux, { uidMappings: uids, gidMappings: gids });
};
/** A group of the host that is nobody's. */
const GROUP = 4242;
const own: IDMapping = { containerID: 0, hostID: USER, size: 1 };

/** Without --root. */
function byDefault(c: Fixture, words: readonly string[], env: Record<string, string>) {
  const argv = c.command(words).filter((word) => word !== "--root" && word !== c.root);
  return runCommand(argv, { env: { PATH: process.env.PATH ?? "", ...env } });
}

one("state is in $XDG_RUNTIME_DIR, in a directory of its own that is sticky", async (c) => {
  const runtime = join(c.dir, "runtime");
  mkdirSync(runtime);
  chownSync(runtime, USER, USER);
  const env = { XDG_RUNTIME_DIR: runtime };
  c.configure((spec) => shell(spec, "sleep 60"));
  succeed(await byDefault(c, ["run", "--detach", "--bundle", c.bundle, c.id], env));
  assert.is(statSync(join(runtime, basename(runtimePath))).mode & 0o7777, 0o1700);
  assert.match(succeed(await byDefault(c, ["list"], env)).stdout, new RegExp(`${c.id}.* nobody\\n`));
  succeed(await byDefault(c, ["delete", "--force", c.id], env));
});

one("commands that are sealed late find it as well: start, ps and delete with hooks", async (c) => {
  const runtime = join(c.dir, "runtime");
  mkdirSync(runtime);
  chownSync(runtime, USER, USER);
  const env = { XDG_RUNTIME_DIR: runtime };
  const hook = (name: string) => [{ path: "/bin/sh", args: ["sh", "-c", `echo ${name} >>${runtime}/log`] }];
  c.configure((spec) => {
    shell(spec, "sleep 60");
    spec.hooks = { poststart: hook("poststart"), poststop: hook("poststop") };
  });
  succeed(await byDefault(c, ["create", "--bundle", c.bundle, c.id], env));
  succeed(await byDefault(c, ["start", c.id], env));
  refuse(await byDefault(c, ["ps", c.id], env), /no cgroup|unable to get all container pids/);
  succeed(await byDefault(c, ["delete", "--force", c.id], env));
  assert.is(readFileSync(join(runtime, "log"), "utf8"), "poststart\npoststop\n");
});

one(
  "root of a user namespace has it there too, unless $USER is root",
  async (c) => {
    const env = { XDG_RUNTIME_DIR: join(c.dir, "runtime") };
    const asked = async (more: Record<string, string>): Promise<string> => {
      const words = ["--trace", "-", "state", "x"];
      const argv = ["unshare", "-Ur", ...c.command(words)].filter(
        (word) => word !== "--root" && word !== c.root,
      );
      const setpriv = argv.indexOf("setpriv");
      argv.splice(setpriv, argv.findIndex((word) => word.endsWith("/runt")) - setpriv);
      return (await runCommand(argv, { env: { PATH: process.env.PATH ?? "", ...env, ...more } })).stderr;
    };
    assert.match(await asked({ USER: "user" }), `${c.dir}/runtime/runt/x`);
    assert.match(await asked({}), `${c.dir}/runtime/runt/x`);
    assert.match(await asked({ USER: "root" }), /openat[^\n]* "?\/run\/runt\/x/);
  },
  { needs: ["unshare"], runcFails: "--trace is runt's" },
);

one(
  "without $XDG_RUNTIME_DIR there is no place for it, which is said",
  async (c) => {
    refuse(
      await byDefault(c, ["run", "--bundle", c.bundle, c.id], {}),
      /(mkdir|open) \/run\/runt: EACCES \(permission denied\) \(an ordinary user keeps containers in \$XDG_RUNTIME_DIR/,
    );
  },
  { runcFails: "the words are runt's" },
);

one("the own id alone needs no help, and setgroups is denied", async (c) => {
  c.configure((spec) =>
    shell(spec, "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; id -u; id -g"),
  );
  assert.match(
    succeed(await c.run()).stdout,
    new RegExp(`^ +0 +${USER} +1\\n +0 +${USER} +1\\ndeny\\n0\\n0\\n$`),
  );
});

one("additional groups are refused where they cannot be had, also for exec", async (c) => {
  c.configure((spec) => {
    spec.process.user.additionalGids = [5];
  });
  refuse(await c.run(), "cannot set any additional groups in a rootless container");
  c.configure((spec) => shell(spec, "sleep 60"));
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
  const groups = ["exec", "--additional-gids", "5", c.id, "true"];
  refuse(await c.runt(groups), "cannot set any additional groups in a rootless container");
});

one("a user namespace is needed, with maps of both kinds", async (c) => {
  c.configure();
  const spec = JSON.parse(readFileSync(join(c.bundle, "config.json"), "utf8")) as Spec;
  const { namespaces } = spec.linux;
  const without = namespaces.filter(({ type }) => type !== "user");
  for (const [linux, text] of [
    [{ namespaces: without }, "rootless container requires user namespaces"],
  ] as const) {
    const { uidMappings: _, gidMappings: __, ...rest } = spec.linux as Record<string, unknown>;
    await Bun.write(join(c.bundle, "config.json"), JSON.stringify({ ...spec, linux: { ...rest, ...linux } }));
    refuse(await c.run(), text);
  }
});

one("the owner of a new file system must be mapped", async (c) => {
  c.configure((spec) => {
    spec.mounts.push({ destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["gid=5"] });
  });
  refuse(await c.run(), "cannot specify gid=5 mount option for rootless container");
});

for (const [title, says, uids] of [
  [
    "that is somebody else's",
    "linux.uidMappings[1]: newuidmap: uid range [1-11) -> [500000-500010) not allowed; what a user may map is in /etc/subuid",
    [own, { containerID: 1, hostID: 500_000, size: 10 }],
  ],
  [
    "that is root's",
    "linux.uidMappings[0]: newuidmap: uid range [0-1) -> [0-1) not allowed",
    [{ containerID: 0, hostID: 0, size: 1 }],
  ],
] as const)
  many(
    `a range of ids ${title} is named`,
    async (c) => {
      c.configure((spec) => {
        mappings(spec, [...uids], [own]);
        withoutMounts(spec, "/dev/pts");
      });
      refuse(await c.run(), says);
    },
    { runcFails: "the words are runt's" },
  );

many(
  "newuidmap is looked for in no directory of $PATH",
  async (c) => {
    const bin = join(c.dir, "bin");
    mkdirSync(bin);
    await Bun.write(join(bin, "newuidmap"), "#!/bin/sh\ntouch /tmp/run-by-path\nexit 1\n");
    await Bun.spawn(["chmod", "755", join(bin, "newuidmap")]).exited;
    c.configure((spec) => shell(spec, "wc -l </proc/self/uid_map"));
    const env = { PATH: `${bin}:${process.env.PATH}` };
    assert.is(succeed(await c.run({ env })).stdout, "2\n");
  },
  { runcFails: "runc takes it from $PATH" },
);

many(
  "additional groups are set where they are mapped",
  async (c) => {
    c.configure((spec) => {
      spec.process.user.additionalGids = [5, 6];
      shell(spec, "cat /proc/self/setgroups; grep Groups /proc/self/status");
    });
    assert.is(succeed(await c.run()).stdout, "allow\nGroups:\t5 6 \n");
  },
  { runcFails: "runc has none for an ordinary user" },
);

many(
  "the caller's groups are kept where the annotation says so, also for exec",
  async (c) => {
    const groups = "grep Groups /proc/self/status | tr -s '\\t ' ' '";
    c.configure((spec) => {
      spec.annotations = { "run.oci.keep_original_groups": "1" };
      shell(spec, `${groups}; sleep 60`);
    });
    const withGroup = (words: readonly string[]) =>
      c.command(words).map((word) => (word === "--clear-groups" ? `--groups=${GROUP}` : word));
    const out = join(c.dir, "out");
    const start = withGroup(["run", "--detach", "--bundle", c.bundle, c.id]);
    succeed(await runCommand(start, { stdout: out }));
    assert.ok(await eventually(() => readFileSync(out, "utf8") !== ""));
    // One that is not mapped shows as the overflow id.
    assert.is(readFileSync(out, "utf8"), "Groups: 65534 \n");
    const exec = await runCommand(withGroup(["exec", c.id, "sh", "-c", groups]));
    assert.is(succeed(exec).stdout, "Groups: 65534 \n");
    succeed(await c.runt(["delete", "--force", c.id]));
    c.configure((spec) => shell(spec, groups));
    const without = await runCommand(withGroup(["run", "--bundle", c.bundle, c.id]));
    assert.is(succeed(without).stdout, "Groups: \n");
  },
  { runcFails: "it is crun's" },
);

many(
  "340 mappings are written, one more is refused, and neighbours are one",
  async (c) => {
    const spread = (count: number): IDMapping[] =>
      Array.from({ length: count }, (_, i) => ({
        containerID: 2 * i,
        hostID: i === 0 ? USER : 300_000 + 2 * i,
        size: 1,
      }));
    const lines = async (uids: IDMapping[]) => {
      c.configure((spec) => {
        mappings(spec, uids, [own]);
        withoutMounts(spec, "/dev/pts");
        shell(spec, "wc -l </proc/self/uid_map");
      });
      return c.run();
    };
    // As many as a page takes of such numbers.
    assert.is(succeed(await lines(spread(250))).stdout, "250\n");
    refuse(
      await lines(spread(341)),
      /linux\.uidMappings: 341 lines of \d+ bytes; the kernel takes 340 and 4095/,
    );
    const neighbours = Array.from({ length: 1000 }, (_, i) => ({
      containerID: 1 + i,
      hostID: 300_000 + i,
      size: 1,
    }));
    assert.is(succeed(await lines([own, ...neighbours])).stdout, "2\n");
  },
  { runcFails: "runc has room for twenty words of newuidmap" },
);

one(
  "a container without a cgroup: what needs one says so",
  async (c) => {
    c.configure((spec) => shell(spec, "sleep 60"));
    succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
    const none = "the container has no cgroup: there was no permission to make one when it was created";
    for (const command of ["pause", "ps"]) refuse(await c.runt([command, c.id]), none);
    refuse(await c.runt(["events", "--stats", c.id]), none);
    refuse(
      await c.runt(["update", "--pids-limit", "5", c.id]),
      "cannot set pids limit: container could not join or create cgroup",
    );
    succeed(await c.runt(["kill", c.id, "KILL"]));
  },
  { runcFails: "the words are runt's" },
);

one(
  "a limit that cannot be had is an error, and so is a cgroup that was asked for",
  async (c) => {
    c.configure((spec) => {
      spec.linux.resources = { pids: { limit: 5 } };
    });
    refuse(await c.run(), "cannot set pids limit: container could not join or create cgroup");
    c.configure((spec) => {
      spec.linux.cgroupsPath = `/${c.id}`;
    });
    refuse(await c.run(), /(mkdir|open|write) \/sys\/fs\/cgroup\/.*: (EACCES|EPERM|EROFS)/);
  },
  { runcFails: "the words are runt's" },
);

one(
  "a score for the OOM killer: one may be raised, and is never passed over",
  async (c) => {
    const scored = (oomScoreAdj: number): Promise<import("../command.ts").Result> => {
      c.configure((spec) => {
        spec.process.oomScoreAdj = oomScoreAdj;
        shell(spec, "cat /proc/self/oom_score_adj");
      });
      return c.run();
    };
    assert.is(succeed(await scored(321)).stdout, "321\n");
    refuse(await scored(-500), "process.oomScoreAdj (lowering it needs CAP_SYS_RESOURCE)");
  },
  { runcFails: "the words are runt's" },
);

one("exec, as the root inside and with other streams and limits", async (c) => {
  c.configure((spec) => shell(spec, "sleep 60"));
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
  const script = "id -u; ls /proc/self/fd; cat /proc/1/cmdline | tr '\\0' ' '";
  const { stdout } = succeed(await c.runt(["exec", c.id, "sh", "-c", script]));
  assert.is(stdout, "0\n0\n1\n2\n3\nsleep 60 ");
  assert.is((await c.runt(["exec", c.id, "sh", "-c", "exit 9"])).status, 9);
});

one.run();
many.run();
