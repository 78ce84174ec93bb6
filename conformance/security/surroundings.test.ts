// What surrounds a start changes nothing of what a command does: variables of the environment, files of the working
// directory and of the image, standard streams that are closed or strange, limits. Each command is run with and without.
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
import { inotifyInit, tryInotifyAddWatch } from "../../syscalls/notify.ts";
import { close } from "../../syscalls/open.ts";
import { type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { engineProfile } from "../seccomp_profile.ts";
import { shell } from "../spec.ts";

const surroundings = conformance("surroundings");

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

/** Names that a dynamic loader, a C library, or an engine of JavaScript would obey, to values that would show. */
const obeyed = ({ dir, marker, preload }: Trap): Readonly<Record<string, Environment>> => ({
  "nothing but files in the working directory and in the image": {},
  "what a loader obeys": {
    LD_PRELOAD: join(dir, "libc.so.6"),
    LD_LIBRARY_PATH: dir,
    LD_AUDIT: join(dir, "libm.so.6"),
    LD_DEBUG: "all",
    LD_DEBUG_OUTPUT: marker,
    LD_BIND_NOW: "1",
    LD_PROFILE: "libc.so.6",
    LD_PROFILE_OUTPUT: dir,
    LD_SHOW_AUXV: "1",
    LD_TRACE_LOADED_OBJECTS: "1",
    LD_WARN: "1",
    LD_ORIGIN_PATH: dir,
  },
  "what the C library obeys": {
    GLIBC_TUNABLES:
      "glibc.malloc.check=3:glibc.malloc.perturb=165:glibc.malloc.tcache_count=0:glibc.mem.tagging=3:glibc.rtld.nns=1",
    MALLOC_CHECK_: "3",
    MALLOC_PERTURB_: "165",
    MALLOC_ARENA_MAX: "1",
    MALLOC_MMAP_THRESHOLD_: "1",
    MALLOC_TOP_PAD_: "0",
    MALLOC_TRACE: marker,
    MALLOC_CONF: "abort:true",
    LIBC_FATAL_STDERR_: "1",
    RES_OPTIONS: "debug",
    RESOLV_HOST_CONF: preload,
    HOSTALIASES: preload,
    GETCONF_DIR: dir,
    TMPDIR: dir,
  },
  "languages and time zones": {
    GCONV_PATH: dir,
    LOCPATH: dir,
    NLSPATH: join(dir, "%N"),
    LANG: "tr_TR.UTF-8",
    LC_ALL: "tr_TR.UTF-8",
    LANGUAGE: "tr",
    CHARSET: "UTF-7",
    OUTPUT_CHARSET: "UTF-16",
    TZ: `:${preload}`,
    TZDIR: dir,
  },
  "a time zone": { TZ: "Pacific/Kiritimati" },
  "what engines of JavaScript obey": {
    NODE_OPTIONS: `--require ${preload}`,
    NODE_PATH: dir,
    BUN_BE_BUN: "1",
    BUN_OPTIONS: `--preload=${preload}`,
    BUN_INSPECT: `ws+unix://${marker}`,
    BUN_PRELOAD: preload,
    BUN_CONFIG_FILE: join(dir, "bunfig.toml"),
    BUN_JSC_useJIT: "0",
    QJS_MEMORY_LIMIT: "1",
    XDG_CONFIG_HOME: dir,
    DENO_DIR: dir,
  },
  "what looks like our own": {
    RUNT_SEALED_FD: "0",
    RUNT_FAULT: "openat:1:EIO",
    RUNT_ROOT: dir,
    RUNT_DEBUG: "1",
    FAULT_INJECTION: "1",
    DEBUG: "1",
    HOME: dir,
    PWD: dir,
    SHELL: "/bin/fish",
    COLUMNS: "20",
    NO_COLOR: "1",
    TERM: "dumb",
  },
  "a descriptor that is none, as our own": { RUNT_SEALED_FD: "-1e3" },
  "two hundred others": Object.fromEntries(
    Array.from({ length: 200 }, (_, i) => [`${"XQZ_"[i % 4]}${(i * 7919).toString(36)}`, `${dir}/${i}`]),
  ),
});

/** A shell's way to start the command otherwise. */
type Variant = {
  readonly script: string;
  /** What it says on standard error has nowhere to go. */
  readonly mute?: boolean;
  /** The bundle has to be named. */
  readonly elsewhere?: boolean;
};

const variants: Readonly<Record<string, Variant>> = {
  "standard input is closed": { script: 'exec "$@" <&-' },
  "standard input is a directory": { script: 'exec "$@" </' },
  "standard input can only be written to": { script: 'exec "$@" 0>>"$BUNDLE/../sink"' },
  "standard error is closed": { script: 'exec "$@" 2>&-', mute: true },
  "standard error is full": { script: 'exec "$@" 2>/dev/full', mute: true },
  "nobody reads standard error": {
    script: 'set -o pipefail; (sleep 0.05; exec "$@") 2>&1 >&3 | :',
    mute: true,
  },
  "signals are ignored": { script: "trap '' PIPE CHLD HUP INT TERM; exec \"$@\"" },
  "the working directory is gone": {
    script: 'gone=$(mktemp -d); cd "$gone"; rmdir "$gone"; exec "$@"',
    elsewhere: true,
  },
  "64 MB of address space": { script: 'ulimit -v 65536; exec "$@"' },
  "16 descriptors": { script: 'ulimit -Sn 16; exec "$@"' },
  "a stack of 256 KB": { script: 'ulimit -Ss 256; exec "$@"' },
  "descriptors 3 to 30 are open": {
    script: `exec ${Array.from({ length: 7 }, (_, i) => `${i + 3}</`).join(" ")}; exec "$@"`,
  },
  "a umask of 0777": { script: 'umask 0777; exec "$@"' },
};

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
  // As far as they go on a machine that may have no criu.
  ["checkpoint", "--image-path", "/images", "ID"],
  ["restore", "--bundle", "ELSEWHERE", "--image-path", "/images", "--empty-ns", "none", "ID"],
];

/** Of those that fail. */
const statuses: Readonly<Record<string, number>> = {
  "run --nonsense": 1,
  nonsense: 3,
  "checkpoint --image-path /images ID": 1,
  "restore --bundle ELSEWHERE --image-path /images --empty-ns none ID": 1,
};

type Said = {
  readonly words: string;
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** What the commands of the life say, without numbers: those of pids and times differ from one life to the next. */
async function live(c: Fixture, env: Environment, variant?: Variant): Promise<Said[]> {
  const elsewhere = join(c.dir, "elsewhere");
  mkdirSync(elsewhere, { recursive: true });
  const said: Said[] = [];
  for (const words of life) {
    const bundle = variant?.elsewhere && /^(create|run)$/.test(words[0] ?? "") ? ["--bundle", c.bundle] : [];
    const argv = [words[0] ?? "", ...bundle, ...words.slice(1)].map((word) =>
      word === "ID" ? c.id : word === "ELSEWHERE" ? elsewhere : word,
    );
    const root = words[0] === "--complete" ? [] : ["--root", c.root]; // it is asked before all else
    const started = variant === undefined ? [] : ["bash", "-c", `exec 3>&1; ${variant.script}`, "bash"];
    const options = { env: { ...base, ...env, BUNDLE: c.bundle }, cwd: c.bundle, timeoutSeconds: 20 };
    const result = await runCommand([...started, runtimePath, ...root, ...argv], options);
    assert.not(result.timedOut, words.join(" "));
    const seen = withoutNumbers(c, words, result);
    said.push({ words: words.join(" "), ...seen, ...(variant?.mute ? { stderr: "" } : {}) });
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
  for (const { words, status, stderr } of said) assert.is(status, statuses[words] ?? 0, words + stderr);
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

surroundings(
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

for (const title of Object.keys(obeyed({ dir: "", marker: "", preload: "" })))
  surroundings(
    `${title}: every command does the same as without`,
    async (c) => {
      configure(c);
      plain ??= await livePlainly(c);
      const marker = join(c.dir, "marker");
      const inBundle = trap(c.bundle, marker);
      trap(c.rootfs, marker);
      const before = readdirSync(c.bundle).sort();
      const traps = new Set(before.filter((name) => name !== "config.json" && name !== "rootfs"));
      const opened = await openedDuring([c.bundle, c.rootfs], async () => {
        const said = await live(c, obeyed(inBundle)[title] ?? {});
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

for (const [title, variant] of Object.entries(variants))
  surroundings(
    `${title}: every command does the same as without`,
    async (c) => {
      configure(c);
      plain ??= await livePlainly(c);
      const said = await live(c, {}, variant);
      for (const [i, each] of said.entries())
        assert.equal(each, variant.mute ? { ...plain[i], stderr: "" } : plain[i]);
      assert.is(said.length, plain.length);
    },
    { needs: ["built"] },
  );

surroundings(
  "such variables in the image's environment do nothing, and reach the process as data",
  async (c) => {
    const traps = trap(c.bundle, join(c.dir, "marker"));
    const all = Object.assign({}, ...Object.values(obeyed(traps))) as Record<string, string>;
    c.configure((spec) => {
      spec.process.env = ["PATH=/bin", ...Object.entries(all).map(([name, value]) => `${name}=${value}`)];
      shell(spec, "cat /proc/1/environ");
    });
    const seen = succeed(await c.run({ timeoutSeconds: 10 })).stdout.split("\0");
    // The C library of the image's own programs takes the first apart where it stands; the second is the runtime's.
    for (const name of ["GLIBC_TUNABLES", "PWD"]) delete all[name];
    for (const [name, value] of Object.entries(all)) assert.ok(seen.includes(`${name}=${value}`), name);
    assert.not(existsSync(traps.marker));
  },
  { needs: ["built"] },
);

surroundings(
  "a small limit of open files is the program's and its hooks', though the runtime needs more",
  async (c) => {
    c.configure((spec) => {
      spec.process.rlimits = [];
      shell(spec, "ulimit -Sn");
      const args = ["sh", "-c", `ulimit -Sn >${c.dir}/hook`];
      spec.hooks = { createRuntime: [{ path: "/bin/sh", args }] };
    });
    const command = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
    const { stdout } = succeed(
      await runCommand(["bash", "-c", 'ulimit -Sn 17; exec "$@"', "bash", ...command]),
    );
    assert.is(stdout, "17\n");
    assert.is(readFileSync(join(c.dir, "hook"), "utf8"), "17\n");
  },
  { needs: ["built"] },
);

surroundings("the log's time does not depend on TZ files, and is RFC 3339", async (c) => {
  const log = join(c.dir, "log");
  const args = ["--log", log, "--log-format", "json", "state", "nobody"];
  await runCommand([runtimePath, "--root", c.root, ...args], { env: { ...base, TZ: "Nowhere/Else" } });
  const { time } = JSON.parse(readFileSync(log, "utf8")) as { time: string };
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
});

surroundings.run();
