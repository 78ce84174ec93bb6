// Podman as root on a machine of its own, with the configuration of docs/engines.md and, besides, only what a machine
// without systemd needs.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fixture } from "../harness.ts";
import { cgroupsOf } from "../leftovers.ts";
import { findCommand } from "../needs.ts";
import { type Cli, cliOn } from "./cli.ts";
import { machineNeeds, startMachine, stateIn } from "./machine.ts";
import { makeImage } from "./oci_image.ts";
import { snippet } from "./snippet.ts";

export const podmanNeeds = ["podman", "conmon", ...machineNeeds] as const;

const ourConfig = `[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
`;

export async function startPodman(c: Fixture): Promise<Cli> {
  const archive = makeImage(c.dir);
  const host = await startMachine(c);
  const podman = cliOn(host, "podman", "podman");
  try {
    const etc = host.path("/etc/containers");
    mkdirSync(join(etc, "containers.conf.d"), { recursive: true });
    writeFileSync(join(etc, "containers.conf"), snippet("Podman"));
    writeFileSync(join(etc, "containers.conf.d/test.conf"), ourConfig);
    writeFileSync(join(etc, "storage.conf"), storageConfig);
    await podman.says("load", "--quiet", "--input", archive);
  } catch (error) {
    await host.end();
    throw error;
  }
  return {
    ...podman,
    version: `Podman ${podmanVersion()}`,
    async stop() {
      const left = {
        containers: await podman.says("ps", "--all", "--quiet", "--external"),
        state: stateIn(host, ["/run/runt", "/run/runc"]),
        cgroups: cgroupsOf(c.token).filter((at) => /libpod-[0-9a-f]{64}|buildah/.test(at)),
      };
      await host.end();
      if (JSON.stringify(left) !== '{"containers":"","state":[],"cgroups":[]}')
        throw new Error(`left behind: ${JSON.stringify(left, null, 1)}`);
    },
  };
}

const storageConfig = `[storage]
driver = "overlay"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
`;

const podmanVersion = (): string =>
  execFileSync(findCommand("podman") ?? "", ["--version"], { encoding: "utf8" })
    .trim()
    .replace(/.* /, "");
