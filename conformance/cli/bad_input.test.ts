// Input that cannot work: one clear line, runc's exit code, and nothing left on the machine.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { isAlive } from "../inspect.ts";
import { runtimePath, testingRunc } from "../needs.ts";
import { asUser, runtimeForAll } from "../other_user.ts";
import { type Spec, shell } from "../spec.ts";

const bad = conformance("bad input");

const notWritten = "runc 1.1.5 does not look whether its output could be written";

/** Exit 1, and one line on stderr, which says `text`. */
function oneLine(result: Result, text: string | RegExp): void {
  refuse(result, text);
  assert.is(result.status, 1);
  assert.is(result.stderr.trimEnd().split("\n").length, 1, result.stderr);
}

/** create and run both refuse, and neither leaves a container. */
async function refused(c: Fixture, text: string | RegExp): Promise<void> {
  for (const command of ["create", "run"]) {
    oneLine(await c.runt([command, "--bundle", c.bundle, c.id]), text);
    refuse(await c.runt(["state", c.id]), "does not exist");
  }
}

const literally = (text: string): string => text.replace(/[[\]$.]/g, "\\$&");
const configFile = (c: Fixture): string => join(c.bundle, "config.json");

/** Writes config.json with one field set to a value that its type forbids. */
function mistyped(c: Fixture, path: string, value: unknown): void {
  const spec = JSON.parse(readFileSync(configFile(c), "utf8")) as Record<string, unknown>;
  const names = path.split(".");
  const last = names.pop() ?? "";
  const parent = names.reduce<Record<string, unknown>>(
    (object, name) => object[name] as Record<string, unknown>,
    spec,
  );
  parent[last] = value;
  writeFileSync(configFile(c), JSON.stringify(spec));
}

bad("no config.json", async (c) => {
  rmSync(configFile(c));
  await refused(c, "JSON specification file config.json not found");
});

bad("no bundle", async (c) => {
  oneLine(await c.runt(["create", "--bundle", join(c.dir, "nowhere"), c.id]), "no such file or directory");
});

for (const [title, text, says] of [
  ["broken", '{"ociVersion": "1.0.2", "process": {', /line 1, column 37: expected a key|unexpected EOF/],
  ["broken in a later line", '{\n"ociVersion": "1.0.2",\n}', /line 3, column 1: |invalid character '}'/],
  ["empty", "", /line 1, column 1: expected a value, found end of text|: EOF/],
  ["not an object", "[1, 2]", /wrong type \(given a list of 2; accepted: an object\)|cannot unmarshal array/],
] as const)
  bad(`config.json [${title}]`, async (c) => {
    writeFileSync(configFile(c), text);
    await refused(c, says);
  });

// The field, what was given, and what would be accepted; of runc, the field and the type.
for (const [path, value, given, accepted] of [
  ["process.args", "sh", '"sh"', "a list"],
  ["process.args", [1], "1", "a string"],
  ["process.user", "root", '"root"', "an object"],
  ["process.user.uid", "0", '"0"', "an integer from 0 to 4294967295"],
  ["process.user.uid", -1, "-1", "an integer from 0 to 4294967295"],
  ["process.user.uid", 4294967296, "4294967296", "an integer from 0 to 4294967295"],
  ["process.env", { A: "b" }, "an object", "a list"],
  ["root", "rootfs", '"rootfs"', "an object"],
  ["mounts", {}, "an object", "a list"],
  ["linux", 7, "7", "an object"],
  ["linux.namespaces", "pid", '"pid"', "a list"],
  ["linux.maskedPaths", [1], "1", "a string"],
  ["process.noNewPrivileges", "yes", '"yes"', "true or false"],
  ["hostname", 5, "5", "a string"],
] as const)
  bad(`wrong type [${path}: ${JSON.stringify(value)}]`, async (c) => {
    mistyped(c, path, value);
    const at = Array.isArray(value) ? `${path}[0]` : path;
    for (const command of ["create", "run"]) {
      const result = await c.runt([command, "--bundle", c.bundle, c.id]);
      const message = result.stderr
        .replaceAll('\\"', '"')
        .replace(/^.*? msg="/, "")
        .replace(/"\n$/, "");
      if (!testingRunc) {
        const [before = "", after = ""] = message.split(" (given ");
        assert.match(
          before,
          new RegExp(`^runt ${command} failed: invalid config.json: ${literally(at)}: [a-z ]+$`),
        );
        assert.is(after, `${given}; accepted: ${accepted})`);
      }
      oneLine(result, path);
      refuse(await c.runt(["state", c.id]), "does not exist");
    }
  });

bad(
  "every problem is told at once, with its field and with what would be accepted",
  async (c) => {
    c.configure((spec) => {
      Object.assign(spec.process, { cwd: "tmp", args: [] });
      Object.assign(spec.root, { path: 3 });
      spec.linux.namespaces.push({ type: "nonsense" });
      spec.mounts.push({ destination: "" });
    });
    const { stderr } = await c.create();
    for (const field of [
      "process.cwd",
      "process.args",
      "root.path",
      "linux.namespaces[5].type",
      "mounts[7].destination",
    ])
      assert.match(stderr, new RegExp(`${literally(field)}: [^;]+\\(given [^;]+; accepted: [^;]+\\)`), field);
    await refused(c, "5 problems: ");
  },
  { runcFails: "runc tells the first problem" },
);

const edits: readonly [title: string, edit: (spec: Spec) => void, text: string | RegExp][] = [
  ["unknown namespace", (spec) => spec.linux.namespaces.push({ type: "nonsense" }), "nonsense"],
  [
    "a namespace given twice",
    (spec) => spec.linux.namespaces.push({ type: "pid" }),
    /duplicate|twice|more than once/,
  ],
  [
    "a namespace path that does not exist",
    (spec) => spec.linux.namespaces.splice(1, 1, { type: "network", path: "/nonexistent" }),
    /no such file|does not exist/,
  ],
  ["missing rootfs", (spec) => Object.assign(spec.root, { path: "nowhere" }), /nowhere/],
  [
    "missing executable",
    (spec) => Object.assign(spec.process, { args: ["nonesuch"] }),
    "executable file not found in $PATH",
  ],
  [
    "missing executable, absolute",
    (spec) => Object.assign(spec.process, { args: ["/bin/nonesuch"] }),
    "no such file or directory",
  ],
  [
    "a directory as executable",
    (spec) => Object.assign(spec.process, { args: ["/bin"] }),
    /permission denied|is a directory/,
  ],
  [
    "a file without execute permission",
    (spec) => Object.assign(spec.process, { args: ["/etc/passwd"] }),
    "permission denied",
  ],
  ["no args", (spec) => Object.assign(spec.process, { args: [] }), /args must not be empty|args/],
  ["empty cwd", (spec) => Object.assign(spec.process, { cwd: "" }), "Cwd"],
  ["relative cwd", (spec) => Object.assign(spec.process, { cwd: "tmp" }), "Cwd must be an absolute path"],
  ["cwd that is a file", (spec) => Object.assign(spec.process, { cwd: "/etc/passwd" }), "not a directory"],
  [
    "unknown rlimit",
    (spec) => spec.process.rlimits?.push({ type: "RLIMIT_NONSENSE", soft: 1, hard: 1 }),
    "RLIMIT_NONSENSE",
  ],
  [
    "soft rlimit above hard",
    (spec) => Object.assign(spec.process, { rlimits: [{ type: "RLIMIT_CORE", soft: 5, hard: 1 }] }),
    /invalid argument|above the hard limit/,
  ],
  [
    "unknown mount type",
    (spec) => spec.mounts.push({ destination: "/mnt", type: "nonsensefs", source: "x" }),
    /no such device/,
  ],
  [
    "missing bind source",
    (spec) =>
      spec.mounts.push({ destination: "/mnt", type: "bind", source: "/nonexistent", options: ["bind"] }),
    "no such file or directory",
  ],
  [
    "sysctl that does not exist",
    (spec) => Object.assign(spec.linux, { sysctl: { "net.ipv4.nonsense": "1" } }),
    /nonsense/,
  ],
  [
    "terminal without console socket",
    (spec) => Object.assign(spec.process, { terminal: true }),
    /cannot allocate tty if run[tc] will detach without setting console socket/,
  ],
];
for (const [title, edit, text] of edits)
  bad(`configuration [${title}]`, async (c) => {
    c.configure(edit);
    const result = await c.create();
    oneLine(result, text);
    refuse(await c.runt(["state", c.id]), "does not exist");
  });

for (const id of ["a/b", "../x", "..", ".", "", "a b", "a;b", "a\nb", "é", "%2e%2e/", "x".repeat(300)])
  bad(`id [${JSON.stringify(id.slice(0, 20))}]`, async (c) => {
    refuse(
      await c.runt(["create", "--bundle", c.bundle, id]),
      /invalid container ID|id cannot be empty|file name too long|exactly 1/i,
    );
    assert.equal(existsSync(c.root) ? readdirSync(c.root) : [], []);
    assert.equal(
      readdirSync(c.dir).filter((name) => !["bundle", "state"].includes(name)),
      [],
    );
  });

bad("no id, and too many", async (c) => {
  assert.is(refuse(await c.runt(["create"]), "requires exactly 1 argument").status, 1);
  assert.is(refuse(await c.runt(["create", "a", "b"]), "requires exactly 1 argument").status, 1);
});

bad("unknown command, unknown flag, flag without its value", async (c) => {
  refuse(await c.runt(["create", "--nonsense", c.id]), "flag provided but not defined");
  refuse(await c.runt(["create", "--bundle"]), "flag needs an argument");
});

bad("id in use", async (c) => {
  succeed(await c.create());
  oneLine(await c.create(), "container with given ID already exists");
  assert.is((await c.state()).status, "created");
});

bad("start twice, and delete while it runs", async (c) => {
  c.configure((spec) => shell(spec, "exec sleep 60"));
  succeed(await c.create());
  succeed(await c.runt(["start", c.id]));
  oneLine(await c.runt(["start", c.id]), "cannot start an already running container");
  oneLine(await c.runt(["delete", c.id]), "not stopped");
});

bad("kill of a stopped container", async (c) => {
  succeed(await c.create());
  const { pid } = await c.state();
  succeed(await c.runt(["start", c.id]));
  assert.ok(await eventually(() => !isAlive(pid)));
  oneLine(await c.runt(["kill", c.id, "TERM"]), "container not running");
});

for (const command of ["state", "start", "kill", "delete", "pause", "resume"])
  bad(`${command} of a container that does not exist`, async (c) => {
    oneLine(await c.runt([command, c.id]), "container does not exist");
  });

bad("console socket without a terminal", async (c) => {
  oneLine(
    await c.runt(["create", "--bundle", c.bundle, "--console-socket", join(c.dir, "sock"), c.id]),
    /cannot use console socket if run[tc] will not detach or allocate tty/,
  );
});

bad(
  "full disk under the state root",
  async (c) => {
    mkdirSync(c.root);
    const script = 'mount -t tmpfs -o size=4k,nr_inodes=3,mode=700 tmpfs "$1"; shift; "$@"';
    const command = [runtimePath, "--root", c.root, "create", "--bundle", c.bundle, c.id];
    const result = await runCommand(["unshare", "-m", "sh", "-c", script, "sh", c.root, ...command]);
    refuse(result, "no space left on device");
  },
  { needs: ["unshare", "mount"], runcFails: "runc 1.1.5 prints %!w(<nil>) for the reason" },
);

/** Runs this in a directory of which no block is free, though names for files are; what it then holds, besides the ballast. */
async function onFullDisk(c: Fixture, ...command: string[]): Promise<Result & { readonly holds: string[] }> {
  const disk = join(c.dir, "disk");
  const listing = join(c.dir, "listing");
  mkdirSync(disk);
  const script = `mount -t tmpfs -o size=4k,mode=700 tmpfs "$1"; cd "$1"; head -c 4096 /dev/zero >ballast
    listing=$2; shift 2; "$@"; status=$?; find . ! -name ballast >"$listing"; exit $status`;
  const result = await runCommand(["unshare", "-m", "sh", "-c", script, "sh", disk, listing, ...command]);
  const holds = readFileSync(listing, "utf8")
    .trim()
    .split("\n")
    .filter((path) => path !== ".");
  rmSync(disk, { recursive: true });
  return { ...result, holds };
}

bad(
  "a state root on a disk with no block free",
  async (c) => {
    for (const command of ["create", "run"]) {
      const root = join(c.dir, "disk");
      const args = ["--root", root, command, "--bundle", c.bundle, c.id];
      const result = await onFullDisk(c, runtimePath, ...args);
      oneLine(result, "no space left on device");
      assert.equal(result.holds, []);
    }
  },
  { needs: ["unshare", "mount"], runcFails: "runc 1.1.5 prints %!w(<nil>) for the reason" },
);

bad(
  "a pid file on a full disk: the container is not left without one",
  async (c) => {
    for (const command of ["create", "run"]) {
      const args = ["--root", c.root, command, "--bundle", c.bundle, "--pid-file", "pid", c.id];
      const result = await onFullDisk(c, runtimePath, ...args);
      oneLine(result, "no space left on device");
      assert.equal(result.holds, []);
      refuse(await c.runt(["state", c.id]), "does not exist");
    }
  },
  { needs: ["unshare", "mount"], runcFails: "runc 1.1.5 leaves an empty .pid" },
);

bad(
  "a log on a full disk: the container is made all the same",
  async (c) => {
    const args = ["--root", c.root, "--log", "log", "create", "--bundle", c.bundle, c.id];
    succeed(await onFullDisk(c, runtimePath, ...args));
    assert.is((await c.state()).status, "created");
  },
  { needs: ["unshare", "mount"] },
);

bad(
  "a state root that cannot be written",
  async (c) => {
    mkdirSync(c.root);
    const script = 'mount -t tmpfs -o ro,mode=700 tmpfs "$1"; shift; "$@"';
    const command = [runtimePath, "--root", c.root, "create", "--bundle", c.bundle, c.id];
    const result = await runCommand(["unshare", "-m", "sh", "-c", script, "sh", c.root, ...command]);
    refuse(result, "read-only file system");
  },
  { needs: ["unshare", "mount"] },
);

bad("a state root that is a file", async (c) => {
  writeFileSync(c.root, "");
  refuse(await c.create(), "not a directory");
  rmSync(c.root);
});

bad(
  "what cannot be read, as another user: the state root, the bundle, its config.json",
  async (c) => {
    const runtime = runtimeForAll(c);
    const nobody = (root: string, ...args: string[]) =>
      runCommand(asUser([runtime, "--root", root, ...args]), { cwd: "/" });
    const own = join(c.dir, "own");
    mkdirSync(own, { mode: 0o700 });
    chownSync(own, 65534, 65534);
    succeed(await c.create());
    for (const args of [["state", c.id], ["start", c.id], ["kill", c.id], ["delete", c.id], ["list"]])
      oneLine(await nobody(c.root, ...args), "permission denied");
    for (const path of [configFile(c), c.bundle]) {
      const { mode } = statSync(path);
      chmodSync(path, 0o700);
      oneLine(await nobody(own, "create", "--bundle", c.bundle, c.id), "permission denied");
      chmodSync(path, mode);
    }
    assert.is((await c.state()).status, "created");
  },
  { needs: ["setpriv"] },
);

bad(
  "a state root of /",
  async (c) => {
    refuse(await runCommand([runtimePath, "--root", "/", "list"]), /should not be set to/);
    assert.ok(existsSync(c.dir));
  },
  { runcMayFail: "newer than runc 1.1.5" },
);

/** Every command that prints. */
const printing: readonly string[] = [
  "state ID",
  "list",
  "list --quiet",
  "list --format json",
  "ps ID",
  "ps --format json ID",
  "events --stats ID",
  "features",
  "--version",
  "--help",
  "help",
  "help run",
  "run --help",
  "completion bash",
];
for (const [what, redirection, errno] of [
  ["on a full disk", ">/dev/full", "ENOSPC (no space left on device)"],
  ["closed", ">&-", "EBADF (bad file descriptor)"],
] as const)
  bad(
    `standard output is ${what}: every command that prints says so, in one line`,
    async (c) => {
      succeed(await c.create());
      for (const line of printing) {
        const words = line.replace("ID", c.id).split(" ");
        const command = [runtimePath, "--root", c.root, ...words];
        const result = await runCommand(["sh", "-c", `exec "$@" ${redirection}`, "sh", ...command]);
        oneLine(result, `write standard output: ${errno}`);
      }
      assert.is((await c.state()).status, "created");
    },
    { runcFails: notWritten },
  );

bad("standard output is full or closed: a mistake is told all the same", async (c) => {
  for (const redirection of [">/dev/full", ">&-"])
    for (const [words, status, says] of [
      [["state"], 1, "requires exactly 1 argument(s)"],
      [["list", "--nonsense"], 1, "flag provided but not defined: -nonsense"],
      [["nonsense"], 3, "No help topic for 'nonsense'"],
    ] as const) {
      const command = [runtimePath, "--root", c.root, ...words];
      const result = await runCommand(["sh", "-c", `exec "$@" ${redirection}`, "sh", ...command]);
      refuse(result, says);
      assert.is(result.status, status);
    }
});

bad(
  "standard input, output and error all closed: create still works",
  async (c) => {
    const command = [runtimePath, "--root", c.root, "create", "--bundle", c.bundle, c.id];
    succeed(await runCommand(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", ...command]));
    assert.is((await c.state()).status, "created");
  },
  { runcMayFail: "runc 1.1.5 does not fill closed standard descriptors" },
);

bad("the reader of stderr has gone: state prints its JSON and succeeds", async (c) => {
  succeed(await c.create());
  const command = [runtimePath, "--root", c.root, "state", c.id];
  const script = '{ "$@" 2>&3; echo "exit $?" >&2; } 3>&1 >"$OUT" | true';
  const out = join(c.dir, "out");
  const result = await runCommand(["sh", "-c", script, "sh", ...command], {
    env: { PATH: process.env.PATH ?? "", OUT: out },
  });
  assert.match(result.stderr, "exit 0");
  assert.is((JSON.parse(readFileSync(out, "utf8")) as { id: string }).id, c.id);
});

bad("--log-format [invalid]", async (c) => {
  refuse(await c.runt(["--log-format", "nonsense", "list"]), "nonsense");
});

bad("--log-format json [exactly one line, an error]", async (c) => {
  const log = join(c.dir, "log.json");
  c.configure((spec) => {
    spec.process.args = ["nonesuch"];
  });
  const args = ["--log", log, "--log-format", "json", "create", "--bundle", c.bundle, c.id];
  const result = refuse(await c.runt(args), "executable file not found in $PATH");
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  assert.is(lines.length, 1, lines.join("\n"));
  const entry = JSON.parse(lines[0] ?? "") as { level: string; msg: string; time: string };
  assert.is(entry.level, "error");
  assert.match(entry.msg, 'exec: "nonesuch": executable file not found in $PATH');
  assert.ok(result.stderr.includes("executable file not found in $PATH"));
  assert.not.ok(Number.isNaN(Date.parse(entry.time)));
});

bad("error text with a line break and an escape in it stays one line and is quoted", async (c) => {
  c.configure((spec) => {
    spec.process.args = ["/no\n\u001b]0;title\u0007level=error"];
  });
  const result = await c.create();
  oneLine(result, "no such file or directory");
  assert.not(result.stderr.includes("\u001b"));
});

bad("an environment without PATH and HOME", async (c) => {
  const options = { env: {} };
  succeed(await c.create(options));
  succeed(await c.runt(["state", c.id], options));
  succeed(await c.runt(["start", c.id], options));
  succeed(await c.runt(["delete", "--force", c.id], options));
});

bad(
  "--systemd-cgroup on a host without systemd is refused, not ignored",
  async (c) => {
    const without = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "sh"];
    const command = [runtimePath, "--root", c.root, "--systemd-cgroup", "create", "--bundle", c.bundle, c.id];
    const result = await runCommand([...without, ...command]);
    refuse(result, "systemd not running on this host, cannot use systemd cgroups manager");
  },
  { needs: ["unshare", "mount"] },
);

const start = "unable to start container process:";
for (const [title, edit, text] of [
  [
    "a program that is not there",
    (spec: Spec) => Object.assign(spec.process, { args: ["nonesuch"] }),
    `${start} exec: "nonesuch": executable file not found in $PATH`,
  ],
  [
    "a path that is not there",
    (spec: Spec) => Object.assign(spec.process, { args: ["/none"] }),
    `${start} exec: "/none": stat /none: no such file or directory`,
  ],
  [
    "a file that is no program",
    (spec: Spec) => Object.assign(spec.process, { args: ["/etc/passwd"] }),
    `${start} exec: "/etc/passwd": permission denied`,
  ],
  [
    "a step of the init process",
    (spec: Spec) => spec.mounts.push({ destination: "/mnt", type: "nonsensefs", source: "x" }),
    `${start} error during container init: `,
  ],
  [
    "a hook of the runtime",
    (spec: Spec) => Object.assign(spec, { hooks: { prestart: [{ path: "/bin/false" }] } }),
    `${start} error during container init: error running `,
  ],
] as const)
  bad(`the words in front of a failed start are runc's [${title}]`, async (c) => {
    c.configure(edit);
    for (const command of ["create", "run"]) {
      const { stderr } = await c.runt([command, "--bundle", c.bundle, c.id]);
      const said = stderr.replaceAll('\\"', '"').replace(/^.* msg="/, "");
      assert.ok(said.replace(/^run[tc] /, "").startsWith(`${command} failed: ${text}`), stderr);
    }
  });

bad(
  "without root the state is in $XDG_RUNTIME_DIR for every command, sealed or not",
  async (c) => {
    const runtime = runtimeForAll(c);
    const env = { PATH: process.env.PATH ?? "", XDG_RUNTIME_DIR: join(c.dir, "runtime") };
    for (const words of [
      ["state", "x"],
      ["exec", "x", "true"],
      ["exec", "x", "df", "-h"], // no question for help
    ]) {
      const result = await runCommand(asUser([runtime, "--trace", "-", ...words]), { env, cwd: "/" });
      refuse(result, join(c.dir, "runtime/runt/x"));
    }
  },
  { needs: ["built", "setpriv"] },
);

bad.run();
