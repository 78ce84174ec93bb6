// The executable is made by Bun, and Bun's own switches must be dead in it: variables that turn it into a JavaScript
// interpreter, load other files first, open a debugger, or write files, and configuration files and libraries that lie
// in the working directory or in the image. Each command is run with them and without, in both of its starts.
import "../bun_host.ts";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { close } from "../../syscalls/file.ts";
import { inotifyInit, tryInotifyAddWatch } from "../../syscalls/notify.ts";
import { type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { engineProfile } from "../seccomp_profile.ts";
import { shell } from "../spec.ts";

const hazards = conformance("Bun's switches");

type Environment = Readonly<Record<string, string>>;

/** A directory full of traps. What runs would create the marker. */
type Trap = { readonly dir: string; readonly marker: string; readonly preload: string };

const libraries = "c.so.6 dl.so.2 m.so.6 pthread.so.0 seccomp.so.2 selinux.so.1 systemd.so.0".split(" ");

function trap(dir: string, marker: string): Trap {
  const preload = join(dir, "preload.js");
  const write = (name: string, text: string) => writeFileSync(join(dir, name), text);
  const bunfig = `preload = [${JSON.stringify(preload)}]\n[run]\npreload = [${JSON.stringify(preload)}]\n`;
  write("preload.js", `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "ran");`);
  for (const name of ["bunfig.toml", ".bunfig.toml"]) write(name, bunfig);
  // Unlike the others, the first of these shows in what a command says.
  const env = `RUNT_SEALED_FD=99\nBUN_BE_BUN=1\nBUN_OPTIONS=--preload=${preload}\nXDG_RUNTIME_DIR=/evil\n`;
  for (const name of [".env", ".env.local", ".env.development", ".env.production"]) write(name, env);
  for (const name of ["tsconfig.json", "jsconfig.json", "package.json"]) write(name, "{ this is not JSON");
  for (const name of libraries) write(`lib${name}`, "not a library");
  mkdirSync(join(dir, "node_modules/yargs"), { recursive: true });
  symlinkSync(preload, join(dir, "node_modules/yargs/index.js"));
  return { dir, marker, preload };
}

/** The names of the files in these directories that `body` has opened, itself or by any process. */
async function openedDuring(dirs: readonly string[], body: () => Promise<void>): Promise<string[]> {
  const IN_OPEN = 0x20;
  const fd = inotifyInit();
  try {
    for (const dir of dirs) assert.ok(tryInotifyAddWatch(fd, dir, IN_OPEN) >= 0, dir);
    await body();
    const names: string[] = [];
    for (const events of eventsOf(fd)) {
      // struct inotify_event: wd, mask, cookie, len, and a name of len bytes; without one it is the directory itself.
      for (let at = 0; at < events.length; at += 16 + events.readUInt32LE(at + 12))
        names.push(
          events.toString("utf8", at + 16, at + 16 + events.readUInt32LE(at + 12)).replace(/\0.*/s, ""),
        );
    }
    return [...new Set(names)].sort();
  } finally {
    close(fd);
  }
}

function* eventsOf(fd: number): Generator<Buffer> {
  for (;;) {
    const buffer = Buffer.alloc(65536);
    try {
      yield buffer.subarray(0, readSync(fd, buffer));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return;
      throw error;
    }
  }
}

const variables = ({ dir, marker, preload }: Trap): readonly Environment[] => [
  {},
  { BUN_BE_BUN: "1" },
  { BUN_BE_BUN: "true" },
  { BUN_OPTIONS: `--preload=${preload}` },
  { BUN_OPTIONS: `-r ${preload}` },
  { BUN_OPTIONS: `--config=${join(dir, "bunfig.toml")}` },
  { BUN_OPTIONS: "--cwd=/" },
  { BUN_INSPECT: "ws://127.0.0.1:0/x?wait=1" },
  { BUN_INSPECT: `ws+unix://${marker}` },
  { BUN_INSPECT_PRELOAD: preload },
  { BUN_BYTECODE_ORDER_OUT: marker },
  { NODE_OPTIONS: `--require ${preload}` },
  { BUN_PRELOAD: preload },
  { BUN_CONFIG_FILE: join(dir, "bunfig.toml") },
  { XDG_CONFIG_HOME: dir },
  { TZ: "Pacific/Kiritimati" },
  { TZ: `:${preload}` },
];

/** A whole life, with every command in it; the working directory is the bundle, as it is under containerd. */
const life: readonly (readonly string[])[] = [
  ["create", "ID"],
  ["state", "ID"],
  ["list", "--format", "json"],
  ["start", "ID"],
  ["ps", "ID", "-o", "pid,ppid"],
  ["exec", "ID", "sh", "-c", "tr '\\0' '\\n' </proc/$$/environ; ulimit -Sn; pwd"],
  ["update", "--pids-limit", "50", "ID"],
  ["pause", "ID"],
  ["resume", "ID"],
  ["events", "--stats", "ID"],
  ["kill", "ID", "KILL"],
  ["delete", "--force", "ID"],
  ["run", "--detach", "ID"],
  ["delete", "--force", "ID"],
  ["spec", "--bundle", "ELSEWHERE"],
  ["features"],
  ["help", "run"],
  ["completion", "zsh"],
  ["--complete", "runt", "cre"],
  ["--version"],
  ["run", "--nonsense"],
  ["nonsense"],
];

type Said = {
  readonly words: string;
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** What the commands of the life say, without numbers: those of pids and times differ from one life to the next. */
async function live(c: Fixture, env: Environment): Promise<Said[]> {
  const elsewhere = join(c.dir, "elsewhere");
  mkdirSync(elsewhere, { recursive: true });
  const said: Said[] = [];
  for (const words of life) {
    const argv = words.map((word) => (word === "ID" ? c.id : word === "ELSEWHERE" ? elsewhere : word));
    const root = words[0] === "--complete" ? [] : ["--root", c.root]; // it is asked before all else
    const options = { env: { ...base, ...env }, cwd: c.bundle, timeoutSeconds: 20 };
    const result = await runCommand([runtimePath, ...root, ...argv], options);
    assert.not(result.timedOut, words.join(" "));
    said.push({ words: words.join(" "), ...withoutNumbers(c, words, result) });
  }
  const file = join(elsewhere, "config.json");
  said.push({ words: "config.json", status: 0, stdout: readFileSync(file, "utf8"), stderr: "" });
  rmSync(file);
  return said;
}

/** The same for every container, so once is enough. */
let plain: Said[] | undefined;

async function livePlainly(c: Fixture): Promise<Said[]> {
  const said = await live(c, {});
  for (const { words, status, stderr } of said)
    assert.is(status, { "run --nonsense": 1, nonsense: 3 }[words] ?? 0, words + stderr);
  return said;
}

function withoutNumbers(c: Fixture, [name]: readonly string[], { status, stdout, stderr }: Result) {
  const blank = (text: string) =>
    text.replaceAll(c.token, "TOKEN").replace(/\d+/g, "N").replace(/^ +/gm, "").replace(/ +/g, " ");
  // Which of its members are zero, and so left out, is different each time.
  return { status, stdout: name === "events" ? "" : blank(stdout), stderr: blank(stderr) };
}

const base: Environment = { PATH: process.env.PATH ?? "" };

function configure(c: Fixture): void {
  c.configure((spec) => {
    shell(spec, "exec sleep 600");
    spec.linux.seccomp = engineProfile(); // whose library is looked for
    spec.process.env = ["PATH=/bin"];
  });
}

hazards(
  "the life has every command in it",
  async () => {
    const { stdout } = succeed(await runCommand([runtimePath, "--help"]));
    const names = [...stdout.matchAll(/^ {2}([a-z]+) +\S/gm)].map(([, name]) => name);
    assert.ok(names.length > 15);
    const used = new Set(life.map(([name]) => name));
    assert.equal(
      names.filter((name) => !used.has(name ?? "")),
      [],
    );
  },
  { needs: ["built"] },
);

for (const [index, shown] of variables({ dir: "DIR", marker: "MARKER", preload: "PRELOAD" }).entries()) {
  const title = Object.entries(shown).map(([name, value]) => `${name}=${value}`);
  hazards(
    `${title.length === 0 ? "files in the working directory" : title.join(" ")}: every command does the same as without`,
    async (c) => {
      configure(c);
      plain ??= await livePlainly(c);
      const marker = join(c.dir, "marker");
      const inBundle = trap(c.bundle, marker);
      trap(c.rootfs, marker);
      const before = readdirSync(c.bundle).sort();
      // The C library takes the file that TZ names for a table of time zones, and no more.
      const expected = ["config.json", "rootfs", ...(shown.TZ?.startsWith(":") ? ["preload.js"] : [])];
      const traps = new Set(before.filter((name) => !expected.includes(name)));
      const opened = await openedDuring([c.bundle, c.rootfs], async () => {
        const said = await live(c, variables(inBundle)[index] ?? {});
        for (const [i, each] of said.entries()) assert.equal(each, plain?.[i]);
        assert.is(said.length, plain?.length);
      });
      assert.ok(opened.includes("config.json"), "the watch saw nothing");
      assert.equal(
        opened.filter((name) => traps.has(name)),
        [],
      );
      assert.equal(readdirSync(c.bundle).sort(), before);
      assert.not(existsSync(marker), "the trap was run");
    },
    { needs: ["built"] },
  );
}

const seccompLibrary = ["x86_64-linux-gnu", "aarch64-linux-gnu", "../lib64", ""]
  .map((dir) => join("/usr/lib", dir, "libseccomp.so.2"))
  .find((path) => existsSync(path));

hazards(
  "a library of the host that cannot be loaded is not looked for in the working directory",
  async (c) => {
    configure(c);
    trap(c.bundle, join(c.dir, "marker"));
    const empty = join(c.dir, "empty");
    writeFileSync(empty, "");
    const script = 'mount --bind "$1" "$2"; shift 2; exec "$@"';
    const create = [runtimePath, "--root", c.root, "create", c.id];
    const argv = ["unshare", "-m", "sh", "-ec", script, "sh", empty, seccompLibrary ?? "", ...create];
    const opened = await openedDuring([c.bundle], async () => {
      refuse(await runCommand(argv, { cwd: c.bundle }), "libseccomp.so.2: file too short");
    });
    assert.ok(opened.includes("config.json"));
    assert.not(opened.includes("libseccomp.so.2"));
  },
  {
    needs: ["built", "unshare", "mount"],
    lacks: seccompLibrary === undefined ? "libseccomp is not installed" : undefined,
  },
);

hazards(
  "Bun's variables in the image's environment do nothing, and reach the process as data",
  async (c) => {
    const hazard = trap(c.bundle, join(c.dir, "marker"));
    const all = Object.assign({}, ...variables(hazard)) as Record<string, string>;
    c.configure((spec) => {
      spec.process.env = ["PATH=/bin", ...Object.entries(all).map(([name, value]) => `${name}=${value}`)];
      shell(spec, "cat /proc/1/environ");
    });
    const seen = succeed(await c.run({ timeoutSeconds: 10 })).stdout.split("\0");
    for (const [name, value] of Object.entries(all)) assert.ok(seen.includes(`${name}=${value}`), name);
    assert.not(existsSync(hazard.marker));
  },
  { needs: ["built"] },
);

hazards("the log's time does not depend on TZ files, and is RFC 3339", async (c) => {
  const log = join(c.dir, "log");
  const args = ["--log", log, "--log-format", "json", "state", "nobody"];
  await runCommand([runtimePath, "--root", c.root, ...args], { env: { ...base, TZ: "Nowhere/Else" } });
  const { time } = JSON.parse(readFileSync(log, "utf8")) as { time: string };
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
});

hazards.run();
