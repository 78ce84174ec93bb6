// exec in the foreground and detached: exit codes, streams, refusals, pid files, cgroups.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { cgroupDirectory, isAlive, statusField } from "../inspect.ts";
import { runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";
import { exec, execArgs, execShell, runWaiting, startExec } from "./running.ts";

const suite = conformance("exec");

/** 255, no output of a program, and one line that says why. */
async function refused(
  c: Fixture,
  flags: string[],
  words: string[],
  text: string | RegExp,
  setup: "run" | "none" = "run",
): Promise<void> {
  if (setup === "run") await runWaiting(c);
  const answer = await exec(c, flags, words);
  const result = refuse({ ...answer, stderr: answer.stderr.replaceAll('\\"', '"') }, text);
  assert.is(result.status, 255);
  assert.is(result.stdout, "");
  assert.is(result.stderr.trimEnd().split("\n").length, 1, result.stderr);
  assert.match(result.stderr, "exec failed: ");
}

suite(
  "--process: a key that nothing knows is told, with the one that was perhaps meant",
  async (c) => {
    await runWaiting(c);
    const file = join(c.dir, "process.json");
    const given = {
      cwd: "/",
      args: ["/bin/echo", "done"],
      usr: { uid: 5 },
      user: { uid: 0, gid: 0, ggid: 1 },
      x: 1,
    };
    writeFileSync(file, JSON.stringify(given));
    const { stdout, stderr } = succeed(await exec(c, ["--process", file], []));
    assert.is(stdout, "done\n");
    const warnings = stderr.trimEnd().split("\n");
    const expected = [
      "process.usr is not known and ignored: did you mean user?",
      "process.user.ggid is not known and ignored: did you mean gid?",
      "process.x is not known and ignored",
    ];
    assert.equal(
      warnings.map((line) => line.replace(/^time="[^"]*" /, "")),
      expected.map((text) => `level=warning msg="${file}: ${text}"`),
    );
  },
  { runcFails: "it says nothing" },
);

for (const [script, status] of [
  ["exit 0", 0],
  ["exit 7", 7],
  ["exit 255", 255],
  ["kill -TERM $$", 143],
  ["kill -KILL $$", 137],
] as const)
  suite(`exit status [${script}]`, async (c) => {
    await runWaiting(c);
    assert.is((await execShell(c, script)).status, status);
  });

suite("stdin, stdout and stderr by pipes", async (c) => {
  await runWaiting(c);
  const result = succeed(
    await execShell(c, "cat; echo to stderr >&2", [], { stdin: "through\n", pipes: true }),
  );
  assert.is(result.stdout, "through\n");
  assert.is(result.stderr, "to stderr\n");
});

suite("a megabyte through stdin and out again", async (c) => {
  await runWaiting(c);
  const text = "0123456789abcdef".repeat(65536);
  assert.ok(succeed(await exec(c, [], ["cat"], { stdin: text, pipes: true })).stdout === text);
});

suite("a program that reads no input ends by itself, with its input still coming", async (c) => {
  await runWaiting(c);
  const result = succeed(await execShell(c, "echo done", [], { stdin: "x".repeat(1 << 20), pipes: true }));
  assert.is(result.stdout, "done\n");
});

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"] as const)
  suite(`${signal} to exec is passed on to the process`, async (c) => {
    await runWaiting(c, (spec) => {
      spec.root.readonly = false;
    });
    const script = `trap 'echo got it; exit 9' ${signal.slice(3)}; touch /tmp/up; while :; do sleep 0.02; done`;
    const running = startExec(c, [], ["sh", "-c", script]);
    assert.ok(await eventually(() => existsSync(join(c.rootfs, "tmp/up"))));
    running.kill(signal);
    const result = await running.done;
    assert.is(result.stdout, "got it\n");
    assert.is(result.status, 9);
  });

suite("a container that is created can be gone into", async (c) => {
  succeed(await c.create());
  assert.is(succeed(await exec(c, [], ["echo", "inside"])).stdout, "inside\n");
});

suite("a -- behind the container's id is not the program, and one behind the program is its own", async (c) => {
  await runWaiting(c);
  assert.is(succeed(await c.runt(["exec", c.id, "--", "echo", "-n", "a"])).stdout, "a");
  assert.is(succeed(await c.runt(["exec", "--", c.id, "--", "echo", "a"])).stdout, "a\n");
  assert.is(succeed(await c.runt(["exec", c.id, "echo", "--", "a"])).stdout, "-- a\n");
});

suite("an option whose value is empty counts as not given", async (c) => {
  await runWaiting(c, (spec) => {
    spec.process.user = { uid: 7, gid: 8 };
    spec.process.cwd = "/tmp";
  });
  const flags = ["-u", "", "--cwd", "", "--process", "", "--pid-file", "", "--apparmor", ""];
  const result = await execShell(c, "id -u; id -g; pwd", flags);
  assert.is(succeed(result).stdout, "7\n8\n/tmp\n");
});

suite("-i is taken as it is meant, letters can be grouped", async (c) => {
  await runWaiting(c);
  const piped = await exec(c, ["-i"], ["cat"], { stdin: "hello", pipes: true });
  assert.is(succeed(piped).stdout, "hello");
  const grouped = await exec(c, ["-ie", "A=1", "-iu5"], ["true"]);
  refuse(grouped, "flag provided but not defined: -iu5");
  assert.is(succeed(await execShell(c, 'echo "$A $(id -u)"', ["-ie", "A=1", "-iu", "5"])).stdout, "1 5\n");
  const pidFile = join(c.dir, "pid");
  succeed(await exec(c, ["-id", "--pid-file", pidFile], ["sleep", "100"]));
  assert.ok(isAlive(Number(readFileSync(pidFile, "utf8"))));
  refuse(await exec(c, ["-itd"], ["sh"]), /cannot allocate tty if run[tc] will detach/);
});

suite("a container that does not exist", (c) => refused(c, [], ["true"], "container does not exist", "none"));

suite("a container that has stopped", async (c) => {
  c.configure();
  succeed(await c.runt(["run", "--keep", "--bundle", c.bundle, c.id]));
  await refused(c, [], ["true"], "cannot exec in a stopped container", "none");
});

suite("a paused container: refused, and with --ignore-paused it waits for resume", async (c) => {
  await runWaiting(c);
  succeed(await c.runt(["pause", c.id]));
  const text = "cannot exec in a paused container (use --ignore-paused to override)";
  await refused(c, [], ["true"], text, "none");
  const waiting = startExec(c, ["--ignore-paused"], ["echo", "thawed"]);
  await Bun.sleep(200);
  succeed(await c.runt(["resume", c.id]));
  assert.is(succeed(await waiting.done).stdout, "thawed\n");
});

const notBelow = /bad sub cgroup path|is not a sub cgroup path/;
const newer = ["a pidfd socket that is not there", "descriptors that are not open"];
for (const [title, flags, words, text] of [
  ["no words", [], [], /(exec|process) args cannot be empty/],
  ["a program that is not there", [], ["nonesuch"], 'exec: "nonesuch": executable file not found in $PATH'],
  [
    "a path that is not there",
    [],
    ["/no/such"],
    'exec: "/no/such": stat /no/such: no such file or directory',
  ],
  ["a file that is no program", [], ["/etc/passwd"], 'exec: "/etc/passwd": permission denied'],
  ["a directory", [], ["/etc"], 'exec: "/etc": permission denied'],
  ["cwd that is not there", ["--cwd", "/nowhere"], ["true"], /chdir to cwd \("\/nowhere"\).*no such file/],
  ["cwd that is relative", ["--cwd", "tmp"], ["true"], "Cwd must be an absolute path"],
  ["AppArmor on a host without", ["--apparmor", "docker-default"], ["true"], /apparmor/i],
  ["SELinux on a host without", ["--process-label", "system_u:x:y:s0"], ["true"], /selinux/i],
  [
    "a sub-cgroup that is not there",
    ["--cgroup", "nowhere"],
    ["true"],
    /adding pid \d+ to cgroups: .*nowhere.*no such file or directory/,
  ],
  ["a sub-cgroup above", ["--cgroup", "../.."], ["true"], notBelow],
  ["a sub-cgroup above, for a controller", ["--cgroup", "memory:x/../../.."], ["true"], notBelow],
  ["a controller that is unknown", ["--cgroup", "nonsense:/"], ["true"], "nonsense"],
  [
    "sub-cgroups for all, twice",
    ["--cgroup", "/", "--cgroup", "/"],
    ["true"],
    "invalid --cgroup argument: / (missing <controller>: prefix)",
  ],
  ["a user that is a name", ["--user", "root"], ["true"], "root"],
  ["a group that is none", ["--user", "0:x"], ["true"], "x"],
  ["an additional group below 0", ["--additional-gids", "-5"], ["true"], "-5"],
  ["a variable without =", ["--env", "FOO"], ["true"], "invalid environment variable"],
  [
    "a pid file that cannot be written",
    ["--pid-file", "/nowhere/pid"],
    ["true"],
    "no such file or directory",
  ],
  [
    "a console socket when attached",
    ["-t", "--console-socket", "/nowhere"],
    ["true"],
    /cannot use console socket if run[tc] will not detach or allocate tty/,
  ],
  [
    "a terminal when detached, without a socket",
    ["-t", "-d"],
    ["true"],
    /cannot allocate tty if run[tc] will detach without setting console socket/,
  ],
  [
    "a console socket without a terminal",
    ["-d", "--console-socket", "/nowhere"],
    ["true"],
    /cannot use console socket if run[tc] will not detach or allocate tty/,
  ],
  ["a console socket that is not there", ["-t", "-d", "--console-socket=/nowhere"], ["true"], "/nowhere"],
  ["a pidfd socket that is not there", ["--pidfd-socket", "/nowhere"], ["true"], "/nowhere"],
  ["a process file that is not there", ["-p", "/nowhere"], [], "/nowhere"],
  ["descriptors that are not open", ["--preserve-fds", "3"], ["true"], "unable to stat preserved-fd"],
] as const)
  suite(
    `refused: ${title}`,
    (c) => refused(c, [...flags], [...words], text),
    newer.includes(title) ? { runcFails: "newer than runc 1.1.5" } : {},
  );

for (const [title, value, text] of [
  ["broken", "{", ""],
  ["no args", { cwd: "/" }, "args must not be empty"],
  ["empty args", { cwd: "/", args: [] }, "args must not be empty"],
  ["no cwd", { args: ["true"] }, "Cwd property must not be empty"],
  ["a relative cwd", { args: ["true"], cwd: "x" }, "Cwd must be an absolute path"],
  ["a wrong type", { args: "true", cwd: "/" }, "args"],
  ["a NUL byte", { args: ["true\0x"], cwd: "/" }, ""],
  ["a label", { args: ["true"], cwd: "/", apparmorProfile: "x" }, /apparmor/i],
] as const)
  suite(`refused: a process file [${title}]`, async (c) => {
    const file = join(c.dir, "process.json");
    writeFileSync(file, typeof value === "string" ? value : JSON.stringify(value));
    await refused(c, ["--process", file], [], text);
  });

// CVE-2026-30892, CVE-2016-3697: digits only, whatever the image's passwd says.
const users: readonly [text: string, uid: string | undefined, gid?: string][] = [
  ["1", "1", "0"],
  ["0", "0", "0"],
  ["00", "0", "0"],
  ["1:2", "1", "2"],
  ["1000", "1000", "0"],
  ["4294967294:4294967294", "4294967294", "4294967294"],
  ...["+1", "1:", ":1", ":", "-1", "4294967295", "4294967296", "1e3", "0x1", " 1", "1 ", "root", "1:2:3"].map(
    (text): [string, undefined] => [text, undefined],
  ),
];
suite(
  "--user is read strictly, and numbers are never looked up",
  async (c) => {
    writeFileSync(
      join(c.rootfs, "etc/passwd"),
      "root:x:0:0::/root:/bin/sh\n1000:x:0:0::/:/bin/sh\n1:x:0:0::/:/bin/sh\n",
    );
    await runWaiting(c);
    for (const [text, uid, gid] of users) {
      const result = await execShell(c, "grep -E '^[UG]id' /proc/self/status", [`--user=${text}`]);
      if (uid === undefined) {
        refuse(result, "invalid");
        assert.is(result.status, 255, text);
      } else {
        const four = (id: string | undefined) => Array(4).fill(id).join("\t");
        assert.is(succeed(result).stdout, `Uid:\t${four(uid)}\nGid:\t${four(gid)}\n`, text);
      }
    }
  },
  { runcFails: "runc 1.1.5 takes +1, and refuses ids above 2147483647" },
);

suite("a flag with an empty value changes nothing", async (c) => {
  await runWaiting(c, (spec) => {
    spec.process.cwd = "/tmp";
  });
  const flags = ["--cwd", "", "--apparmor", "", "--process-label=", "--cgroup", ""];
  assert.is(succeed(await exec(c, flags, ["pwd"])).stdout, "/tmp\n");
});

suite("a process file is the whole process: what the command line says beside it does not count", async (c) => {
  await runWaiting(c);
  const file = join(c.dir, "process.json");
  writeFileSync(
    file,
    JSON.stringify({ args: ["sh", "-c", "pwd; echo $A"], cwd: "/tmp", env: ["PATH=/bin", "A=file"] }),
  );
  const flags = ["--process", file, "--cwd", "/etc", "--env", "A=line"];
  assert.is(succeed(await exec(c, flags, ["echo", "words"])).stdout, "/tmp\nfile\n");
});

suite("the words of a failed start are runc's", async (c) => {
  await runWaiting(c);
  const say = async (words: string[], flags: string[] = []): Promise<string> =>
    (await exec(c, flags, words)).stderr.replaceAll('\\"', '"').replace(/^.* msg="(.*)"\n$/, "$1");
  const start = "exec failed: unable to start container process:";
  assert.is(await say(["nonesuch"]), `${start} exec: "nonesuch": executable file not found in $PATH`);
  assert.is(await say(["/none"]), `${start} exec: "/none": stat /none: no such file or directory`);
  assert.is(await say(["/etc/passwd"]), `${start} exec: "/etc/passwd": permission denied`);
  assert.is(
    await say(["/etc/passwd/x"]),
    `${start} exec: "/etc/passwd/x": stat /etc/passwd/x: not a directory`,
  );
  const cwd = `${start} chdir to cwd ("/none") set in config.json failed: no such file or directory`;
  assert.ok((await say(["true"], ["--cwd", "/none"])).startsWith(cwd));
});

suite("HOME comes from the container's passwd, and is / for who is not in it", async (c) => {
  await runWaiting(c);
  for (const [user, home] of [
    ["0", "/root"],
    ["1000", "/home"],
    ["77", "/"],
  ])
    assert.is(succeed(await execShell(c, "echo $HOME", ["--user", user ?? ""])).stdout, `${home}\n`);
});

suite("pid file: the process's pid, without a newline; none after a failure", async (c) => {
  await runWaiting(c);
  const file = join(c.dir, "pid");
  refuse(await exec(c, ["--pid-file", file], ["nonesuch"]));
  refuse(await exec(c, ["--detach", "--pid-file", file, "--cwd", "/nowhere"], ["true"]));
  assert.not(existsSync(file));
  succeed(await exec(c, ["--detach", "--pid-file", file], ["sleep", "600"]));
  const text = readFileSync(file, "utf8");
  assert.match(text, /^\d+$/);
  assert.is(readFileSync(`/proc/${text}/cmdline`, "utf8"), "sleep\0" + "600\0");
});

suite("detached: nothing of the runtime holds the caller's pipes", async (c) => {
  await runWaiting(c);
  const file = join(c.dir, "pid");
  const running = startExec(c, ["-d", "--pid-file", file], ["sleep", "600"], { pipes: true });
  assert.ok(await eventually(() => existsSync(file), 10));
  process.kill(Number(readFileSync(file, "utf8")), "SIGKILL");
  const result = await running.done; // ends only when every holder of the pipes is gone
  assert.is(result.timedOut, false);
  assert.is(result.status, 0);
});

suite("detached: the process goes to the subreaper above, and nothing else does", async (c) => {
  await runWaiting(c);
  const file = join(c.dir, "pid");
  const parent = new URL("subreaper.ts", import.meta.url).pathname;
  const command = [
    runtimePath,
    "--root",
    c.root,
    ...execArgs(c, ["-d", "--pid-file", file], ["sh", "-c", "exit 5"]),
  ];
  const result = succeed(await runCommand([process.execPath, "run", parent, ...command]));
  const pid = readFileSync(file, "utf8");
  const reaped = result.stdout.trim().split("\n").slice(1);
  assert.equal(reaped, [`${pid} 5`]);
});

suite("orphans of an attached exec do not stay zombies while it runs", async (c) => {
  await runWaiting(c, (spec) => {
    spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
  });
  const running = startExec(c, [], ["sh", "-c", "(sleep 0.05 & sleep 0.01) & sleep 1.5"]);
  await Bun.sleep(1000);
  const children = readFileSync(`/proc/${running.pid}/task/${running.pid}/children`, "utf8")
    .trim()
    .split(" ");
  assert.is(children.length, 1, children.join());
  succeed(await running.done);
});

suite("the JSON log has exactly one line for a failure, and stderr says it as well", async (c) => {
  await runWaiting(c);
  const log = join(c.dir, "log.json");
  const flags = ["--log", log, "--log-format", "json", "exec", "--cap", "CAP_KILL"];
  const result = refuse(await c.runt([...flags, c.id, "nonesuch"]));
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  assert.is(lines.length, 1);
  const record = JSON.parse(lines[0] ?? "") as Record<string, string>;
  assert.is(record.level, "error");
  assert.match(record.msg ?? "", "executable file not found in $PATH");
  assert.is(result.stderr, `${record.msg}\n`);
});

suite("a memory limit of 4 MiB and a pids limit of 2 hold the program, not the engine", async (c) => {
  await runWaiting(c, (spec) => {
    spec.linux.resources = { ...spec.linux.resources, memory: { limit: 4 << 20 }, pids: { limit: 2 } };
  });
  for (let i = 0; i < 3; i++) assert.is(succeed(await exec(c, [], ["echo", "fits"])).stdout, "fits\n");
});

suite("the process is in the container's cgroups", async (c) => {
  await runWaiting(c);
  const { pid } = await c.state();
  const own = readFileSync(`/proc/${pid}/cgroup`, "utf8");
  assert.is(succeed(await exec(c, [], ["cat", "/proc/self/cgroup"])).stdout, own);
  assert.is(succeed(await exec(c, ["--cgroup", "/"], ["cat", "/proc/self/cgroup"])).stdout, own);
});

suite(
  "--cgroup: in a sub-cgroup of one controller",
  async (c) => {
    await runWaiting(c);
    const { pid } = await c.state();
    const sub = join(cgroupDirectory(pid, "memory"), "sub");
    mkdirSync(sub);
    const flags = ["--cgroup", "memory:sub"];
    const { stdout } = succeed(await exec(c, flags, ["cat", "/proc/self/cgroup"]));
    assert.match(stdout, /^\d+:memory:.*\/sub$/m);
    assert.match(stdout, /^\d+:pids:.*\.c$/m);
    await eventually(() => {
      try {
        rmdirSync(sub);
      } catch {}
      return !existsSync(sub);
    });
  },
  { needs: ["cgroup1"] },
);

/** Makes a cgroup below the container's in each of these hierarchies, and removes it when the body is done. */
async function withSubCgroup(
  c: Fixture,
  controllers: readonly string[],
  body: (name: string) => Promise<void>,
): Promise<void> {
  const { pid } = await c.state();
  const directories = controllers.map((controller) => join(cgroupDirectory(pid, controller), "sub"));
  for (const directory of directories) {
    mkdirSync(directory);
    // A cpuset takes no process before it has CPUs and memory.
    for (const file of ["cpuset.cpus", "cpuset.mems"])
      if (existsSync(join(directory, file)))
        writeFileSync(join(directory, file), readFileSync(join(directory, "..", file)));
  }
  try {
    await body("sub");
  } finally {
    for (const directory of directories)
      await eventually(() => {
        try {
          rmdirSync(directory);
        } catch {}
        return !existsSync(directory);
      });
  }
}

/** Which controllers of the process's cgroups are in a sub-cgroup. */
const below = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line.endsWith("/sub"))
    .map((line) => line.split(":")[1] ?? "")
    .sort();

for (const [title, flags, expected] of [
  ["two controllers, one path", ["memory,pids:sub"], ["memory", "pids"]],
  ["two controllers, a flag each", ["pids:/sub", "memory:./sub/"], ["memory", "pids"]],
  ["a named hierarchy", ["name=systemd:sub"], ["name=systemd"]],
  ["one of them, where both have it", ["pids:sub", "memory:/"], ["pids"]],
] as const)
  suite(
    `--cgroup: ${title}`,
    async (c) => {
      await runWaiting(c);
      await withSubCgroup(c, ["memory", "pids", "name=systemd"], async () => {
        const given = flags.flatMap((flag) => ["--cgroup", flag]);
        const { stdout } = succeed(await exec(c, given, ["cat", "/proc/self/cgroup"]));
        assert.equal(below(stdout), [...expected]);
      });
    },
    { needs: ["cgroup1"] },
  );

suite(
  "--cgroup: a path alone is for every hierarchy",
  async (c) => {
    await runWaiting(c);
    const { pid } = await c.state();
    const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
    const own = lines.filter((line) => line.endsWith(c.id)).map((line) => line.split(":")[1] ?? "");
    assert.ok(own.length > 3);
    await withSubCgroup(
      c,
      own.map((names) => names.split(",")[0] ?? ""),
      async () => {
        const { stdout } = succeed(await exec(c, ["--cgroup", "sub"], ["cat", "/proc/self/cgroup"]));
        assert.equal(below(stdout), own.sort());
      },
    );
  },
  { needs: ["cgroup1"] },
);

const unified = "/sys/fs/cgroup/unified";
const canEnable =
  existsSync(unified) && readFileSync(`${unified}/cgroup.controllers`, "utf8").includes("hugetlb");
if (canEnable)
  suite(
    "a unified cgroup that has children with limits: the process joins the init process's",
    async (c) => {
      const control = join(unified, "cgroup.subtree_control");
      const before = readFileSync(control, "utf8");
      writeFileSync(control, "+hugetlb");
      try {
        await runWaiting(c);
        const { pid } = await c.state();
        const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1] ?? "";
        mkdirSync(join(unified, path, "leaf"));
        writeFileSync(join(unified, path, "leaf/cgroup.procs"), String(pid));
        writeFileSync(join(unified, path, "cgroup.subtree_control"), "+hugetlb");
        assert.match(succeed(await exec(c, [], ["cat", "/proc/self/cgroup"])).stdout, `0::${path}/leaf\n`);
        refuse(await exec(c, ["--cgroup", "/"], ["true"]), "EBUSY");
      } finally {
        succeed(await c.deleteForce());
        if (!before.includes("hugetlb")) writeFileSync(control, "-hugetlb");
      }
    },
    { runcFails: "runc looks for another cgroup on pure v2 only" },
  );

suite("--preserve-fds: these descriptors and no others", async (c) => {
  await runWaiting(c);
  const file = join(c.dir, "inherited");
  writeFileSync(file, "given");
  const { openSync, closeSync } = await import("node:fs");
  const fds = [openSync(file, "r"), openSync(file, "r"), openSync("/", "r")];
  const script = "cat <&3; cat <&4; ls /proc/$$/fd; true";
  const result = succeed(await execShell(c, script, ["--preserve-fds", "2"], { extraFds: fds }));
  for (const fd of fds) closeSync(fd);
  assert.is(result.stdout, "givengiven0\n1\n2\n3\n4\n");
});

suite("the caller's sockets of socket activation are not for a process of exec", async (c) => {
  await runWaiting(c);
  const call = [
    runtimePath,
    "--root",
    c.root,
    ...execArgs(c, [], ["sh", "-c", "ls /proc/$$/fd; echo $LISTEN_FDS"]),
  ];
  const activate = 'exec 3</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"';
  const result = succeed(await runCommand(["sh", "-c", activate, "sh", ...call]));
  assert.is(result.stdout, "0\n1\n2\n\n");
});

suite(
  "the configuration is the one that the container was created with",
  async (c) => {
    await runWaiting(c);
    c.configure((spec) => {
      spec.process.env = ["PATH=/bin", "EDITED=later"];
      shell(spec, "true");
    });
    assert.is(succeed(await execShell(c, "echo $EDITED")).stdout, "\n");
  },
  { runcFails: "runc reads the bundle's config.json again" },
);

suite("the session keyring is the container's", async (c) => {
  await runWaiting(c, (spec) => {
    spec.linux.maskedPaths = [];
  });
  const own = /^(\w+) .*keyring +_ses\.\S+/m;
  const { stdout } = succeed(await exec(c, [], ["cat", "/proc/keys"]));
  assert.match(stdout, own);
  assert.match(stdout, c.id);
});

suite("an exec killed before its program runs leaves nothing", async (c) => {
  await runWaiting(c);
  for (let delay = 1; delay <= 16; delay++) {
    const running = startExec(c, [], ["sleep", "600"]);
    await Bun.sleep(delay);
    running.kill("SIGKILL");
    await running.done;
  }
  const { pid } = await c.state();
  assert.ok(isAlive(pid));
  assert.is(statusField(pid, "Threads"), "1");
  assert.ok(existsSync(dirname(c.root)));
});

for (const [stream, redirection] of [
  [0, "<&-"],
  [1, ">&-"],
  [2, "2>&-"],
] as const)
  suite(`a standard stream that the caller has closed is the null device [${stream}]`, async (c) => {
    await runWaiting(c, (spec) => {
      spec.root.readonly = false;
    });
    const own = `/proc/$$/fd/${stream}`;
    const script = `exec 9>/tmp/seen; link=$(readlink ${own}); echo $link $(stat -L -c %t:%T ${own}) >&9`;
    const line = [runtimePath, "--root", c.root, ...execArgs(c, [], ["sh", "-c", script])];
    succeed(await runCommand(["sh", "-c", `"$@" ${redirection}`, "sh", ...line]));
    assert.is(readFileSync(join(c.rootfs, "tmp/seen"), "utf8"), "/dev/null 1:3\n");
  });

suite.run();
