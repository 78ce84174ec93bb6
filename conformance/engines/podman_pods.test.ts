// Pods under Podman, rootful, and Kubernetes' YAML.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import { refuse } from "../harness.ts";
import { withContainer } from "./cli.ts";
import { engineSuite } from "./engine.ts";
import { imageName } from "./oci_image.ts";
import { podmanNeeds, startPodman } from "./podman.ts";

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

const kube = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { greeting: hello }
---
apiVersion: v1
kind: Pod
metadata: { name: kubed, labels: { app: test } }
spec:
  restartPolicy: Never
  hostname: kubehost
  volumes:
    - name: shared
      emptyDir: {}
  containers:
    - name: writer
      image: ${imageName}
      imagePullPolicy: Never
      command: ["sh", "-c", 'echo "$GREETING $(hostname) $(id -u)" >/data/out; exec sleep 1000']
      env:
        - name: GREETING
          valueFrom: { configMapKeyRef: { name: settings, key: greeting } }
      volumeMounts: [{ name: shared, mountPath: /data }]
      resources: { limits: { memory: 64Mi, cpu: 500m } }
    - name: reader
      image: ${imageName}
      imagePullPolicy: Never
      command: ["sleep", "1000"]
      volumeMounts: [{ name: shared, mountPath: /in }]
      securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ["CHOWN"] } }
`;

podman(
  "play kube: a pod with two containers, a volume, a configuration map and limits; Podman's own infra container",
  async (p) => {
    const file = join(p.host.dir, "pod.yaml");
    writeFileSync(file, kube);
    await p.says("play", "kube", "--network", "none", file);
    const reading = ["exec", "kubed-reader", "cat", "/in/out"];
    const shared = async () => (await p.cli(reading)).stdout === "hello kubehost 0\n";
    assert.ok(await eventually(shared, 60));
    const memory = await p.says("inspect", "--format", "{{.HostConfig.Memory}}", "kubed-writer");
    assert.is(memory, `${64 * 1024 * 1024}`);
    refuse(await p.cli(["exec", "kubed-reader", "touch", "/x"]), "Read-only file system");
    assert.match(await p.says("generate", "kube", "kubed"), /kind: Pod/);
    await p.says("play", "kube", "--down", file);
    await p.says("volume", "prune", "--force");
    assert.is(await p.says("pod", "ps", "--quiet"), "");
  },
  { needs: ["catatonit"] }, // which the infra container's image is made of
);

podman.run();
