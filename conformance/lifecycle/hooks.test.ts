// Hooks of all six kinds. runc 1.1.5 follows runtime-spec 1.0; where 1.3 says otherwise the test says so.
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { type ContainerState, conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { isAlive } from "../inspect.ts";
import { type Hook, type HookKind, shell } from "../spec.ts";

const hooks = conformance("hooks");

const kinds: readonly HookKind[] = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
];
/** These run in the runtime's own mount namespace, so they find the host's files. */
const onHost = kinds.filter((kind) => kind !== "startContainer");

const log = (c: Fixture): string =>
  existsSync(join(c.dir, "log")) ? readFileSync(join(c.dir, "log"), "utf8") : "";

/** A hook that runs shell text on the host; `$LOG` is in place of the log's path. */
const hook = (c: Fixture, text: string, more: Partial<Hook> = {}): Hook => ({
  path: "/bin/sh",
  args: ["sh", "-c", text.replaceAll("$LOG", join(c.dir, "log"))],
  ...more,
});

const lifetime = async (c: Fixture): Promise<void> => {
  succeed(await c.create());
  succeed(await c.runt(["start", c.id]));
  succeed(await c.deleteForce());
};

hooks(
  "all six run, in the order of the specification",
  async (c) => {
    c.configure((spec) => {
      spec.root.readonly = false;
      spec.mounts.push({ destination: "/log", type: "bind", source: c.dir, options: ["rbind", "rw"] });
      spec.hooks = Object.fromEntries(
        kinds.map((kind) => {
          const at = kind === "startContainer" ? "/log/log" : join(c.dir, "log");
          const run = (n: number): Hook => ({
            path: "/bin/sh",
            args: ["sh", "-c", `echo ${kind} ${n} >> ${at}`],
          });
          return [kind, [run(1), run(2)]];
        }),
      );
      shell(spec, "exec sleep 60");
    });
    await lifetime(c);
    assert.equal(
      log(c).trim().split("\n"),
      kinds.flatMap((kind) => [`${kind} 1`, `${kind} 2`]),
    );
  },
  { runcMayFail: "runc 1.1.5 does not wait for startContainer hooks before it runs poststart hooks" },
);

for (const kind of onHost)
  hooks(
    `${kind} [environment as declared, state on stdin]`,
    async (c) => {
      c.configure((spec) => {
        spec.process.env = ["PATH=/bin", "LD_PRELOAD=/evil.so", "FROM_IMAGE=1"];
        spec.annotations = { color: "blue" };
        const env = ["ONLY=this", "PATH=/usr/bin:/bin"];
        spec.hooks = { [kind]: [hook(c, "/usr/bin/env > $LOG; cat > $LOG.state; exit 0", { env })] };
        shell(spec, "exec sleep 60");
      });
      succeed(await c.create());
      const { pid } = await c.state();
      succeed(await c.runt(["start", c.id]));
      succeed(await c.deleteForce());
      const names = log(c)
        .trim()
        .split("\n")
        .map((line) => line.split("=")[0] ?? "")
        .filter((name) => !["PWD", "SHLVL", "_", "OLDPWD"].includes(name)); // the shell's own
      assert.equal(names.sort(), ["ONLY", "PATH"]);
      const state = JSON.parse(readFileSync(join(c.dir, "log.state"), "utf8")) as ContainerState;
      assert.is(state.id, c.id);
      assert.is(state.bundle, c.bundle);
      assert.equal(state.annotations, { color: "blue" });
      assert.match(state.ociVersion, /^1\./);
      const status: Partial<Record<HookKind, RegExp>> = { poststart: /^running$/, poststop: /^stopped$/ };
      assert.match(state.status, status[kind] ?? /^creat(ing|ed)$/);
      if (kind !== "poststop") assert.ok(state.pid === pid || kind === "createContainer");
    },
    kind === "poststart"
      ? { runcMayFail: "runc 1.1.5 may tell a poststart hook that the container is created" }
      : {},
  );

for (const kind of onHost.filter((kind) => kind !== "createContainer"))
  hooks(`${kind} [no environment declared: all of the caller's; an empty one: none]`, async (c) => {
    c.configure((spec) => {
      spec.process.env = ["PATH=/bin", "FROM_IMAGE=1"];
      const dump = (name: string) => hook(c, `cat /proc/$$/environ >${join(c.dir, name)}`);
      spec.hooks = { [kind]: [dump("none"), { ...dump("empty"), env: [] }] };
      shell(spec, "exec sleep 60");
    });
    const env = { PATH: process.env.PATH ?? "", CALLER: "a\nb", ODD: "=", XDG_RUNTIME_DIR: "/tmp" };
    succeed(await c.create({ env }));
    succeed(await c.runt(["start", c.id], { env }));
    succeed(await c.runt(["delete", "--force", c.id], { env }));
    assert.is(readFileSync(join(c.dir, "empty"), "utf8"), "");
    const got = readFileSync(join(c.dir, "none"), "utf8")
      .split("\0")
      .filter((entry) => entry !== "");
    assert.equal(
      got.sort(),
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}`)
        .sort(),
    );
  });

hooks(
  "createContainer [no environment declared: none, as the image could have its say in that of the process]",
  async (c) => {
    c.configure((spec) => {
      spec.process.env = ["PATH=/bin", "LD_PRELOAD=/evil.so"];
      spec.hooks = { createContainer: [hook(c, "cat /proc/self/environ >$LOG")] };
    });
    await lifetime(c);
    assert.not.match(log(c), /PATH|LD_PRELOAD/);
  },
  { runcFails: "runc 1.1.5 gives it the environment of the process" },
);

hooks(
  "createContainer [its directory is the root file system, its umask the caller's, its cgroups the container's]",
  async (c) => {
    c.configure((spec) => {
      spec.hooks = { createContainer: [hook(c, "pwd >$LOG; umask >>$LOG; cat /proc/self/cgroup >>$LOG")] };
    });
    await lifetime(c);
    const [directory, umask, ...cgroups] = log(c).trim().split("\n");
    assert.is(directory, c.rootfs);
    assert.is(umask, `0${process.umask().toString(8).padStart(3, "0")}`);
    // A hierarchy that is mounted nowhere, as one is for a while after it was unmounted, cannot be entered.
    const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    const entered = cgroups.filter((line) => {
      const controllers = line.split(":")[1] ?? "";
      const type = controllers === "" ? " - cgroup2 " : " - cgroup ";
      return mounts.some((mount) => mount.includes(type) && mount.endsWith(controllers));
    });
    assert.ok(entered.length > 0);
    for (const line of entered) assert.match(line, c.token);
  },
);

hooks(
  "startContainer [no environment declared: that of the process; an empty one: none]",
  async (c) => {
    c.configure((spec) => {
      spec.root.readonly = false;
      spec.process.env = ["PATH=/bin", "FROM_IMAGE=1"];
      const show = (file: string) => ["sh", "-c", `tr '\\0' '\\n' < /proc/$$/environ | sort > /${file}`];
      spec.hooks = {
        startContainer: [
          { path: "/bin/sh", args: show("inherited") },
          { path: "/bin/busybox", args: ["busybox", ...show("empty")], env: [] },
        ],
      };
    });
    await lifetime(c);
    const read = (file: string): string => readFileSync(join(c.rootfs, file), "utf8");
    assert.is(read("inherited"), "FROM_IMAGE=1\nHOME=/root\nPATH=/bin\n");
    assert.is(read("empty"), "");
  },
  { runcMayFail: "runc 1.1.5 does not wait for startContainer hooks" },
);

hooks("the working directory of hooks of the runtime is the bundle", async (c) => {
  c.configure((spec) => {
    spec.hooks = Object.fromEntries(
      (["prestart", "createRuntime"] as const).map((kind) => [kind, [hook(c, "pwd -P >> $LOG")]]),
    );
  });
  await lifetime(c);
  assert.is(log(c), `${c.bundle}\n`.repeat(2));
});

hooks("createRuntime runs in the host's mount namespace, createContainer in the container's", async (c) => {
  c.configure((spec) => {
    const read = (name: string) => hook(c, `readlink /proc/self/ns/mnt > $LOG.${name}`);
    spec.hooks = { createRuntime: [read("runtime")], createContainer: [read("container")] };
  });
  succeed(await c.create());
  const { pid } = await c.state();
  const text = (name: string) => readFileSync(join(c.dir, `log.${name}`), "utf8").trim();
  assert.is(text("runtime"), readlinkSync("/proc/self/ns/mnt"));
  assert.is(text("container"), readlinkSync(`/proc/${pid}/ns/mnt`));
});

for (const kind of ["prestart", "createRuntime", "createContainer"] as const)
  hooks(`${kind} [fails: create fails, the process never runs, poststop does]`, async (c) => {
    c.configure((spec) => {
      spec.hooks = { [kind]: [hook(c, "exit 3")], poststop: [hook(c, "echo poststop >> $LOG")] };
    });
    refuse(await c.create(), /exit status 3|exited with 3/);
    refuse(await c.runt(["state", c.id]), "does not exist");
    assert.is(log(c), "poststop\n");
  });

hooks("startContainer [fails: the process never runs]", async (c) => {
  c.configure((spec) => {
    spec.root.readonly = false;
    spec.hooks = { startContainer: [{ path: "/bin/false", args: ["false"] }] };
    shell(spec, "touch /ran");
  });
  succeed(await c.create());
  const { pid } = await c.state();
  await c.runt(["start", c.id]);
  assert.ok(await eventually(() => !existsSync(`/proc/${pid}/ns/mnt`)));
  assert.not(existsSync(join(c.rootfs, "ran")));
});

for (const command of ["start", "run"] as const)
  hooks(
    `poststart [fails: ${command} fails, the container's process ends]`,
    async (c) => {
      c.configure((spec) => {
        spec.hooks = {
          poststart: [hook(c, "exit 7"), hook(c, "echo second >> $LOG")],
          poststop: [hook(c, "echo poststop >> $LOG")],
        };
        shell(spec, "exec sleep 1000");
      });
      const text = "error running poststart hook #0: /bin/sh: exit status 7, stdout: , stderr: ";
      if (command === "run") refuse(await c.run(), `run failed: ${text}`);
      else {
        succeed(await c.create());
        const { pid } = await c.state();
        refuse(await c.runt(["start", c.id]), text);
        assert.ok(await eventually(() => !isAlive(pid)));
        assert.is((await c.state()).status, "stopped");
        succeed(await c.runt(["delete", c.id]));
      }
      refuse(await c.runt(["state", c.id]), "does not exist");
      assert.is(log(c), "poststop\n");
    },
    { runcFails: "runc 1.1.5 calls these hooks before the process runs" },
  );

hooks(
  "poststop [fails: delete goes on to the end]",
  async (c) => {
    c.configure((spec) => {
      spec.hooks = { poststop: [hook(c, "exit 1"), hook(c, "echo second >> $LOG")] };
    });
    succeed(await c.create());
    const { stderr } = succeed(await c.runt(["delete", "--force", c.id]));
    assert.match(stderr, "error running poststop hook #0: /bin/sh: exit status 1, stdout: , stderr: ");
    assert.is(log(c), "second\n");
  },
  {
    runcFails:
      "runc 1.1.5 gives up at the first failing poststop hook; runtime-spec 1.3: log a warning and go on",
  },
);

hooks("a hook that does not read its stdin", async (c) => {
  c.configure((spec) => {
    spec.annotations = { long: "x".repeat(200_000) }; // more than a pipe holds
    spec.hooks = { createRuntime: [hook(c, "exec 0<&-; echo ran >> $LOG")] };
  });
  const result = await c.create({ timeoutSeconds: 10 });
  assert.is(result.timedOut, false);
  assert.is(log(c), "ran\n");
});

hooks(
  "timeout [the hook and its children end, create fails at once]",
  async (c) => {
    c.configure((spec) => {
      const text = `sleep 1234 & echo $! >> $LOG; sleep 1234`;
      spec.hooks = { createRuntime: [hook(c, text, { timeout: 1, env: ["PATH=/usr/bin:/bin"] })] };
    });
    const began = Date.now();
    refuse(await c.create({ timeoutSeconds: 20 }), /timeout|timed out/);
    assert.ok(Date.now() - began < 8000, "create waited for the grandchild");
    const grandchild = Number(log(c));
    const gone = await eventually(() => !existsSync(`/proc/${grandchild}`), 2);
    if (!gone) process.kill(grandchild, "SIGKILL");
    assert.ok(gone, "the hook's child outlived its timeout");
  },
  { runcFails: "runc 1.1.5 kills the hook alone, not its children" },
);

for (const kind of kinds)
  hooks(
    `timeout of ${kind} [the hook is ended, and told of as one that failed]`,
    async (c) => {
      c.configure((spec) => {
        const [path, args] = ["/bin/sh", ["sh", "-c", `exec sleep ${endless}`]];
        spec.hooks = { [kind]: [{ path, args, env: ["PATH=/usr/bin:/bin"], timeout: 1 }] };
        shell(spec, "exec sleep 1000");
      });
      const limit = { timeoutSeconds: 20 };
      const steps: readonly (readonly string[])[] = [
        ["create", "--bundle", c.bundle, c.id],
        ["start", c.id],
        ["delete", "--force", c.id],
      ];
      const said: string[] = [];
      for (const args of steps) {
        const { status, stderr, timedOut } = await c.runt(args, limit);
        assert.not(timedOut, args[0]);
        if (/timed out|timeout/.test(stderr)) said.push(`${args[0]} ${status}`);
      }
      assert.equal(said, [toldBy[kind]]);
      assert.not(isRunning(`sleep ${endless}`), "the hook still runs");
    },
    kind === "poststart" || kind === "poststop" || kind === "startContainer"
      ? { runcMayFail: "runc 1.1.5 takes these failures for others" }
      : {},
  );

/** Seconds that nothing else on this machine sleeps. */
const endless = 100_000 + process.pid;

/** The command whose failure tells of a hook's, and its status. */
const toldBy: Readonly<Record<HookKind, string>> = {
  prestart: "create 1",
  createRuntime: "create 1",
  createContainer: "create 1",
  startContainer: "start 1",
  poststart: "start 1",
  poststop: "delete 0",
};

const isRunning = (command: string): boolean =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim() === command;
      } catch {
        return false; // it has ended
      }
    });

hooks("a hook path that does not exist", async (c) => {
  c.configure((spec) => {
    spec.hooks = { createRuntime: [{ path: "/nonexistent/hook" }] };
  });
  refuse(await c.create(), "no such file or directory");
});

hooks.run();
