// What Podman and Docker can ask for in a container's configuration: who the process is, what it sees, its limits.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { CaseOptions } from "../harness.ts";
import { refuse, succeed } from "../harness.ts";
import { limitsIn } from "./cgroup_limits.ts";
import { type Cli, cgroupsOf, once, output, withContainer } from "./cli.ts";
import type { EngineSuite } from "./engine.ts";
import { imageName } from "./oci_image.ts";

export type Case = readonly [
  title: string,
  options: readonly string[],
  script: string,
  expected: string | RegExp,
  more?: CaseOptions,
];

/** Containers of which a script tells what they are. */
export function caseTests<E extends Cli>(test: EngineSuite<E>, cases: readonly Case[]): void {
  for (const [title, options, script, expected, more] of cases)
    test(
      title,
      async (e) => {
        const text = await output(e, script, ...options);
        if (typeof expected === "string") assert.is(text, expected);
        else assert.match(text, expected);
      },
      more,
    );
}

const cases: readonly Case[] = [
  [
    "user and groups",
    ["--user", "1000:2000", "--group-add", "3000"],
    "id -u; id -g; id -G",
    /^1000\n2000\n2000 3000$/,
  ],
  ["user by name", ["--user", "user"], "id -u; id -g; echo $HOME", "1000\n1000\n/home"],
  [
    "capabilities",
    ["--cap-drop", "ALL", "--cap-add", "CHOWN", "--cap-add", "SYS_TIME"],
    "grep CapEff /proc/self/status",
    "CapEff:\t0000000002000001",
  ],
  [
    "no new privileges",
    ["--security-opt", "no-new-privileges"],
    "grep NoNewPrivs /proc/self/status",
    "NoNewPrivs:\t1",
  ],
  ["the engine's seccomp profile", [], "grep Seccomp: /proc/self/status", "Seccomp:\t2"],
  [
    "without seccomp",
    ["--security-opt", "seccomp=unconfined"],
    "grep Seccomp: /proc/self/status",
    "Seccomp:\t0",
  ],
  [
    "masked and read-only paths",
    [],
    "wc -c </proc/timer_list; (: >/proc/sysrq-trigger) 2>/dev/null || echo no",
    "0\nno",
  ],
  [
    "limits of resources",
    ["--ulimit", "nofile=100:200", "--ulimit", "nproc=500:500", "--ulimit", "core=0:0"],
    "ulimit -n; ulimit -Hn; ulimit -u; ulimit -c",
    "100\n200\n500\n0",
  ],
  ["host name", ["--hostname", "machine"], "hostname; cat /etc/hostname", "machine\nmachine"],
  ["a sysctl of a namespace", ["--sysctl", "kernel.msgmax=4096"], "cat /proc/sys/kernel/msgmax", "4096"],
  [
    "a device, to be read only",
    ["--device", "/dev/fuse:/dev/x:r"],
    ": </dev/x && echo read; (: >/dev/x) 2>&1; true",
    /^read\n.*not permitted/,
  ],
  [
    "device rules",
    ["--device-cgroup-rule", "c 10:229 mr", "--cap-add", "MKNOD"],
    "mknod /dev/f c 10 229; : </dev/f && echo read; (: >/dev/f) 2>&1; true",
    /^read\n.*not permitted/,
  ],
  [
    "a device that is not allowed cannot be opened, though its node be made",
    ["--cap-add", "MKNOD"],
    "(: </dev/full) && echo full; mknod /dev/mem c 1 1; (: </dev/mem) 2>&1; true",
    /^full\n.*not permitted/,
  ],
  ["the size of /dev/shm", ["--shm-size", "3m"], "df /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2", "3072"],
  [
    "read-only root with writable tmpfs",
    ["--read-only", "--tmpfs", "/fresh"],
    "(: >/x) 2>&1; : >/fresh/y && echo wrote; stat -c %a /fresh",
    /Read-only file system\nwrote\n1777$/,
  ],
  [
    "tmpfs with options, written to by a user",
    ["--tmpfs", "/x:size=1m,mode=1777,noexec", "--user", "1000"],
    "df /x | tail -1 | tr -s ' ' | cut -d' ' -f2; stat -c %a /x; touch /x/y; grep -o '/x .*noexec' /proc/mounts",
    /^1024\n1777\n\/x /,
  ],
  ["pid namespace of the host", ["--pid", "host"], "test $$ != 1 && echo other", "other"],
  [
    "cgroup namespace of its own",
    ["--cgroupns", "private"],
    "sed 's/.*://' /proc/self/cgroup | sort -u",
    "/",
  ],
  ["the OOM score", ["--oom-score-adj", "500"], "cat /proc/self/oom_score_adj", "500"],
];

/** Adds the tests. */
export function configurationTests<E extends Cli>(test: EngineSuite<E>): void {
  caseTests(test, cases);

  test(
    "--init: a first process that reaps",
    async (e) => {
      const script =
        "sh -c 'sleep 0.1 &'; sleep 0.5; grep -l '^State:.Z' /proc/[0-9]*/status | wc -l; cat /proc/1/comm";
      assert.match(await output(e, script, "--init"), /^0\n(podman|docker)-init$|^0\ncatatonit$/);
    },
    { needs: ["catatonit"] },
  );

  test("memory, cpu and pids limits are those of its cgroup", async (e) => {
    const options = ["--memory", "64m", "--cpus", "0.5", "--pids-limit", "99", "--cpuset-cpus", "0"];
    await withContainer(e, "limited", options, "sleep 1000", async () => {
      const limits = await limitsOf(e, "limited");
      assert.equal(limits, { memory: 64 * 1024 * 1024, share: 0.5, pids: 99, cpus: "0" });
    });
  });

  test("update changes the limits of a container that runs", async (e) => {
    await withContainer(e, "updated", ["--memory", "128m"], "sleep 1000", async () => {
      const swap = e.program === "docker" ? ["--memory-swap", "64m"] : [];
      await e.says("update", "--memory", "64m", ...swap, "--cpus", "0.25", "--cpuset-cpus", "0", "updated");
      const { memory, share, cpus } = await limitsOf(e, "updated");
      assert.equal({ memory, share, cpus }, { memory: 64 * 1024 * 1024, share: 0.25, cpus: "0" });
    });
  });

  test("the pids limit holds", async (e) => {
    const script = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 5 & done 2>&1; kill $(jobs -p)";
    const limited = [...once, "--pids-limit", "6", imageName, "sh", "-c", script];
    const { stdout, stderr } = await e.cli(limited);
    assert.match(stdout + stderr, /can't fork|Resource temporarily unavailable/);
  });

  test("volumes: named, of a directory, read-only, anonymous with what the image has there", async (e) => {
    const dir = join(e.host.dir, "volume");
    mkdirSync(dir);
    writeFileSync(join(dir, "file"), "of the host\n");
    await e.says("volume", "create", "named");
    await output(e, "echo data >/v/f", "--volume", "named:/v");
    assert.is(await output(e, "cat /v/f", "--volume", "named:/v:ro"), "data");
    refuse(
      await e.cli([...once, "--volume", "named:/v:ro", imageName, "touch", "/v/x"]),
      "Read-only file system",
    );
    await e.says("volume", "rm", "named");
    assert.is(await output(e, "cat /v/file", "--volume", `${dir}:/v`), "of the host");
    assert.is(await output(e, "cat /v", "--volume", `${join(dir, "file")}:/v:ro`), "of the host");
    assert.is(await output(e, "readlink /bin/sh", "--volume", "/bin"), "busybox");
    assert.is(await e.says("volume", "ls", "--quiet"), "");
  });

  test("a mount made on the machine appears in a volume that is a slave", async (e) => {
    const dir = join(e.host.dir, "slave");
    mkdirSync(join(dir, "below"), { recursive: true });
    succeed(await e.host.run(["mount", "--bind", dir, dir]));
    succeed(await e.host.run(["mount", "--make-shared", dir]));
    await withContainer(e, "slave", ["--volume", `${dir}:/v:rslave`], "sleep 1000", async () => {
      succeed(await e.host.run(["mount", "-t", "tmpfs", "later", join(dir, "below")]));
      assert.match(await e.says("exec", "slave", "cat", "/proc/mounts"), /^later \/v\/below /m);
    });
    succeed(await e.host.run(["umount", "-R", dir]));
  });

  test("namespaces of another container", async (e) => {
    await withContainer(e, "first", ["--ipc", "shareable"], "sleep 1000", async () => {
      const joined = ["--pid", "container:first", "--network", "container:first", "--ipc", "container:first"];
      const script = "for n in pid net ipc; do readlink /proc/self/ns/$n; done; ps -o args";
      const text = await e.says("run", "--rm", ...joined, imageName, "sh", "-c", script);
      assert.match(text, /sleep 1000/);
      const own = "for n in pid net ipc; do readlink /proc/self/ns/$n; done";
      assert.ok(text.startsWith(await e.says("exec", "first", "sh", "-c", own)));
    });
  });
}

/** The limits in force on the container's first process. */
async function limitsOf(e: Cli, name: string) {
  const { memory, quota, period, pids, cpus } = limitsIn(await cgroupsOf(e, name));
  return { memory, share: quota === undefined ? undefined : quota / period, pids, cpus };
}
