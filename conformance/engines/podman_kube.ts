// A pod of Kubernetes' YAML, played by Podman: two containers, a volume, a configuration map and limits.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually } from "../command.ts";
import type { Cli } from "./cli.ts";
import { imageName } from "./oci_image.ts";

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

/** Needs catatonit, of which Podman makes the image of its infra container. */
export async function withKubePod(p: Cli, body: () => Promise<void>): Promise<void> {
  const file = join(p.host.dir, "pod.yaml");
  writeFileSync(file, kube);
  await p.says("play", "kube", "--network", "none", file);
  const reading = ["exec", "kubed-reader", "cat", "/in/out"];
  const shared = async () => (await p.cli(reading)).stdout === "hello kubehost 0\n";
  assert.ok(await eventually(shared, 60));
  await body();
  await p.says("play", "kube", "--down", file);
  await p.says("volume", "prune", "--force");
  assert.is(await p.says("pod", "ps", "--quiet"), "");
}
