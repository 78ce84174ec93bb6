// containerd where systemd manages cgroups, as on most hosts of today: by ctr, and by its CRI plugin as a kubelet with
// cgroupDriver "systemd" uses it.
// vm only
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand } from "../command.ts";
import { refuse, succeed } from "../harness.ts";
import { cgroupsOf } from "../leftovers.ts";
import { limitsIn } from "./cgroup_limits.ts";
import { attached, deleteTask, exec, pidsOf, procFile, withTask } from "./ctr.ts";
import { engineSuite } from "./engine.ts";
import { thisMachine } from "./machine.ts";
import { imageName } from "./oci_image.ts";
import { type Kubelet, runContainer, startKubelet, withPod } from "./pod.ts";
import { snippet } from "./snippet.ts";
import { waiting } from "./waiting.ts";

const section = "Kubernetes, through containerd";
const suite = engineSuite("containerd with systemd", ["containerd", "ctr", "systemd"], (c) =>
  startKubelet(c, `${snippet(section)}  SystemdCgroup = true\n`, thisMachine(c)),
);

const tokenOf = (k: Kubelet): string => k.cgroupParent.slice(1);

const flagsFor = (k: Kubelet, id: string): string[] => [
  "--runc-systemd-cgroup",
  ...["--cgroup", `machine.slice:${tokenOf(k)}:${id}`],
];

const scopeOf = (k: Kubelet, id: string): string => `/machine.slice/${tokenOf(k)}-${id}.scope`;

suite("ctr: a scope with the limits, exec, pause, metrics, kill; then it is gone", async (k) => {
  const limits = ["--memory-limit", `${48 << 20}`, "--cpu-quota", "30000", "--cpu-period", "60000"];
  const flags = [...flagsFor(k, "one"), ...limits];
  await withTask(k, "one", flags, async (pid) => {
    const cgroup = procFile(k, pid, "cgroup");
    assert.is(cgroup, `0::${scopeOf(k, "one")}\n`);
    const { memory, quota, period } = limitsIn(cgroup);
    assert.equal([memory, quota, period], [48 << 20, 30000, 60000]);
    const unit = `${tokenOf(k)}-one.scope`;
    const { stdout } = succeed(
      await runCommand(["systemctl", "show", "-p", "MemoryMax,CPUQuotaPerSecUSec", unit]),
    );
    assert.equal(stdout.trim().split("\n").sort(), ["CPUQuotaPerSecUSec=500ms", `MemoryMax=${48 << 20}`]);
    assert.is((await exec(k, "one", [], "cat /proc/self/cgroup; exit 3")).status, 3);
    succeed(await k.ctr(["task", "pause", "one"]));
    refuse(await exec(k, "one", [], "true"), /paused/);
    succeed(await k.ctr(["task", "resume", "one"]));
    assert.match(succeed(await k.ctr(["task", "metrics", "one"])).stdout, /^memory\.usage +\d+/m);
    assert.is((await pidsOf(k, "one")).length, 2);
    succeed(await k.ctr(["task", "kill", "--all", "-s", "KILL", "one"]));
    assert.is(await deleteTask(k, "one"), 137);
  });
  assert.ok(await eventually(() => cgroupsOf(scopeOf(k, "one")).length === 0, 30));
});

// It is another process than the first that takes too much: with that, the cgroup is gone before containerd 1.6 looks.
suite("ctr: exit status, a program that is missing, more memory than allowed", async (k) => {
  assert.is((await attached(k, "status", flagsFor(k, "status"), ["sh", "-c", "exit 7"])).status, 7);
  refuse(await attached(k, "none", flagsFor(k, "none"), ["/none"]), /no such file or directory/);
  const file = join(k.host.dir, "events");
  const events = k.startCtr(["events"], { timeoutSeconds: 300, stdout: file });
  const heard = (): string => readFileSync(file, "utf8");
  const label = async (): Promise<boolean> => {
    await k.ctr(["image", "label", imageName, `at=${Date.now()}`]);
    return heard().includes("/images/update");
  };
  assert.ok(await eventually(label, 60), "events are not heard");
  const flags = [...flagsFor(k, "oom"), "--memory-limit", `${32 << 20}`];
  await withTask(k, "oom", flags, async () => {
    assert.is((await exec(k, "oom", [], "exec tail /dev/zero")).status, 137);
    assert.ok(await eventually(() => heard().includes("/tasks/oom"), 60));
  });
  events.kill("SIGKILL");
  await events.done;
  for (const id of ["status", "none", "oom"]) assert.equal(cgroupsOf(scopeOf(k, id)), []);
});

suite("CRI: a pod in a slice: limits, exec, update, stats, OOM, stop", async (k) => {
  const token = tokenOf(k);
  const slice = `${token}.slice`;
  const security = { namespaceOptions: { network: "NODE", pid: "CONTAINER" } };
  await withPod(k, { hostname: "", cgroupParent: `/${slice}`, security }, async (pod) => {
    const resources = { memoryLimitInBytes: 64 << 20, cpuQuota: 40000, cpuPeriod: 80000 };
    const container = await runContainer(pod, waiting, { security, resources });
    const cgroup = procFile(k, container.pid, "cgroup");
    const parent = token.slice(0, token.indexOf("-"));
    assert.is(cgroup, `0::/${parent}.slice/${slice}/cri-containerd-${container.id}.scope\n`);
    const limits = () => {
      const { memory, quota, period } = limitsIn(cgroup);
      return [memory, quota, period];
    };
    assert.equal(limits(), [64 << 20, 40000, 80000]);
    assert.equal(await container.exec("echo out; exit 7"), { stdout: "out\n", stderr: "", exitCode: 7 });
    const linux = { memoryLimitInBytes: 96 << 20, cpuQuota: 20000, cpuPeriod: 80000 };
    await k.cri.call("UpdateContainerResources", { containerId: container.id, linux });
    assert.equal(limits(), [96 << 20, 20000, 80000]);
    const { stats } = await k.cri.call<{ stats: { memory: { workingSetBytes: { value: number } } } }>(
      "ContainerStats",
      { containerId: container.id },
    );
    assert.ok(stats.memory.workingSetBytes.value > 0);
    assert.is((await container.exec("exec tail /dev/zero")).exitCode, 137);
    assert.ok(await eventually(async () => (await container.status()).reason === "OOMKilled", 60));
    await container.stop(60);
    assert.is((await container.exits()).exitCode, 5);
  });
  succeed(await runCommand(["systemctl", "stop", slice])); // as the kubelet does, whose it is
});

suite.run();
