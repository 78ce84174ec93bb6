// The same cases for the five modes of mode.ts (modes_root.test.ts, modes_user.test.ts). What a mode cannot do is said with the case, and is one error there.
import "../bun_host.ts";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import type { ModeName } from "../mode.ts";
import { withTerminal } from "../pty.ts";
import { type Spec, shell } from "../spec.ts";

type Case = {
  readonly title: string;
  readonly edit?: (spec: Spec, c: Fixture) => void;
  readonly script: string;
  readonly shows: RegExp;
  /** The error that it is in these modes. */
  readonly refusedIn?: { readonly modes: readonly ModeName[]; readonly says: string };
};

const users: readonly ModeName[] = ["user, newuidmap", "user, one id"];
const capabilities = ["CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SYS_ADMIN"];

const cases: readonly Case[] = [
  {
    title: "namespaces, root inside, nothing of the caller's",
    script:
      "id -u; id -g; hostname; echo $$; ls /proc/self/fd | tr '\\n' ' '; env | sort | cut -d= -f1 | tr '\\n' ' '",
    shows: /^0\n0\nconformance\n1\n0 1 2 3 HOME PATH PWD SHLVL TERM $/,
  },
  {
    title: "file systems: tmpfs, mqueue, devpts, shm, a bind of a directory and of a file, read-only ones",
    edit: (spec, c) => {
      const volume = join(c.dir, "volume");
      mkdirSync(volume);
      writeFileSync(join(volume, "file"), "content\n");
      spec.mounts.push(
        { destination: "/mnt/t", type: "tmpfs", source: "tmpfs", options: ["size=64k", "noexec"] },
        { destination: "/mnt/d", source: volume, options: ["rbind", "ro"] },
        { destination: "/mnt/f", source: join(volume, "file"), options: ["bind"] },
      );
      spec.root.readonly = false;
    },
    script:
      "cat /mnt/d/file /mnt/f; touch /mnt/t/x /dev/shm/x && echo t; touch /mnt/d/x || echo ro; for d in /proc /dev /dev/pts /dev/mqueue /sys /mnt/t; do stat -f -c %T $d; done",
    shows: /^content\ncontent\nt\nro\nproc\ntmpfs\n(devpts|UNKNOWN)\n(mqueue|UNKNOWN)\nsysfs\ntmpfs\n$/,
  },
  {
    title: "devices work, and are the host's",
    script:
      "echo x >/dev/null; head -c 4 /dev/zero | wc -c; head -c 2 /dev/urandom | wc -c; echo x 2>&1 >/dev/full; stat -c %t:%T /dev/null /dev/tty; readlink /dev/ptmx; readlink /dev/fd",
    shows: /^4\n2\n.*No space left on device\n1:3\n5:0\npts\/ptmx\n\/proc\/self\/fd\n$/,
  },
  {
    title: "masked and read-only paths, a read-only root",
    script:
      "wc -c </proc/timer_list; ls /proc/scsi 2>/dev/null | wc -l; echo 1 2>&1 >/proc/sys/vm/swappiness; touch /x 2>&1; true",
    shows: /^0\n0\n.*Read-only file system\n.*Read-only file system\n$/,
  },
  {
    title: "capabilities, no new privileges, limits, umask, directory, a raised OOM score",
    edit: ({ process }) => {
      process.capabilities = { bounding: capabilities, effective: capabilities, permitted: capabilities };
      process.rlimits = [{ type: "RLIMIT_NOFILE", hard: 200, soft: 100 }];
      Object.assign(process, { cwd: "/usr/bin", oomScoreAdj: 321 });
      process.user.umask = 0o27;
    },
    script:
      "grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)|NoNew' /proc/self/status | cut -f2 | tr '\\n' ' '; ulimit -Sn; ulimit -Hn; umask; pwd; cat /proc/self/oom_score_adj",
    shows: /^0{16} 0{10}200420 0{10}200420 0{10}200420 0{16} 1 100\n200\n0027\n\/usr\/bin\n321\n$/,
  },
  {
    title: "a seccomp filter, with and without no new privileges",
    edit: (spec) => {
      spec.process.noNewPrivileges = false;
      spec.linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 38 }],
      };
    },
    script: "mkdir /tmp/x 2>&1; grep Seccomp: /proc/self/status",
    shows: /Function not implemented\nSeccomp:\t2\n$/,
  },
  {
    title: "sysctls of its own namespaces, loopback up",
    edit: (spec) => {
      spec.linux.sysctl = { "net.ipv4.ip_forward": "1", "kernel.msgmax": "4096" };
    },
    script:
      "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax; cat /sys/class/net/lo/flags; ls /sys/class/net",
    shows: /^1\n4096\n0x9\nlo\n$/,
  },
  {
    title: "another user with groups",
    edit: (spec) => {
      spec.process.user = { uid: 1000, gid: 1001, additionalGids: [5, 6] };
    },
    script: "id -u; id -g; grep Groups /proc/self/status",
    shows: /^1000\n1001\nGroups:\t5 6 \n$/,
    refusedIn: { modes: ["user, one id"], says: "cannot set any additional groups in a rootless container" },
  },
  {
    title: "another user, whom one id does not reach",
    edit: (spec) => {
      spec.process.user = { uid: 1000, gid: 0 };
    },
    script: "id -u",
    shows: /^1000\n$/,
    refusedIn: { modes: ["user, one id"], says: "cannot setuid to unmapped uid 1000 in user namespace" },
  },
  {
    title: "cgroups in a namespace of their own",
    edit: (spec) => {
      spec.linux.namespaces.push({ type: "cgroup" });
    },
    script: "cut -d: -f3 /proc/self/cgroup | sort -u; mkdir /sys/fs/cgroup/x 2>&1; true",
    shows: /^\/\n.*(Read-only file system|Permission denied)\n$/,
  },
  {
    title: "a limit",
    edit: (spec) => {
      spec.linux.resources = { pids: { limit: 50 } };
    },
    script: "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true",
    shows: /^50\n$/,
    refusedIn: { modes: users, says: "cannot set pids limit: container could not join or create cgroup" },
  },
  {
    title: "an id-mapped mount",
    edit: (spec, c) => {
      const volume = join(c.dir, "volume");
      mkdirSync(volume);
      const maps = [{ containerID: 0, hostID: 4000, size: 10 }];
      const mount = { destination: "/mnt", type: "bind", source: volume, options: ["bind"] };
      spec.mounts.push({ ...mount, uidMappings: maps, gidMappings: maps });
    },
    script: "grep -c ' /mnt .*idmapped' /proc/self/mountinfo",
    shows: /^1\n$/,
    refusedIn: {
      modes: users,
      says: "EPERM (operation not permitted), asked for by mounts[7] (it takes CAP_SYS_ADMIN in the user namespace",
    },
  },
];

/** One that is to be looked at from outside, running. */
async function started(c: Fixture): Promise<void> {
  c.configure((spec) => shell(spec, "trap 'exit 3' TERM; while :; do sleep 0.05; done"));
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id], { stdin: "" }));
}

/** Runs them all in a mode. */
export function runIn(mode: ModeName): void {
  const suite = conformance("modes", mode);
  const isUser = users.includes(mode);

  for (const { title, edit, script, shows, refusedIn } of cases)
    suite(title, async (c) => {
      c.configure((spec) => {
        shell(spec, script);
        edit?.(spec, c);
      });
      const result = await c.run();
      if (refusedIn?.modes.includes(mode)) refuse(result, refusedIn.says);
      else assert.match(succeed(result).stdout, shows);
    });

  suite("create, start, state, list, kill, delete", async (c) => {
    c.configure((spec) => shell(spec, "sleep 60"));
    const status = async () => (await c.state()).status;
    succeed(await c.create());
    assert.is(await status(), "created");
    succeed(await c.runt(["start", c.id]));
    assert.is(await status(), "running");
    assert.is(succeed(await c.runt(["list", "-q"])).stdout, `${c.id}\n`);
    refuse(await c.runt(["delete", c.id]), "that is not stopped");
    succeed(await c.runt(["kill", c.id, "KILL"]));
    assert.ok(await eventually(async () => (await status()) === "stopped"));
    succeed(await c.runt(["delete", c.id]));
    refuse(await c.runt(["state", c.id]), "does not exist");
  });

  suite("exec: its streams, user, directory and status", async (c) => {
    await started(c);
    const script = "id -u; pwd; cat; cat /proc/1/cmdline | tr '\\0' ' ' | cut -c1-10; exit 7";
    const result = await c.runt(["exec", "--cwd", "/usr", c.id, "sh", "-c", script], { stdin: "input\n" });
    assert.is(result.stdout, "0\n/usr\ninput\nsh -c trap\n");
    assert.is(result.status, 7);
    const other = await c.runt(["exec", "--user", "1000", c.id, "id", "-u"]);
    if (mode === "user, one id") refuse(other, "cannot setuid to unmapped uid 1000");
    else assert.is(succeed(other).stdout, "1000\n");
  });

  suite("a signal reaches the process, whose status is kept until delete", async (c) => {
    await started(c);
    succeed(await c.runt(["kill", c.id, "TERM"]));
    assert.ok(await eventually(async () => (await c.state()).status === "stopped"));
    succeed(await c.runt(["delete", c.id]));
  });

  suite("pause, resume, update and ps, or one error where there is no cgroup", async (c) => {
    await started(c);
    const none = "the container has no cgroup: there was no permission to make one";
    if (isUser) for (const command of ["pause", "ps"]) refuse(await c.runt([command, c.id]), none);
    else {
      succeed(await c.runt(["pause", c.id]));
      assert.is((await c.state()).status, "paused");
      succeed(await c.runt(["resume", c.id]));
      succeed(await c.runt(["update", "--pids-limit", "20", c.id]));
      const pids = JSON.parse(succeed(await c.runt(["ps", "--format", "json", c.id])).stdout) as number[];
      assert.ok(pids.includes((await c.state()).pid));
    }
    succeed(await c.runt(["delete", "--force", c.id]));
  });

  suite("hooks of every kind, in their order", async (c) => {
    const log = join(c.dir, "volume");
    const kinds = [
      "prestart",
      "createRuntime",
      "createContainer",
      "startContainer",
      "poststart",
      "poststop",
    ] as const;
    mkdirSync(log);
    writeFileSync(join(log, "log"), "");
    // Hooks run as root of either side.
    chmodSync(join(log, "log"), 0o666);
    c.configure((spec) => {
      spec.mounts.push({ destination: "/mnt", source: log, options: ["rbind"] });
      shell(spec, "exit 0");
      const hook = (kind: string) => {
        const where = kind === "startContainer" ? "/mnt" : log;
        return [{ path: "/bin/sh", args: ["sh", "-c", `cat >/dev/null; echo ${kind} >>${where}/log`] }];
      };
      spec.hooks = Object.fromEntries(kinds.map((kind) => [kind, hook(kind)]));
    });
    succeed(await c.run());
    const told = readFileSync(join(log, "log"), "utf8").trim().split("\n");
    assert.equal(
      told.filter((kind) => kind !== "poststart"),
      kinds.filter((kind) => kind !== "poststart"),
    );
    assert.ok(told.includes("poststart"));
  });

  suite(
    "a bind mount without what is mounted below its source",
    async (c) => {
      const volume = join(c.dir, "volume");
      mkdirSync(join(volume, "below"), { recursive: true });
      c.configure((spec) => {
        spec.mounts.push({ destination: "/mnt", source: volume, type: "bind", options: ["bind"] });
        shell(spec, "grep -c ' /mnt/below ' /proc/self/mountinfo; ls /mnt");
      });
      const mount = `mount -t tmpfs below ${volume}/below; exec "$@"`;
      const run = c.command(["run", "--bundle", c.bundle, c.id]);
      const result = await runCommand(["unshare", "-m", "sh", "-ec", mount, "sh", ...run]);
      if (isUser)
        refuse(result, "EINVAL (invalid argument), asked for by mounts[7] (what is mounted below it");
      else assert.is(succeed(result).stdout, "0\nbelow\n");
    },
    {
      needs: ["unshare", "mount"],
      ...(mode === "in a container" && { lacks: "the commands of this mode see other mounts" }),
    },
  );

  suite("a failed start leaves nothing", async (c) => {
    c.configure((spec) => {
      spec.mounts.push({ destination: "/mnt", source: join(c.dir, "missing"), options: ["bind"] });
    });
    refuse(await c.create(), "ENOENT");
    assert.not(existsSync(join(c.root, c.id)));
  });

  suite(
    "a terminal",
    async (c) => {
      c.configure((spec) => {
        spec.process.terminal = true;
        shell(spec, "tty; stty size; test -t 2 && echo yes");
      });
      await withTerminal({ rows: 20, columns: 60 }, async ({ screen, start }) => {
        const { status } = start(c.command(["run", "--bundle", c.bundle, c.id]));
        await screen.shows("yes");
        assert.is(await status, 0);
        assert.match(screen.output, /\/dev\/pts\/0\r\n20 60\r\nyes/);
      });
    },
    mode === "in a container" ? { lacks: "the commands of this mode have no terminal" } : {},
  );

  suite.run();
}
