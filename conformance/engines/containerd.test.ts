// serial
// containerd by ctr and its shim, with images from this machine and a daemon of our own.
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, type Result } from "../command.ts";
import { refuse, succeed } from "../harness.ts";
import { statusField } from "../inspect.ts";
import { cgroupsOf } from "../leftovers.ts";
import { cgroupVersion, runtimePath } from "../needs.ts";
import { runcPath } from "../oracle/compare.ts";
import { withTerminal } from "../pty.ts";
import { defaultSpec } from "../spec.ts";
import { limitsIn } from "./cgroup_limits.ts";
import { type Containerd, containerdNeeds, startContainerd } from "./containerd.ts";
import {
  assertGone,
  attached,
  becomes,
  deleteTask,
  exec,
  execArgs,
  output,
  pidOf,
  pidsOf,
  placesOf,
  procFile,
  run,
  runArgs,
  taskOf,
  withTask,
} from "./ctr.ts";
import { withDialogue } from "./dialogue.ts";
import { engineSuite, long } from "./engine.ts";
import { busybox, imageName } from "./oci_image.ts";
import { assertSame, type Probes, readProbe } from "./probe.ts";
import { snippet } from "./snippet.ts";
import { untilWaiting, waiting } from "./waiting.ts";

const noCri = 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n';
const containerd = engineSuite("containerd", containerdNeeds, (c) =>
  startContainerd(c, "ctr, shim v2", { namespace: c.token, images: busybox, config: noCri }),
);

containerd("docs/engines.md [ctr]: its command line runs", async (e) => {
  const words = snippet("containerd by hand").trim().split(/\s+/).slice(1);
  assert.is(succeed(await e.ctr(words)).stdout, "hello\n");
});

containerd("run: output, errors and exit status of the process are those of ctr", async (e) => {
  const flags = ["--env", "A=b c", "--cwd", "/tmp"];
  const script = 'echo "$A $(pwd) $1"; echo wrong >&2; exit 7';
  const { stdout, stderr, status } = await attached(e, "attached", flags, ["sh", "-c", script, "sh", "arg"]);
  assert.is(stdout, "b c /tmp arg\n");
  assert.is(stderr.trim(), "wrong");
  assert.is(status, 7);
  assertGone(e, "attached");
});

containerd("run: much output arrives whole", async (e) => {
  const bytes = "dd if=/dev/zero bs=64k count=160 2>/dev/null | tr '\\0' x";
  assert.is((await output(e, "much", [], bytes)).length, 160 * 64 * 1024);
});

containerd("run: what is written to standard input arrives, and its end", async (e) => {
  const argv = e.ctrArgs(runArgs(["--rm"], imageName, "stdin", ["sh", "-c", "echo ready; cat; echo end"]));
  await withDialogue(e.host.enter(["timeout", "-k", "1", "100", ...argv]), async (dialogue) => {
    await dialogue.says("ready");
    dialogue.write("one line\n");
    await dialogue.says("one line");
    dialogue.end();
    await dialogue.says("end");
    assert.is(await dialogue.status, 0);
  });
});

/** ctr says how large its terminal is after the process has started, or, with exec, before: then it is lost. */
const tellSize = `trap "stty size" WINCH; tty; until stty size 2>/dev/null | grep -v '^0'; do sleep 0.1; done
  until read line; do :; done; echo "got $line"; exit 3`;

containerd("run: a terminal of the caller's size, typed into, resized", async (e) => {
  await withTerminal({ rows: 33, columns: 101 }, async ({ screen, start }) => {
    const argv = runArgs(["--rm", "-t"], imageName, "tty", ["sh", "-c", tellSize]);
    const { status } = start(e.host.enter(e.ctrArgs(argv)));
    await screen.shows("/dev/pts/0", 60);
    await screen.shows("33 101", 60);
    await screen.resizeUntilShown({ rows: 40, columns: 120 });
    screen.type("word\r");
    await screen.shows("got word", 60);
    assert.is(await status, 3);
  });
});

containerd("run --detach, ps, kill by name and by number, delete", async (e) => {
  succeed(await run(e, "detached", ["-d", "--pid-file", join(e.host.dir, "pid")], waiting));
  const task = await taskOf(e, "detached");
  assert.is(task?.status, "RUNNING");
  assert.is(readFileSync(join(e.host.dir, "pid"), "utf8"), `${task?.pid}`);
  const pids = await pidsOf(e, "detached");
  assert.is(pids.length, 2);
  assert.ok(pids.includes(task?.pid ?? -1));
  refuse(await e.ctr(["task", "delete", "detached"]), "must be stopped before deletion");
  succeed(await e.ctr(["task", "kill", "-s", "SIGKILL", "detached"]));
  assert.is(await deleteTask(e, "detached"), 128 + 9);
  refuse(await e.ctr(["task", "kill", "detached"]), "not found");
  succeed(await e.ctr(["task", "start", "-d", "detached"]));
  await untilWaiting(e.host, await pidOf(e, "detached"));
  succeed(await e.ctr(["task", "kill", "-s", "15", "detached"]));
  assert.is(await deleteTask(e, "detached"), 5);
  succeed(await e.ctr(["container", "delete", "detached"]));
  assertGone(e, "detached");
});

containerd(
  "the runtime that is found as runc: create, start and delete apart, and what is called",
  async (e) => {
    const calls = join(e.host.dir, "calls");
    const wrapper = `#!/bin/sh\necho "$*" >>${calls}\nexec ${runtimePath} "$@"\n`;
    writeFileSync(join(e.bin, "runc"), wrapper, { mode: 0o755 });
    succeed(await e.ctr(["container", "create", imageName, "apart", "false"]));
    assert.is(await taskOf(e, "apart"), undefined);
    assert.is((await e.ctr(["task", "start", "apart"])).status, 1);
    succeed(await e.ctr(["container", "delete", "apart"]));
    assertGone(e, "apart");
    const commands = readFileSync(calls, "utf8").match(/\b(create|start|delete)\b(?=.* apart$)/gm);
    assert.equal(commands, ["create", "start", "delete", "delete"]);
  },
);

for (const [runtime, shim] of [
  ["io.containerd.runc.v1", "containerd-shim-runc-v1"],
  ["io.containerd.runtime.v1.linux", "containerd-shim"],
] as const)
  containerd(
    `the older ${shim}, with the runtime that is found as runc: run, exec, pause, resume, kill`,
    async (e) => {
      writeFileSync(join(e.bin, "runc"), `#!/bin/sh\nexec ${runtimePath} "$@"\n`, { mode: 0o755 });
      const start = (id: string, mode: string, argv: readonly string[]) =>
        e.ctr(["run", "--runtime", runtime, mode, imageName, id, ...argv]);
      const { stdout, status } = await start(`${shim}-a`, "--rm", ["sh", "-c", "echo out; exit 3"]);
      assert.equal([stdout, status], ["out\n", 3]);
      succeed(await start(shim, "-d", waiting));
      await untilWaiting(e.host, await pidOf(e, shim));
      assert.is((await exec(e, shim, [], "exit 4")).status, 4);
      succeed(await e.ctr(["task", "pause", shim]));
      succeed(await e.ctr(["task", "resume", shim]));
      succeed(await e.ctr(["task", "kill", shim]));
      assert.is(await deleteTask(e, shim), 5);
      succeed(await e.ctr(["container", "delete", shim]));
      for (const id of [shim, `${shim}-a`]) assertGone(e, id);
    },
    { needs: [shim] },
  );

containerd("exec: attached, with standard input, user, directory and exit status", async (e) => {
  await withTask(e, "exec", ["--env", "A=b"], async () => {
    const { stdout, stderr, status } = await exec(e, "exec", [], "echo $A; echo wrong >&2; exit 9");
    assert.equal([stdout, stderr.trim(), status], ["b\n", "wrong", 9]);
    const { stdout: other } = await exec(e, "exec", ["--user", "1000:1000", "--cwd", "/home"], "id -u; pwd");
    assert.is(other, "1000\n/home\n");
    const argv = e.ctrArgs(execArgs("exec", "with-stdin", [], ["sh", "-c", "echo ready; cat; exit 2"]));
    await withDialogue(e.host.enter(["timeout", "-k", "1", "100", ...argv]), async (dialogue) => {
      await dialogue.says("ready");
      dialogue.write("a line\n");
      await dialogue.says("a line");
      dialogue.end();
      assert.is(await dialogue.status, 2);
    });
    refuse(await e.ctr(execArgs("exec", "none", [], ["/nonexistent"])), /no such file or directory/);
  });
});

containerd("exec with a terminal", async (e) => {
  await withTask(e, "exectty", [], async () => {
    await withTerminal({ rows: 21, columns: 77 }, async ({ screen, start }) => {
      const argv = execArgs("exectty", "t", ["-t"], ["sh", "-c", tellSize]);
      const { status } = start(e.host.enter(e.ctrArgs(argv)));
      await screen.shows("/dev/pts/", 60);
      await screen.resizeUntilShown({ rows: 22, columns: 78 });
      screen.type("word\r");
      assert.is(await status, 3);
    });
  });
});

containerd("exec --detach: its process is the container's, and can be killed by its name", async (e) => {
  await withTask(e, "execd", [], async (pid) => {
    succeed(await e.ctr(execArgs("execd", "background", ["-d"], ["sleep", "1234"])));
    const commandLine = (each: number): string => procFile(e, each, "cmdline");
    const found = (await pidsOf(e, "execd")).find((each) => commandLine(each).includes("1234"));
    assert.ok(found !== undefined);
    assert.is(procFile(e, found ?? -1, "cgroup"), procFile(e, pid, "cgroup"));
    succeed(await e.ctr(["task", "kill", "--exec-id", "background", "-s", "KILL", "execd"]));
    assert.ok(await eventually(async () => !(await pidsOf(e, "execd")).includes(found ?? -1), 30));
    assert.is((await taskOf(e, "execd"))?.status, "RUNNING");
  });
});

containerd("pause stops the process, refuses exec, and resume lets it go on", async (e) => {
  const script = "i=0; while :; do i=$((i+1)); echo $i >/tmp/count; done";
  await withTask(
    e,
    "pause",
    [],
    async (pid) => {
      const count = (): string => procFile(e, pid, "root/tmp/count");
      assert.ok(await eventually(() => existsSync(e.host.path(`/proc/${pid}/root/tmp/count`)), 30));
      succeed(await e.ctr(["task", "pause", "pause"]));
      assert.is((await taskOf(e, "pause"))?.status, "PAUSED");
      const before = count();
      refuse(await exec(e, "pause", [], "true"), /paused/);
      refuse(await e.ctr(["task", "pause", "pause"]), /not running|paused/);
      assert.is(count(), before);
      succeed(await e.ctr(["task", "resume", "pause"]));
      assert.is((await taskOf(e, "pause"))?.status, "RUNNING");
      assert.ok(await eventually(() => ![before, ""].includes(count()), 30));
      refuse(await e.ctr(["task", "resume", "pause"]), /not paused|cannot resume/);
    },
    ["sh", "-c", script],
  );
});

containerd("metrics", async (e) => {
  await withTask(e, "metrics", [], async () => {
    const { stdout } = succeed(await e.ctr(["task", "metrics", "--format", "json", "metrics"]));
    assert.match(stdout, /usage/);
    const table = succeed(await e.ctr(["task", "metrics", "metrics"])).stdout;
    const value = (pattern: RegExp): number => Number(table.match(pattern)?.[1]);
    assert.ok(value(/^memory\.usage(?:_in_bytes)? +(\d+)/m) > 0, table);
    assert.is(value(/^pids\.current +(\d+)/m), 2, table);
    assert.ok(value(/^cpu(?:acct)?\.usage\S* +(\d+)/m) > 0, table);
  });
});

containerd("kill --all reaches every process of the container", async (e) => {
  const script = "sleep 1000 & sleep 1001 & trap '' TERM; while :; do sleep 1002 & wait; done";
  const flags = ["--with-ns", "pid:/proc/1/ns/pid"]; // else the end of its first process ends the others
  await withTask(
    e,
    "all",
    flags,
    async () => {
      const sleeps = async (): Promise<number> =>
        succeed(await e.ctr(["task", "ps", "all"]))
          .stdout.trim()
          .split("\n").length - 2;
      assert.ok(await eventually(async () => (await sleeps()) === 3, 30));
      succeed(await e.ctr(["task", "kill", "--all", "-s", "KILL", "all"]));
      assert.ok(await becomes(e, "all", "STOPPED"));
    },
    ["sh", "-c", script],
  );
});

containerd("labels, annotations, and mounts: bind, read-only bind, tmpfs, of a file", async (e) => {
  const shared = join(e.host.dir, "shared");
  mkdirSync(shared);
  writeFileSync(join(shared, "file"), "from outside");
  const flags = [
    ...["--label", "key=value", "--annotation", "org.example=yes"],
    ...["--mount", `type=bind,src=${shared},dst=/rw,options=rbind:rw`],
    ...["--mount", `type=bind,src=${shared},dst=/ro,options=rbind:ro`],
    ...["--mount", `type=bind,src=${shared}/file,dst=/etc/file,options=bind:ro`],
    ...["--mount", "type=tmpfs,src=tmpfs,dst=/scratch,options=size=1m:mode=1777"],
  ];
  await withTask(e, "mounts", flags, async () => {
    const script =
      "cat /etc/file; echo inside >/rw/new; touch /ro/x 2>/dev/null || echo refused; df -k /scratch | tail -n1; stat -c %a /scratch";
    const lines = succeed(await exec(e, "mounts", [], script)).stdout;
    assert.match(lines, /^from outsiderefused\ntmpfs +1024 .*\n1777\n$/);
    assert.is(readFileSync(join(shared, "new"), "utf8"), "inside\n");
    const info = JSON.parse(succeed(await e.ctr(["container", "info", "mounts"])).stdout);
    assert.is(info.Labels.key, "value");
    assert.is(info.Spec.annotations["org.example"], "yes");
  });
});

containerd("a network namespace of its own, that of the host, and that of another container", async (e) => {
  const link = "readlink /proc/self/ns/net; ls /sys/class/net | tr '\\n' ' '";
  const hosts = succeed(await e.host.run(["readlink", "/proc/self/ns/net"])).stdout.trim();
  const [own = "", interfaces] = (await output(e, "net-own", [], link)).split("\n");
  assert.is.not(own, hosts);
  assert.is(interfaces?.trim(), "lo");
  assert.match(await output(e, "net-host", ["--net-host"], link), hosts);
  await withTask(e, "net-first", [], async (pid) => {
    const first = succeed(await exec(e, "net-first", [], link)).stdout;
    const joined = await output(e, "net-joined", ["--with-ns", `network:/proc/${pid}/ns/net`], link);
    assert.is(joined, first.trim());
  });
});

containerd("seccomp: none, the default profile, a profile of one's own", async (e) => {
  const mode = "grep ^Seccomp: /proc/self/status";
  const unshare = "unshare -U true 2>&1 && echo allowed";
  assert.match(await output(e, "sec-none", [], `${mode}; ${unshare}`), /\t0\nallowed$/);
  const refused = `${mode}; ${unshare} || echo refused`;
  assert.match(await output(e, "sec-default", ["--seccomp"], refused), /\t2\n.*not permitted\nrefused$/);
  const profile = join(e.host.dir, "profile.json");
  const syscalls = [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28 }];
  writeFileSync(profile, JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls }));
  const own = ["--seccomp", "--seccomp-profile", profile];
  const said = await output(e, "sec-own", own, "mkdir /tmp/x 2>&1; touch /tmp/y && echo touched");
  assert.match(said, /No space left on device\ntouched$/);
});

containerd("memory and cpu limits", async (e) => {
  const flags = [
    ...["--memory-limit", `${48 << 20}`],
    ...["--cpu-quota", "30000", "--cpu-period", "90000", "--cpu-shares", "512"],
  ];
  await withTask(e, "limits", flags, async (pid) => {
    const limits = limitsIn(procFile(e, pid, "cgroup"));
    assert.equal([limits.memory, limits.quota, limits.period], [48 << 20, 30000, 90000]);
    if (cgroupVersion === 1) assert.is(limits.weight, 512);
    else assert.ok(limits.weight < 100, `${limits.weight}`); // 100 is the default; the formula has changed
  });
  await withTask(e, "cpus", ["--cpus", "0.5"], async (pid) => {
    const { quota, period } = limitsIn(procFile(e, pid, "cgroup"));
    assert.is((quota ?? 0) / period, 0.5);
  });
});

containerd("more memory than allowed: the process is killed, and containerd hears of it", async (e) => {
  const events = e.startCtr(["events"], { timeoutSeconds: 120, stdout: join(e.host.dir, "events") });
  const heard = (): string => readFileSync(join(e.host.dir, "events"), "utf8");
  const label = async (): Promise<boolean> => {
    await e.ctr(["image", "label", imageName, `at=${Date.now()}`]);
    return heard().includes("/images/update");
  };
  assert.ok(await eventually(label, 30), "events are not heard");
  // Not at once: the shim listens for lack of memory only when the container has started.
  const script = "until test -e /tmp/go; do sleep 0.1; done; exec tail /dev/zero";
  succeed(await run(e, "oom", ["-d", "--memory-limit", `${16 << 20}`], ["sh", "-c", script]));
  await e.ctr(execArgs("oom", "go", [], ["touch", "/tmp/go"])); // its status may be that of the other's end
  assert.is(await deleteTask(e, "oom"), 137);
  succeed(await e.ctr(["container", "delete", "oom"]));
  assert.ok(await eventually(() => heard().includes("/tasks/oom"), 30), heard());
  events.kill("SIGKILL");
  await events.done;
  assertGone(e, "oom");
});

containerd("capabilities, privileges, user, read-only root, devices, host's root directory", async (e) => {
  const field = (name: string): string => `grep ^${name}: /proc/self/status`;
  const caps = async (id: string, flags: readonly string[]): Promise<bigint> =>
    BigInt(`0x${(await output(e, id, flags, field("CapEff"))).split("\t")[1]}`);
  const [netAdmin, chown] = [1n << 12n, 1n];
  const standard = await caps("cap0", []);
  assert.is(standard & netAdmin, 0n);
  assert.is(await caps("cap1", ["--cap-add", "CAP_NET_ADMIN"]), standard | netAdmin);
  assert.is(await caps("cap2", ["--cap-drop", "CAP_CHOWN"]), standard & ~chown);
  assert.match(await output(e, "nnp", [], field("NoNewPrivs")), /\t1$/);
  assert.match(await output(e, "nnp0", ["--allow-new-privs"], field("NoNewPrivs")), /\t0$/);
  assert.is(await output(e, "ro", ["--read-only"], "touch /x 2>/dev/null || echo refused"), "refused");
  const device = ["--device", "/dev/full"];
  assert.match(await output(e, "dev", device, "ls -l /dev/full; echo x >/dev/full || echo full"), /full$/);
  const rootfs = join(e.host.dir, "layer"); // of the image, unpacked
  const own = await e.ctr(
    runArgs(["--rm", "--rootfs", "--env", "PATH=/bin"], rootfs, "rootfs", ["sh", "-c", "echo own root"]),
  );
  assert.is(succeed(own).stdout, "own root\n");
});

containerd("privileged: the host's capabilities and devices, mounting, a writable /sys", async (e) => {
  const device = readdirSync("/dev").find((name) => hostsOwnDevice(`/dev/${name}`));
  const script = `grep ^CapEff: /proc/self/status; mount -t tmpfs x /mnt && echo mounted; ls -d /dev/${device};
    mknod /tmp/full c 1 7 && : </tmp/full && echo opened; grep -o ' /sys rw' /proc/self/mountinfo`;
  const said = await output(e, "privileged", ["--privileged"], script);
  const capabilities = `CapEff:\t${statusField("self", "CapEff")}`;
  assert.is(said, [capabilities, "mounted", `/dev/${device}`, "opened", " /sys rw"].join("\n"));
  const unprivileged = await output(e, "unprivileged", [], `ls -d /dev/${device} 2>&1`).catch(String);
  assert.match(unprivileged, "No such file");
});

/** A character device that no container has by default. */
const hostsOwnDevice = (path: string): boolean =>
  !/\/(null|zero|full|random|urandom|tty|console|ptmx|kmsg)$/.test(path) &&
  lstatSync(path).isCharacterDevice();

containerd("a configuration of one's own, with hooks", async (e) => {
  const rootfs = join(e.host.dir, "layer"); // of the image, unpacked
  const trace = join(e.host.dir, "hooks");
  const hook = (name: string) => [{ path: "/bin/sh", args: ["sh", "-c", `echo ${name} >>${trace}`] }];
  const spec = defaultSpec();
  spec.root.path = rootfs;
  spec.process.args = ["sh", "-c", "echo by config; exit 2"];
  spec.hooks = { prestart: hook("prestart"), poststart: hook("poststart"), poststop: hook("poststop") };
  writeFileSync(join(e.host.dir, "config.json"), JSON.stringify(spec));
  const words = ["run", "--runc-binary", runtimePath, "--rm", "--config", join(e.host.dir, "config.json")];
  const { stdout, status, stderr } = await e.ctr([...words, "by-config"]);
  assert.equal([stdout, status], ["by config\n", 2], stderr);
  assert.is(readFileSync(trace, "utf8"), "prestart\npoststart\npoststop\n");
});

containerd("a cgroup by name, no pivot_root, a shared root", async (e) => {
  const flags = ["--cgroup", `/${e.namespace}/by-name`, "--no-pivot", "--rootfs-propagation", "rshared"];
  await withTask(e, "named", flags, async (pid) => {
    assert.match(procFile(e, pid, "cgroup"), `/${e.namespace}/by-name\n`);
    assert.match(procFile(e, pid, "mountinfo"), / \/ \/ .* shared:/);
  });
  assert.equal(cgroupsOf(`${e.namespace}/by-name`), []);
});

containerd("user namespace", async (e) => {
  const maps = ["--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"];
  assert.match(
    await output(e, "userns", maps, "id -u; cat /proc/self/uid_map; touch /tmp/x && stat -c %u /tmp/x"),
    /^0\n +0 +100000 +65536\n0$/,
  );
});

const probe = ["sh", "/probe.sh"];

for (const [title, flags] of [
  ["as it is", []],
  ["privileged", ["--privileged"]],
  ["host's network, read-only root, seccomp", ["--net-host", "--read-only", "--seccomp"]],
  ["user namespace", ["--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"]],
  ["limits, working directory", ["--memory-limit", "67108864", "--cpus", "0.5", "--cwd", "/tmp"]],
] as const)
  containerd(
    `the probe sees what it sees with runc, started and by exec [${title}]`,
    async (e) => {
      const by = async (runtime: string): Promise<Probes> => {
        const start = (mode: string, argv: readonly string[]): Promise<Result> =>
          e.ctr(["run", "--runc-binary", runtime, mode, ...flags, imageName, "probe", ...argv]);
        const started = readProbe(succeed(await start("--rm", probe)).stdout);
        succeed(await start("-d", waiting));
        await untilWaiting(e.host, await pidOf(e, "probe"));
        let entered = readProbe("");
        // `task exec` may lose the end of what a process says that has ended, with any runtime.
        for (let tries = 0; tries < 5 && !entered.has("end"); tries++)
          entered = readProbe(succeed(await e.ctr(execArgs("probe", `x${tries}`, [], probe))).stdout);
        succeed(await e.ctr(["task", "delete", "--force", "probe"]));
        succeed(await e.ctr(["container", "delete", "probe"]));
        return { started, entered };
      };
      assertSame(await by(runtimePath), await by(runcPath()));
    },
    { needs: ["runc"] },
  );

containerd("a container that exits at once, many times", async (e) => {
  for (let i = 0; i < (long ? 50 : 5); i++) {
    const { status, stderr } = await attached(e, `short${i}`, [], ["true"]);
    assert.is(status, 0, stderr);
    assertGone(e, `short${i}`);
  }
});

for (const [title, flags, argv, message] of [
  [
    "program is missing",
    [],
    ["/nonexistent"],
    /exec: "\/nonexistent": stat \/nonexistent: no such file or directory/,
  ],
  ["program is not in PATH", [], ["nonexistent"], /exec: "nonexistent": executable file not found in \$PATH/],
  ["program may not be executed", [], ["/etc/passwd"], /permission denied/],
  ["directory is a file", ["--cwd", "/etc/passwd"], ["true"], /not a directory/i],
  [
    "mount has no source",
    ["--mount", "type=bind,src=/nonexistent,dst=/mnt,options=rbind"],
    ["true"],
    /no such file or directory/,
  ],
] as const)
  containerd(`a container that cannot start: its ${title}`, async (e) => {
    const id = `bad-${title.replaceAll(" ", "-")}`;
    const result = refuse(await attached(e, id, flags, argv), message);
    assert.match(result.stderr, /OCI runtime create failed|failed to create/);
    assertGone(e, id);
  });

containerd("twenty at the same time", async (e) => {
  const count = 20;
  for (let round = 0; round < (long ? 5 : 1); round++) {
    const ids = Array.from({ length: count }, (_, i) => `many${round}-${i}`);
    const results = await Promise.all(
      ids.map((id, i) => attached(e, id, [], ["sh", "-c", `echo ${id}; exit ${i}`])),
    );
    results.forEach(({ status, stdout, stderr }, i) => {
      assert.equal([stdout, status], [`${ids[i]}\n`, i], stderr);
    });
    for (const id of ids) assertGone(e, id);
  }
});

containerd("twenty execs at the same time in one container", async (e) => {
  await withTask(e, "execs", [], async () => {
    const numbers = Array.from({ length: 20 }, (_, i) => i);
    const results = await Promise.all(
      numbers.map((i) => exec(e, "execs", [], `echo ${i}; exit ${i}`, `e${i}`)),
    );
    results.forEach(({ status, stdout, stderr }, i) => {
      assert.equal([stdout, status], [`${i}\n`, i], stderr);
    });
  });
});

/** Of a task that may have ended while nobody listened; later versions remove it themselves when they start again. */
async function deleteEnded(e: Containerd, id: string, status: number): Promise<void> {
  if (/^containerd 1\.6\./.test(e.version) || (await taskOf(e, id)) !== undefined)
    assert.is(await deleteTask(e, id), status);
  assertGone(e, id);
}

for (const signal of ["TERM", "KILL"] as const)
  containerd(`containerd ends by SIG${signal} and starts again while containers run`, async (e) => {
    const id = `restart-${signal.toLowerCase()}`;
    succeed(
      await run(e, `${id}-ends`, ["-d"], ["sh", "-c", "until [ -e /tmp/go ]; do sleep 0.1; done; exit 8"]),
    );
    const ends = await pidOf(e, `${id}-ends`);
    await withTask(e, id, [], async (pid) => {
      writeFileSync(e.host.path(`/proc/${ends}/root/tmp/go`), ""); // it may end while nobody listens
      await e.restart(signal);
      assert.equal(await taskOf(e, id), { pid, status: "RUNNING" });
      assert.is(succeed(await exec(e, id, [], "echo still here")).stdout, "still here\n");
      succeed(await e.ctr(["task", "pause", id]));
      succeed(await e.ctr(["task", "resume", id]));
      await deleteEnded(e, `${id}-ends`, 8);
      succeed(await e.ctr(["container", "delete", `${id}-ends`]));
      succeed(await e.ctr(["task", "kill", id]));
      assert.is(await deleteTask(e, id), 5);
    });
  });

containerd("the shim is killed: containerd has the runtime delete what it leaves", async (e) => {
  succeed(await run(e, "orphan", ["-d"], waiting));
  const pid = await pidOf(e, "orphan");
  const parent = procFile(e, pid, "stat").split(") ")[1]?.split(" ")[1] ?? "";
  assert.match(procFile(e, Number(parent), "cmdline"), "containerd-shim-runc-v2");
  succeed(await e.host.run(["kill", "-KILL", parent]));
  assert.ok(await eventually(async () => (await taskOf(e, "orphan")) === undefined, 60), e.log());
  assert.ok(await eventually(() => !existsSync(e.host.path(`/proc/${pid}/root/bin`)), 30));
  assert.ok(await eventually(() => placesOf(e, "orphan").length === 0, 30), e.log());
  succeed(await e.ctr(["container", "delete", "orphan"]));
});

containerd.run();
