// serial
// containerd's CRI plugin, driven by gRPC as the kubelet drives it.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { statusField } from "../inspect.ts";
import { cgroupsOf } from "../leftovers.ts";
import { type Limits, limitsIn } from "./cgroup_limits.ts";
import { containerdNeeds } from "./containerd.ts";
import { engineSuite, long } from "./engine.ts";
import {
  type Container,
  type ContainerOptions,
  containerOf,
  createContainer,
  type Kubelet,
  type Pod,
  runContainer,
  startKubelet,
  withPod,
  withStream,
} from "./pod.ts";
import { assertSame, type Probes, readProbe } from "./probe.ts";
import { snippet } from "./snippet.ts";
import { waiting } from "./waiting.ts";

const section = "Kubernetes, through containerd";
const cri = engineSuite("CRI", [...containerdNeeds, "cni"], (c) => startKubelet(c, snippet(section)));

/** A pod with one container that waits. */
const withContainer = (
  k: Kubelet,
  options: ContainerOptions,
  body: (container: Container, pod: Pod) => Promise<void>,
): Promise<void> => withPod(k, {}, async (pod) => body(await runContainer(pod, waiting, options), pod));

const procFile = (k: Kubelet, pid: number, name: string): string =>
  readFileSync(k.host.path(`/proc/${pid}/${name}`), "utf8");

const namespaces = async (container: Container): Promise<Record<string, string>> => {
  const lines = (
    await container.output("cd /proc/self/ns; for n in net ipc uts pid mnt; do readlink $n; done")
  ).split("\n");
  return Object.fromEntries(lines.map((line) => [line.split(":")[0], line]));
};

const rejects = async (promise: Promise<unknown>, message: RegExp): Promise<void> => {
  const said = await promise.then(() => "it succeeds", String);
  assert.match(said, message);
};

cri("docs/engines.md [RuntimeClass]: a pod with it runs, by its handler", async (k) => {
  const [, handler = ""] = snippet(section, 1).match(/^handler: (\w+)$/m) ?? [];
  const [, name] = snippet(section, 1).match(/^ {2}name: (\w+)$/m) ?? [];
  assert.match(snippet(section, 2), `runtimeClassName: ${name}\n`);
  await withPod(k, { handler, labels: { key: "value" } }, async ({ id }) => {
    const { status } = await k.cri.call<{ status: object }>("PodSandboxStatus", { podSandboxId: id });
    const { ip } = (status as { network: { ip: string } }).network;
    assert.match(ip, /^10\.88\./);
    const labels = { key: "value" };
    assert.equal(status, { id, state: "SANDBOX_READY", network: { ip }, labels, runtimeHandler: handler });
  });
  await rejects(
    withPod(k, { handler: "other" }, async () => {}),
    /no runtime for "other" is configured/,
  );
});

cri("the containers of a pod share network, IPC, host name and /dev/shm, and nothing else", async (k) => {
  await withPod(k, { hostname: "together" }, async (pod) => {
    const [one, two] = [await runContainer(pod), await runContainer(pod)];
    const [first, second] = [await namespaces(one), await namespaces(two)];
    for (const type of ["net", "ipc", "uts"]) assert.is(first[type], second[type], type);
    for (const type of ["pid", "mnt"]) assert.is.not(first[type], second[type], type);
    assert.is(
      await one.output("hostname; echo 1 >/dev/shm/x; ls /sys/class/net | tr '\\n' ' '"),
      "together\neth0 lo",
    );
    assert.is(await two.output("cat /dev/shm/x"), "1");
    // Without an end of its input: at that, it would close the connection before it has heard anything.
    await two.output("(sleep 1000 | nc -l -p 8080 >/tmp/in) >/dev/null 2>&1 </dev/null &");
    assert.ok(
      await eventually(async () => (await one.exec("echo by nc | nc 127.0.0.1 8080")).exitCode === 0, 30),
    );
    assert.ok(await eventually(async () => (await two.output("cat /tmp/in")) === "by nc", 30));
  });
});

cri("a shared pid namespace: the pod's first process reaps for all", async (k) => {
  const security = { namespaceOptions: { pid: "POD" } };
  await withPod(k, { security }, async (pod) => {
    const one = await runContainer(pod, waiting, { security });
    const two = await runContainer(pod, ["sleep", "4321"], { security });
    assert.is((await namespaces(one)).pid, (await namespaces(two)).pid);
    assert.match(await one.output("cat /proc/1/cmdline"), "sleep 3600");
    assert.match(await one.output("cat /proc/*/cmdline"), "sleep\x004321");
    const { exitCode } = await one.exec(
      "kill -KILL $(pidof sleep | xargs -n1 sh -c 'grep -q 4321 /proc/$0/cmdline && echo $0')",
    );
    assert.is(exitCode, 0);
    assert.is((await two.exits()).exitCode, 137);
  });
});

cri("the host's namespaces; another container's processes", async (k) => {
  const security = { namespaceOptions: { network: "NODE", pid: "NODE", ipc: "NODE" } };
  await withPod(k, { hostname: "", security }, async (pod) => {
    const found = await namespaces(await runContainer(pod, waiting, { security }));
    for (const type of ["net", "pid", "ipc"]) {
      const { stdout } = await k.host.run(["readlink", `/proc/self/ns/${type}`]);
      assert.is(found[type], stdout.trim(), type);
    }
  });
  await withPod(k, {}, async (pod) => {
    const target = await runContainer(pod);
    const debug = { namespaceOptions: { pid: "TARGET", targetId: target.id } };
    const debugger_ = await runContainer(pod, waiting, { security: debug });
    assert.is((await namespaces(debugger_)).pid, (await namespaces(target)).pid);
    assert.match(await debugger_.output("cat /proc/1/cmdline"), "trap 'exit 5' TERM");
  });
});

cri("sysctls of a pod", async (k) => {
  const sysctls = { "net.ipv4.ip_unprivileged_port_start": "81", "kernel.shm_rmid_forced": "1" };
  await withPod(k, { sysctls }, async (pod) => {
    const container = await runContainer(pod);
    const script = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shm_rmid_forced";
    assert.is(await container.output(script), "81\n1");
  });
});

cri("a container from created to exited: states, exit code, reason, log", async (k) => {
  await withPod(k, {}, async (pod) => {
    const script = "echo out; echo err >&2; printf 'no end'; exit 3";
    const id = await createContainer(pod, ["sh", "-c", script]);
    const created = await k.cri.call<{ status: { state: string } }>("ContainerStatus", { containerId: id });
    assert.is(created.status.state, "CONTAINER_CREATED");
    await k.cri.call("StartContainer", { containerId: id });
    const container = await containerOf(pod, id);
    const { exitCode, reason } = await container.exits();
    assert.equal([exitCode, reason], [3, "Error"]);
    const whole = (): boolean => container.log().length === 3;
    assert.ok(await eventually(whole, 30), container.log().join("\n"));
    assert.equal(container.log().sort(), ["stderr F err", "stdout F out", "stdout P no end"].sort());
    const good = await (await runContainer(pod, ["true"])).exits();
    assert.equal([good.exitCode, good.reason], [0, "Completed"]);
    await k.cri.call("RemoveContainer", { containerId: id });
    await rejects(container.status(), /not found/);
  });
});

cri("the log goes on in a new file when the old one was moved away", async (k) => {
  await withPod(k, {}, async (pod) => {
    const script = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done";
    const container = await runContainer(pod, ["sh", "-c", script], { config: { logPath: "moved.log" } });
    const file = join(pod.logDirectory, "moved.log");
    assert.ok(await eventually(() => existsSync(file) && /line 2/.test(readFileSync(file, "utf8")), 30));
    renameSync(file, `${file}.1`);
    await k.cri.call("ReopenContainerLog", { containerId: container.id });
    assert.ok(
      await eventually(() => existsSync(file) && /stdout F line/.test(readFileSync(file, "utf8")), 30),
    );
  });
});

for (const [title, command, config, message] of [
  ["its program is missing", ["/nonexistent"], {}, /stat \/nonexistent: no such file or directory/],
  ["its program is not in PATH", ["nonexistent"], {}, /executable file not found in \$PATH/],
  ["its directory is a file", ["true"], { workingDir: "/etc/passwd" }, /not a directory/],
] as const)
  cri(`a container that cannot start: ${title}`, async (k) => {
    await withPod(k, {}, async (pod) => {
      const containerId = await createContainer(pod, command, { config });
      await rejects(k.cri.call("StartContainer", { containerId }), message);
      const { status } = await k.cri.call<{ status: Record<string, unknown> }>("ContainerStatus", {
        containerId,
      });
      assert.equal([status.state, status.exitCode, status.reason], ["CONTAINER_EXITED", 128, "StartError"]);
      assert.match(String(status.message), message);
      assert.equal(cgroupsOf(containerId), []);
    });
  });

cri("ExecSync: output, errors, exit code", async (k) => {
  await withContainer(k, {}, async (container) => {
    const result = await container.exec("echo out; echo err >&2; exit 7");
    assert.equal(result, { stdout: "out\n", stderr: "err\n", exitCode: 7 });
    await rejects(
      k.cri.call("ExecSync", { containerId: container.id, cmd: ["/nonexistent"] }),
      /stat \/nonexistent: no such file or directory/,
    );
  });
});

cri("ExecSync with a timeout: the process is killed in time, its container is not", async (k) => {
  await withContainer(k, {}, async (container) => {
    await rejects(container.exec("exec sleep 5678", 1), /timeout 1s exceeded/);
    const processes = async (): Promise<string> =>
      (await container.output("cat /proc/[0-9]*/cmdline")).split("\0").join(" ");
    assert.not.match(await processes(), "sleep 5678");
    assert.is((await container.status()).state, "CONTAINER_RUNNING");
  });
});

cri("many at once: twenty times ExecSync", async (k) => {
  await withContainer(k, {}, async (container) => {
    const numbers = Array.from({ length: 20 }, (_, i) => i);
    const results = await Promise.all(numbers.map((i) => container.exec(`echo ${i}; exit ${i}`)));
    results.forEach((result, i) => {
      assert.equal(result, { stdout: `${i}\n`, stderr: "", exitCode: i });
    });
  });
});

cri("Exec: a stream without a terminal, and its exit code", async (k) => {
  await withContainer(k, {}, async ({ id: containerId }) => {
    const cmd = ["sh", "-c", "read line; echo got $line; echo err >&2; exit 9"];
    const request = { containerId, cmd, stdin: true, stdout: true, stderr: true };
    await withStream(k, "Exec", request, async (stream) => {
      stream.type("a line\n");
      await stream.says("got a line");
      await stream.says("err\n");
      await stream.says('"message":"9"');
    });
  });
});

cri("Exec: a stream with a terminal, resized", async (k) => {
  await withContainer(k, {}, async ({ id: containerId }) => {
    const script =
      "tty; until stty size 2>/dev/null | grep '^33 99$'; do sleep 0.1; done; read line; echo got $line";
    const request = { containerId, cmd: ["sh", "-c", script], tty: true, stdin: true, stdout: true };
    await withStream(k, "Exec", request, async (stream) => {
      await stream.says("/dev/pts/");
      stream.resize(33, 99);
      await stream.says("33 99");
      stream.type("word\r");
      await stream.says("got word");
      await stream.says('"status":"Success"');
    });
  });
});

cri("Attach: to standard input and output, and to a terminal", async (k) => {
  await withPod(k, {}, async (pod) => {
    const command = ["sh", "-c", "while read line; do echo got $line; done"];
    const container = await runContainer(pod, command, { config: { stdin: true } });
    const request = { containerId: container.id, stdin: true, stdout: true, stderr: true };
    await withStream(k, "Attach", request, async (stream) => {
      stream.type("a line\n");
      await stream.says("got a line");
    });
    await withStream(k, "Attach", request, async (stream) => {
      stream.type("again\n");
      await stream.says("got again");
    });
    const tty = await runContainer(pod, ["sh"], { config: { stdin: true, tty: true } });
    const terminal = { containerId: tty.id, stdin: true, stdout: true, tty: true };
    await withStream(k, "Attach", terminal, async (stream) => {
      stream.type("tty; stty size\r");
      await stream.says("/dev/pts/0");
      stream.resize(44, 111);
      stream.type("until stty size | grep '^44 111$'; do sleep 0.1; done; echo e''nd\r");
      await stream.says("end");
      stream.type("exit 6\r");
    });
    assert.is((await tty.exits()).exitCode, 6);
  });
});

cri("PortForward: to a server in the pod's network, and to a port where nobody listens", async (k) => {
  const server = "mkdir /www; echo the page >/www/index.html; exec httpd -f -p 127.0.0.1:8080 -h /www";
  await withPod(k, {}, async (pod) => {
    const container = await runContainer(pod, ["sh", "-c", server]);
    const listens = async () => (await container.exec("grep -q ':1F90 .* 0A ' /proc/net/tcp")).exitCode === 0;
    assert.ok(await eventually(listens, 30));
    await withStream(k, "PortForward", { podSandboxId: pod.id, port: [8080] }, async (stream) => {
      stream.type("GET / HTTP/1.0\r\n\r\n");
      await stream.says("the page\n");
    });
    await withStream(k, "PortForward", { podSandboxId: pod.id, port: [8081] }, async (stream) => {
      await stream.says("connection refused");
    });
  });
});

const limitsOf = (k: Kubelet, { pid }: Container): Limits => limitsIn(procFile(k, pid, "cgroup"));

cri("resources: memory, cpu, cpuset, and the OOM score", async (k) => {
  const resources = {
    memoryLimitInBytes: 64 << 20,
    cpuQuota: 40000,
    cpuPeriod: 80000,
    cpuShares: 512,
    cpusetCpus: "0",
    oomScoreAdj: 500,
  };
  await withContainer(k, { resources }, async (container) => {
    const { memory, quota, period, cpus } = limitsOf(k, container);
    assert.equal(
      { memory, quota, period, cpus },
      { memory: 64 << 20, quota: 40000, period: 80000, cpus: "0" },
    );
    assert.is(procFile(k, container.pid, "oom_score_adj").trim(), "500");
    assert.match(procFile(k, container.pid, "cgroup"), `${k.cgroupParent}/${container.id}\n`);
  });
});

cri("more memory than allowed: OOMKilled", async (k) => {
  await withPod(k, {}, async (pod) => {
    // Not at once: the shim listens for lack of memory only when the container has started.
    const script = "until test -e /tmp/go; do sleep 0.1; done; exec tail /dev/zero";
    const resources = { memoryLimitInBytes: 16 << 20 };
    const container = await runContainer(pod, ["sh", "-c", script], { resources });
    await container.output("touch /tmp/go");
    assert.is((await container.exits()).exitCode, 137);
    assert.ok(await eventually(async () => (await container.status()).reason === "OOMKilled", 30));
  });
});

cri(
  "UpdateContainerResources",
  async (k) => {
    const resources = { memoryLimitInBytes: 64 << 20, cpuQuota: 40000, cpuPeriod: 80000 };
    await withContainer(k, { resources }, async (container) => {
      const linux = {
        memoryLimitInBytes: 96 << 20,
        cpuQuota: 20000,
        cpuPeriod: 80000,
        cpuShares: 2048,
        cpusetCpus: "1",
      };
      const before = limitsOf(k, container);
      await k.cri.call("UpdateContainerResources", { containerId: container.id, linux });
      const { memory, quota, period, cpus, weight } = limitsOf(k, container);
      assert.equal(
        { memory, quota, period, cpus },
        { memory: 96 << 20, quota: 20000, period: 80000, cpus: "1" },
      );
      assert.ok(weight > before.weight);
      assert.is(await container.output("echo it goes on"), "it goes on");
    });
  },
  { needs: ["update"] },
);

type Value = { readonly value: number };
type Stats = { readonly cpu: { usageCoreNanoSeconds: Value }; readonly memory: { workingSetBytes: Value } };

cri("stats of a container and of a pod", async (k) => {
  await withContainer(k, {}, async ({ id }, pod) => {
    const { stats } = await k.cri.call<{ stats: Stats }>("ContainerStats", { containerId: id });
    assert.ok(stats.cpu.usageCoreNanoSeconds.value > 0);
    assert.ok(stats.memory.workingSetBytes.value > 0);
    const reply = await k.cri.call<{ stats: { linux: Stats & { containers: Stats[] } } }>("PodSandboxStats", {
      podSandboxId: pod.id,
    });
    assert.is(reply.stats.linux.containers.length, 1);
    assert.ok(reply.stats.linux.memory.workingSetBytes.value > stats.memory.workingSetBytes.value / 2);
  });
});

cri("StopContainer: TERM within the time, else KILL; StopPodSandbox ends the rest", async (k) => {
  await withPod(k, {}, async (pod) => {
    const polite = await runContainer(pod);
    await polite.stop(60);
    assert.is((await polite.exits()).exitCode, 5);
    const ready = "trap '' TERM; touch /tmp/ready; while :; do sleep 1000 & wait; done";
    const stubborn = await runContainer(pod, ["sh", "-c", ready]);
    assert.ok(await eventually(async () => (await stubborn.exec("test -e /tmp/ready")).exitCode === 0, 30));
    await stubborn.stop(1);
    assert.is((await stubborn.exits()).exitCode, 137);
    const left = await runContainer(pod);
    await k.cri.call("StopPodSandbox", { podSandboxId: pod.id });
    assert.is((await left.exits()).exitCode, 137);
    assert.not.ok(existsSync(k.host.path(`/proc/${left.pid}/cwd/bin`)));
    const { status } = await k.cri.call<{ status: { state: string } }>("PodSandboxStatus", {
      podSandboxId: pod.id,
    });
    assert.is(status.state, "SANDBOX_NOTREADY");
  });
});

cri("security context: user, group, supplementary groups, user by name", async (k) => {
  const security = {
    runAsUser: { value: 1000 },
    runAsGroup: { value: 2000 },
    supplementalGroups: [3000, 4000],
  };
  await withContainer(k, { security }, async (container) => {
    assert.is(await container.output("id -u; id -g; id -G"), "1000\n2000\n2000 3000 4000");
    assert.match(procFile(k, container.pid, "status"), /^Uid:\t1000\t1000\t1000\t1000$/m);
  });
  await withContainer(k, { security: { runAsUsername: "user" } }, async (container) => {
    assert.is(await container.output("id -u; id -g"), "1000\n1000");
  });
});

cri("security context: capabilities, no new privileges, read-only root", async (k) => {
  const all = { capabilities: { dropCapabilities: ["ALL"], addCapabilities: ["NET_ADMIN", "CHOWN"] } };
  await withContainer(
    k,
    { security: { ...all, noNewPrivs: true, readonlyRootfs: true } },
    async (container) => {
      const status = await container.output("cat /proc/self/status");
      for (const set of ["CapEff", "CapPrm", "CapBnd"]) assert.match(status, `${set}:\t0000000000001001\n`);
      assert.match(status, /^NoNewPrivs:\t1$/m);
      assert.match((await container.exec("touch /x")).stderr, /Read-only file system/);
    },
  );
});

cri("security context: seccomp by default, not, and by a profile of one's own", async (k) => {
  const mode = async (profileType: string): Promise<string> => {
    let found = "";
    await withContainer(k, { security: { seccomp: { profileType } } }, async (container) => {
      found = await container.output(
        "grep ^Seccomp: /proc/self/status /proc/1/status | cut -f2 | tr -d '\\n'",
      );
    });
    return found;
  };
  assert.is(await mode("RuntimeDefault"), "22");
  assert.is(await mode("Unconfined"), "00");
  const file = join(k.host.dir, "profile.json");
  const syscalls = [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28 }];
  writeFileSync(file, JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls }));
  const seccomp = { profileType: "Localhost", localhostRef: file };
  await withContainer(k, { security: { seccomp } }, async (container) => {
    assert.match((await container.exec("mkdir /tmp/x")).stderr, /No space left on device/);
  });
});

cri("security context: masked and read-only paths", async (k) => {
  const security = { maskedPaths: ["/etc/group", "/home"], readonlyPaths: ["/var"] };
  await withContainer(k, { security }, async (container) => {
    assert.is(await container.output("cat /etc/group; ls /home; echo empty"), "empty");
    assert.match((await container.exec("touch /var/x")).stderr, /Read-only file system/);
  });
});

const makeCgroup = "cd /sys/fs/cgroup; [ ! -e memory ] || cd memory; mkdir below && rmdir below && echo made";

cri("privileged: the host's capabilities and devices, a writable /sys and cgroups", async (k) => {
  const security = { privileged: true };
  await withPod(k, { security }, async (pod) => {
    const container = await runContainer(pod, waiting, { security });
    const status = await container.output("cat /proc/self/status");
    assert.match(status, `CapEff:\t${statusField("self", "CapEff")}\n`);
    assert.match(status, /^Seccomp:\t0$/m);
    const script = `mount -t tmpfs x /mnt; grep -o ' /sys ..' /proc/self/mountinfo; ls -d /dev/fuse; ${makeCgroup}`;
    assert.is(await container.output(script), "/sys rw\n/dev/fuse\nmade");
    const { stderr } = await (await runContainer(pod)).exec(makeCgroup);
    assert.match(stderr, "Read-only file system");
  });
});

cri("mounts: read-only, from the host to the container, and both ways", async (k) => {
  const shared = join(k.host.dir, "volume");
  mkdirSync(shared);
  await k.host.run([
    "sh",
    "-c",
    'mount --bind "$1" "$1" && mount --make-shared "$1" && mkdir "$1"/below "$1"/back',
    "sh",
    shared,
  ]);
  const mounts = [
    { containerPath: "/ro", hostPath: shared, readonly: true },
    { containerPath: "/slave", hostPath: shared, propagation: "PROPAGATION_HOST_TO_CONTAINER" },
  ];
  const both = [{ containerPath: "/both", hostPath: shared, propagation: "PROPAGATION_BIDIRECTIONAL" }];
  const devices = [{ containerPath: "/dev/mine", hostPath: "/dev/full", permissions: "rw" }];
  const security = { privileged: true };
  await withPod(k, { security }, async (pod) => {
    const one = await runContainer(pod, waiting, { config: { mounts, devices } });
    const two = await runContainer(pod, waiting, { security, config: { mounts: both } });
    assert.match((await one.exec("touch /ro/x")).stderr, /Read-only file system/);
    assert.match((await one.exec("echo x >/dev/mine")).stderr, /No space left on device/);
    await k.host.run(["mount", "-t", "tmpfs", "x", join(shared, "below")]);
    assert.is(await one.output("stat -f -c %T /slave/below"), "tmpfs");
    await two.output("mount -t tmpfs x /both/back");
    const { stdout } = await k.host.run(["stat", "-f", "-c", "%T", join(shared, "back")]);
    assert.is(stdout.trim(), "tmpfs");
    await k.host.run(["umount", join(shared, "below"), join(shared, "back")]);
  });
  await k.host.run(["umount", shared]);
});

for (const [title, security] of [
  ["as it is", {}],
  ["privileged", { privileged: true }],
  [
    "user, no capabilities, seccomp",
    {
      runAsUser: { value: 1000 },
      capabilities: { dropCapabilities: ["ALL"] },
      noNewPrivs: true,
      seccomp: { profileType: "RuntimeDefault" },
    },
  ],
] as const)
  cri(
    `the probe sees what it sees with runc, started and by exec [${title}]`,
    async (k) => {
      const by = async (handler: string): Promise<Probes> => {
        let probes: Probes = { started: new Map(), entered: new Map() };
        await withPod(k, { handler, hostname: "probe", security }, async (pod) => {
          const once = await runContainer(pod, ["sh", "/probe.sh"], { security });
          assert.is((await once.exits()).exitCode, 0);
          const lines = () => once.log().map((line) => line.replace(/^std\w+ \w /, ""));
          assert.ok(await eventually(() => lines().includes("== end"), 30));
          const started = readProbe(lines().join("\n"));
          const entered = readProbe(
            await (await runContainer(pod, waiting, { security })).output("sh /probe.sh"),
          );
          probes = { started, entered };
        });
        return probes;
      };
      assertSame(await by("runt"), await by("runc"));
    },
    { needs: ["runc"] },
  );

cri("containerd is killed and starts again while pods run", async (k) => {
  await withContainer(k, {}, async (container, pod) => {
    await k.restart("KILL");
    const again = async (): Promise<boolean> =>
      (await container.status().catch(() => undefined))?.state === "CONTAINER_RUNNING";
    assert.ok(await eventually(again, 60));
    assert.is(await container.output("echo still here"), "still here");
    const more = await runContainer(pod);
    assert.is((await namespaces(more)).net, (await namespaces(container)).net);
    await container.stop(60);
    assert.is((await container.exits()).exitCode, 5);
  });
});

cri("several pods at the same time", async (k) => {
  const count = long ? 30 : 6;
  const one = (i: number): Promise<void> =>
    withPod(k, { hostname: `host${i}` }, async (pod) => {
      const container = await runContainer(pod);
      assert.is(await container.output("hostname"), `host${i}`);
      const ended = await runContainer(pod, ["sh", "-c", `exit ${i}`]);
      assert.is((await ended.exits()).exitCode, i);
    });
  await Promise.all(Array.from({ length: count }, (_, i) => one(i)));
});

cri.run();
