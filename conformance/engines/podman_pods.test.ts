// Pods under Podman, rootful, and Kubernetes' YAML.
// vm serial
import * as assert from "uvu/assert";
import { refuse } from "../harness.ts";
import { withContainer } from "./cli.ts";
import { engineSuite } from "./engine.ts";
import { imageName } from "./oci_image.ts";
import { podmanNeeds, startPodman } from "./podman.ts";
import { withKubePod } from "./podman_kube.ts";

const podman = engineSuite("podman: pods", podmanNeeds, startPodman);

const infra = ["--infra-image", imageName, "--infra-command", "sleep 1000000"];

podman("a pod: shared namespaces, one host name, and it stops as one", async (p) => {
  await p.says("pod", "create", "--name", "pod", ...infra, "--network", "none", "--hostname", "shared");
  await withContainer(p, "member", ["--pod", "pod"], "sleep 1000", async () => {
    const script = "hostname; for n in net ipc uts; do readlink /proc/self/ns/$n; done";
    const first = await p.says("exec", "member", "sh", "-c", script);
    const second = await p.says("run", "--rm", "--pod", "pod", imageName, "sh", "-c", script);
    assert.is(first, second);
    assert.match(first, /^shared\n/);
    assert.match(
      await p.says("pod", "ps", "--format", "{{.Name}} {{.Status}} {{.NumberOfContainers}}"),
      /^pod Running 2$/,
    );
    await p.says("pod", "pause", "pod");
    assert.match(await p.says("pod", "ps", "--format", "{{.Status}}"), /^Paused$/);
    await p.says("pod", "unpause", "pod");
    assert.match(await p.says("pod", "stats", "--no-stream"), /member/);
    assert.match(await p.says("pod", "top", "pod"), /sleep 1000/);
    await p.says("pod", "stop", "--time", "0", "pod");
    assert.is(await p.says("inspect", "--format", "{{.State.Status}}", "member"), "exited");
    await p.says("pod", "start", "pod");
    assert.is(await p.says("inspect", "--format", "{{.State.Status}}", "member"), "running");
  });
  await p.says("pod", "rm", "--force", "--time", "0", "pod");
});

podman("a pod with a shared pid namespace", async (p) => {
  await p.says("pod", "create", "--name", "pids", ...infra, "--network", "none", "--share", "pid,ipc");
  await withContainer(p, "seen", ["--pod", "pids"], "exec sleep 1234", async () => {
    const others = ["run", "--rm", "--pod", "pids", imageName, "ps", "-o", "pid,args"];
    const text = await p.says(...others);
    assert.match(text, /sleep 1234/);
    assert.match(text, /1 sleep 1000000/);
  });
  await p.says("pod", "rm", "--force", "--time", "0", "pids");
});

podman(
  "play kube: a pod with two containers, a volume, a configuration map and limits; Podman's own infra container",
  (p) =>
    withKubePod(p, async () => {
      const memory = await p.says("inspect", "--format", "{{.HostConfig.Memory}}", "kubed-writer");
      assert.is(memory, `${64 * 1024 * 1024}`);
      refuse(await p.cli(["exec", "kubed-reader", "touch", "/x"]), "Read-only file system");
      assert.match(await p.says("generate", "kube", "kubed"), /kind: Pod/);
    }),
  { needs: ["catatonit"] },
);

podman.run();
