// The network of pods: a bridge, by Debian's CNI plugins, without a way out.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes its configuration, and returns the directory for it. */
export function podNetwork(dir: string): string {
  const directory = join(dir, "cni");
  mkdirSync(directory);
  const ipam = { type: "host-local", subnet: "10.88.0.0/16", dataDir: join(dir, "ipam") };
  const bridge = { type: "bridge", bridge: "pods0", isGateway: true, ipam };
  const list = { cniVersion: "0.4.0", name: "pods", plugins: [bridge] };
  writeFileSync(join(directory, "pods.conflist"), JSON.stringify(list));
  return directory;
}
