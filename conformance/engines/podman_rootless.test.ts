// Podman as an ordinary user has it: the runtime is called as uid 0 of a user namespace that Podman made. Here the user is
// "nobody" and has no cgroups; in the test machine (`test.ts --vm PATH`, half an hour) a user with a session, whose systemd makes the cgroups.
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { USER, withSubordinateIds } from "../mode.ts";
import { inTestMachine, type Need, runtimePath } from "../needs.ts";
import { makeRootfs } from "../rootfs.ts";

const uid = inTestMachine ? 1000 : USER;
const needed: readonly Need[] = ["podman", "conmon", "newuidmap", "setpriv", "unshare"];
const rootless = conformance("rootless podman", "root");

type Podman = {
  readonly podman: (...words: string[]) => Promise<Result>;
  /** What it prints, without the last newline. */
  readonly output: (...words: string[]) => Promise<string>;
  readonly dir: string;
};

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** With a home of its own and an image "bb". */
async function withPodman(c: Fixture, body: (p: Podman) => Promise<void>): Promise<void> {
  const home = join(c.dir, "home");
  const runtime = join(c.dir, "runtime");
  const run = inTestMachine ? `/run/user/${uid}` : join(c.dir, "run");
  configure(home, runtime);
  if (!inTestMachine) mkdirSync(run, { mode: 0o700 });
  makeRootfs(join(c.dir, "image"));
  succeed(await runCommand(["cp", runtimePath, runtime]));
  succeed(await runCommand(["tar", "-C", join(c.dir, "image"), "-cf", join(c.dir, "image.tar"), "."]));
  chmodSync(c.dir, 0o755);
  for (const dir of [home, ...(inTestMachine ? [] : [run])])
    succeed(await runCommand(["chown", "-R", `${uid}:${uid}`, dir]));
  const as = (words: readonly string[]): string[] => {
    const variables = [`HOME=${home}`, `XDG_RUNTIME_DIR=${run}`, `PATH=${process.env.PATH}:/usr/sbin:/sbin`];
    const argv = ["env", ...variables, "podman", "--runtime", runtime, ...words];
    if (inTestMachine) return ["as-user", argv.map(quoted).join(" ")];
    return withSubordinateIds(c, ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", ...argv]);
  };
  const podman: Podman["podman"] = (...words) => runCommand(as(words), { cwd: c.dir, timeoutSeconds: 60 });
  const output: Podman["output"] = async (...words) => succeed(await podman(...words)).stdout.trimEnd();
  try {
    await output("import", "-q", join(c.dir, "image.tar"), "bb");
    await body({ podman, output, dir: c.dir });
  } finally {
    await podman("pod", "rm", "-fa", "-t0");
    await podman("rm", "-fa", "-t0");
    await podman("rmi", "-fa");
    // The process that keeps the user namespace.
    const pause = join(run, "libpod/tmp/pause.pid");
    if (existsSync(pause)) process.kill(Number(readFileSync(pause, "utf8")), "SIGKILL");
  }
}

function configure(home: string, runtime: string): void {
  const containers = join(home, ".config/containers");
  mkdirSync(containers, { recursive: true });
  const manager = inTestMachine ? "systemd" : "cgroupfs";
  const lines = [
    `[engine]\ncgroup_manager = "${manager}"\nevents_logger = "file"\nruntime_supports_json = ["runtime"]`,
    `[engine.runtimes]\nruntime = ["${runtime}"]`,
  ];
  writeFileSync(join(containers, "containers.conf"), `${lines.join("\n")}\n`);
  writeFileSync(join(containers, "storage.conf"), '[storage]\ndriver = "vfs"\n');
  writeFileSync(join(containers, "policy.json"), '{ "default": [{ "type": "insecureAcceptAnything" }] }\n');
}

const test = (
  title: string,
  body: (p: Podman, c: Fixture) => Promise<void>,
  more: readonly Need[] = [],
): void => rootless(title, (c) => withPodman(c, (p) => body(p, c)), { needs: [...needed, ...more] });

const run = ["run", "--rm", "--network", "none"];

test("run: root inside is the user, the exit status, another user, groups", async ({ podman, output }) => {
  assert.is(
    await output(...run, "bb", "sh", "-c", "id -u; head -1 /proc/self/uid_map | tr -s ' '"),
    `0\n 0 ${uid} 1`,
  );
  assert.is((await podman(...run, "bb", "sh", "-c", "exit 7")).status, 7);
  assert.is(
    await output(...run, "--user", "1000:1001", "bb", "id"),
    "uid=1000(user) gid=1001(1001) groups=1001(1001)",
  );
  assert.is(
    await output(
      ...run,
      "--group-add",
      "5",
      "bb",
      "sh",
      "-c",
      "grep Groups /proc/self/status | tr -s '\\t ' ' '",
    ),
    "Groups: 5",
  );
});

test("--userns keep-id and auto, --uidmap: a user namespace within Podman's", async ({ output }) => {
  const map = ["bb", "sh", "-c", "id -u; tr -s ' ' </proc/self/uid_map"];
  assert.match(
    await output(...run, "--userns=keep-id", ...map),
    new RegExp(`^${uid}\\n(.*\\n)* ${uid} 0 1(\\n|$)`),
  );
  assert.match(await output(...run, "--userns=auto:size=1024", ...map), /^0\n 0 \d+ 1024$/);
  assert.match(await output(...run, "--uidmap=0:1:500", ...map), /^0\n 0 1 500$/);
});

test("a terminal, also for exec", async ({ output }) => {
  assert.is(await output(...run, "-t", "bb", "tty"), "/dev/pts/0");
  await output("run", "-d", "--network", "none", "--name", "one", "bb", "sleep", "600");
  assert.is(await output("exec", "-t", "one", "sh", "-c", "tty; test -t 1 && echo yes"), "/dev/pts/0\r\nyes");
});

test("a container's life: exec, its status and user, stop, start, kill, rm", async ({ podman, output }) => {
  const status = () => output("inspect", "--format", "{{.State.Status}}", "one");
  await output(
    "run",
    "-d",
    "--network",
    "none",
    "--name",
    "one",
    "bb",
    "sh",
    "-c",
    "trap exit TERM; while :; do sleep 0.1; done",
  );
  assert.is(await status(), "running");
  assert.is(await output("exec", "one", "id", "-u"), "0");
  assert.is(await output("exec", "--user", "1000", "one", "id", "-u"), "1000");
  assert.is((await podman("exec", "one", "sh", "-c", "exit 9")).status, 9);
  await output("stop", "one");
  assert.is(await status(), "exited");
  await output("start", "one");
  await output("kill", "one");
  await output("wait", "one");
  await output("rm", "one");
});

test("a pod shares its namespaces", async ({ output }) => {
  await output(
    "pod",
    "create",
    "--name",
    "pod",
    "--network",
    "none",
    "--infra-image",
    "bb",
    "--infra-command",
    "/bin/sleep 600",
  );
  await output("run", "-d", "--pod", "pod", "--name", "first", "bb", "sleep", "600");
  const each = `for n in net ipc uts; do readlink /proc/self/ns/$n; done`;
  assert.is(
    await output("exec", "first", "sh", "-c", each),
    await output("run", "--rm", "--pod", "pod", "bb", "sh", "-c", each),
  );
});

test("volumes: read-only, given to the user inside (:U), named, a tmpfs", async ({ podman, output, dir }) => {
  const volume = join(dir, "volume");
  mkdirSync(volume);
  chownSync(volume, uid, uid);
  assert.match(
    (await podman(...run, "-v", `${volume}:/v:ro`, "bb", "touch", "/v/x")).stderr,
    /Read-only file system/,
  );
  assert.is(
    await output(
      ...run,
      "-v",
      `${volume}:/v:U`,
      "--user",
      "1000",
      "bb",
      "sh",
      "-c",
      "touch /v/x; stat -c %u /v/x",
    ),
    "1000",
  );
  assert.is(await output(...run, "-v", "named:/v", "bb", "sh", "-c", "touch /v/x; stat -c %u /v/x"), "0");
  assert.match(
    await output(...run, "--tmpfs", "/t:size=1m", "bb", "grep", " /t ", "/proc/mounts"),
    /^tmpfs \/t tmpfs rw,nosuid,nodev,(noexec,)?relatime,size=1024k/,
  );
});

test("privileged, read-only, a device, capabilities, limits, a score, sysctl", async ({ podman, output }) => {
  assert.is(
    await output(...run, "--privileged", "bb", "sh", "-c", "mount -t tmpfs t /mnt && echo mounted"),
    "mounted",
  );
  assert.match((await podman(...run, "--read-only", "bb", "touch", "/x")).stderr, /Read-only file system/);
  assert.is(await output(...run, "--device", "/dev/fuse", "bb", "stat", "-c", "%t:%T", "/dev/fuse"), "a:e5");
  assert.is(
    await output(
      ...run,
      "--cap-drop",
      "all",
      "--cap-add",
      "kill",
      "bb",
      "sh",
      "-c",
      "grep CapEff /proc/self/status | cut -f2",
    ),
    "0000000000000020",
  );
  assert.is(
    await output(...run, "--ulimit", "nofile=100:200", "bb", "sh", "-c", "ulimit -Sn; ulimit -Hn"),
    "100\n200",
  );
  assert.is(await output(...run, "--oom-score-adj", "333", "bb", "cat", "/proc/self/oom_score_adj"), "333");
  assert.is(
    await output(...run, "--sysctl", "net.ipv4.ip_forward=1", "bb", "cat", "/proc/sys/net/ipv4/ip_forward"),
    "1",
  );
});

test("the caller's pid and network namespaces", async ({ output }) => {
  assert.is(
    await output(
      "run",
      "--rm",
      "--pid=host",
      "--network=none",
      "bb",
      "sh",
      "-c",
      "readlink /proc/self/ns/pid",
    ),
    await Bun.$`readlink /proc/self/ns/pid`.text().then((text) => text.trim()),
  );
  assert.match(await output("run", "--rm", "--network=host", "bb", "sh", "-c", "ls /sys/class/net"), /^lo$/m);
});

test(
  "a network by slirp4netns",
  async ({ output }) => {
    assert.match(
      await output("run", "--rm", "--network=slirp4netns", "bb", "ip", "-4", "addr", "show", "tap0"),
      /inet 10\.0\.2\.100\/24/,
    );
  },
  ["slirp4netns"],
);

test("build: what RUN does is in the image", async ({ output, dir }) => {
  writeFileSync(
    join(dir, "Containerfile"),
    "FROM bb\nRUN id -u >/made && chmod 1777 /tmp\nUSER 1000\nRUN id -u >/tmp/made\n",
  );
  await output("build", "-q", "-t", "built", "-f", join(dir, "Containerfile"), join(dir, "home"));
  assert.is(await output(...run, "built", "cat", "/made", "/tmp/made"), "0\n1000");
});

if (inTestMachine)
  test("limits by the user's systemd, pause, stats, update", async ({ output }) => {
    await output(
      "run",
      "-d",
      "--network",
      "none",
      "--name",
      "one",
      "--memory",
      "64m",
      "--pids-limit",
      "50",
      "bb",
      "sleep",
      "600",
    );
    const limits = ["exec", "one", "cat", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/pids.max"];
    assert.is(await output(...limits), "67108864\n50");
    await output("pause", "one");
    assert.is(await output("inspect", "--format", "{{.State.Status}}", "one"), "paused");
    await output("unpause", "one");
    assert.match(await output("stats", "--no-stream", "--format", "{{.PIDs}}", "one"), /^\d+$/);
  });

rootless.run();
