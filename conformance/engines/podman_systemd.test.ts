// Podman as it comes, on a machine whose cgroups systemd manages: scopes, slices of pods, and timers for health checks.
// vm only
import * as assert from "uvu/assert";
import { eventually, runCommand } from "../command.ts";
import { refuse, succeed } from "../harness.ts";
import { cgroupsOf as cgroupDirectories } from "../leftovers.ts";
import { withTerminal } from "../pty.ts";
import { limitsIn } from "./cgroup_limits.ts";
import { cgroupsOf, inspect, once, output, withContainer } from "./cli.ts";
import { engineSuite } from "./engine.ts";
import { imageName } from "./oci_image.ts";
import { podmanNeeds, startPodman } from "./podman.ts";
import { withKubePod } from "./podman_kube.ts";
import { systemdTest } from "./podman_systemd_container.ts";

const podman = engineSuite("podman with systemd", ["test machine", ...podmanNeeds], startPodman);

const waiting = "trap 'exit 5' TERM; while :; do sleep 1000 & wait; done";

podman("info: systemd manages the cgroups, and the runtime is the one of the configuration", async (p) => {
  assert.is(
    await p.says("info", "--format", "{{.Host.CgroupManager}} {{.Host.OCIRuntime.Name}}"),
    "systemd runt",
  );
});

podman("run: exit status, a program that is missing, a device that is not allowed", async (p) => {
  assert.is((await p.cli([...once, imageName, "sh", "-c", "exit 7"])).status, 7);
  const missing = await p.cli([...once, imageName, "/nonexistent"]);
  assert.is(missing.status, 127);
  refuse(missing, "no such file or directory");
  const script = "mknod /dev/mem c 1 1; (: </dev/mem) 2>&1; true";
  assert.match(await output(p, script, "--cap-add", "MKNOD"), "not permitted");
});

podman("run --tty, with limits of resources", async (p) => {
  await withTerminal({ rows: 33, columns: 101 }, async ({ screen, start }) => {
    const limits = ["--ulimit", "nofile=100:200", "--ulimit", "core=0:0"];
    const script = "tty; stty size; echo $(ulimit -n) $(ulimit -Hn) $(ulimit -c); exit 3";
    const { status } = start(p.line(...once, "-it", ...limits, imageName, "sh", "-c", script));
    await screen.shows("/dev/pts/0", 60);
    await screen.shows("33 101", 60);
    await screen.shows("100 200 0", 60);
    assert.is(await status, 3);
  });
});

podman(
  "a container is a scope with its limits, in machine.slice; update; exec, pause, stop; then it is gone",
  async (p) => {
    const limits = ["--memory", "64m", "--cpus", "0.5", "--pids-limit", "99"];
    let scope = "";
    await withContainer(p, "scope", limits, waiting, async () => {
      const id = await inspect(p, "scope", "{{.Id}}");
      scope = `libpod-${id}.scope`;
      const cgroup = await cgroupsOf(p, "scope");
      assert.match(cgroup, `0::/machine.slice/${scope}`);
      const { memory, quota, period, pids } = limitsIn(cgroup);
      assert.equal([memory, (quota ?? 0) / period, pids], [64 << 20, 0.5, 99]);
      const show = ["systemctl", "show", "--property=MemoryMax,TasksMax", scope];
      const properties = succeed(await runCommand(show))
        .stdout.trim()
        .split("\n")
        .sort();
      assert.equal(properties, [`MemoryMax=${64 << 20}`, "TasksMax=99"]);
      await p.says("update", "--memory", "96m", "scope");
      assert.is(limitsIn(cgroup).memory, 96 << 20);
      assert.is((await p.cli(["exec", "scope", "sh", "-c", "exit 9"])).status, 9);
      await p.says("pause", "scope");
      assert.is(await inspect(p, "scope", "{{.State.Status}}"), "paused");
      await p.says("unpause", "scope");
      const stats = ["stats", "--no-stream", "--format", "{{.PIDs}}", "scope"];
      assert.ok(await eventually(async () => (await p.says(...stats)) === "2", 60));
      await p.says("stop", "--time", "60", "scope");
      assert.is(await inspect(p, "scope", "{{.State.ExitCode}}"), "5");
    });
    assert.ok(await eventually(() => cgroupDirectories(scope).length === 0, 60));
  },
);

podman("a process beyond the memory limit is killed", async (p) => {
  const limits = ["--memory", "16m", "--memory-swap", "16m"];
  assert.is(await output(p, "tail /dev/zero; echo $?", ...limits), "137");
});

podman("a health check is run by systemd's timer; kill", async (p) => {
  const health = ["--health-cmd", "test -e /tmp/well", "--health-interval", "1s", "--health-retries", "1"];
  await withContainer(p, "health", health, waiting, async () => {
    const becomes = (status: string) =>
      eventually(async () => (await inspect(p, "health", "{{.State.Health.Status}}")) === status, 60);
    assert.ok(await becomes("unhealthy"));
    await p.says("exec", "health", "touch", "/tmp/well");
    assert.ok(await becomes("healthy"));
    await p.says("kill", "--signal", "KILL", "health");
    assert.is(await p.says("wait", "health"), "137");
  });
});

podman(
  "play kube: a pod is a slice, with its containers and their limits in it",
  (p) =>
    withKubePod(p, async () => {
      const slices: string[] = [];
      for (const name of ["kubed-writer", "kubed-reader"]) {
        const slice = /^0::(\/machine\.slice\/machine-libpod_pod_[0-9a-f]+\.slice)\/libpod-/;
        slices.push(slice.exec(await cgroupsOf(p, name))?.[1] ?? "none");
      }
      assert.match(slices[0] ?? "", /pod/);
      assert.is(slices[0], slices[1]);
      const { memory, quota, period } = limitsIn(await cgroupsOf(p, "kubed-writer"));
      assert.equal([memory, (quota ?? 0) / period], [64 << 20, 0.5]);
    }),
  { needs: ["catatonit"] },
);

systemdTest(podman);

podman.run();
