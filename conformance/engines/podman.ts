// Podman as root, with the configuration of docs/engines.md: in the test machine on that machine itself, where systemd
// manages the cgroups; elsewhere on a machine of its own, with what is needed besides where there is no systemd.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../command.ts";
import type { Fixture } from "../harness.ts";
import { cgroupsOf } from "../leftovers.ts";
import { findCommand, inTestMachine } from "../needs.ts";
import { type Cli, cliOn } from "./cli.ts";
import { machineNeeds, startMachine, stateIn, thisMachine } from "./machine.ts";
import { makeImage } from "./oci_image.ts";
import { snippet } from "./snippet.ts";

export const podmanNeeds = ["podman", "conmon", ...machineNeeds] as const;

const manager = inTestMachine ? "systemd" : "cgroupfs";
const ourConfig = `[engine]
cgroup_manager = "${manager}"
events_logger = "file"
[network]
network_backend = "netavark"
[containers]
log_driver = "k8s-file"
`;

export async function startPodman(c: Fixture): Promise<Cli> {
  const archive = makeImage(c.dir);
  const host = inTestMachine ? thisMachine(c) : await startMachine(c);
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
  const cgroups = (): string[] =>
    cgroupsOf(inTestMachine ? "/" : c.token).filter((at) =>
      /libpod-[0-9a-f]{64}|libpod_pod_|buildah/.test(at),
    );
  return {
    ...podman,
    version: `Podman ${podmanVersion()}`,
    async stop() {
      await eventually(() => cgroups().length === 0, 10); // systemd removes a scope when it gets to it
      const left = {
        containers: await podman.says("ps", "--all", "--quiet", "--external"),
        state: stateIn(host, ["/run/runt", "/run/runc"]),
        cgroups: cgroups(),
      };
      const nothing = JSON.stringify(left) === '{"containers":"","state":[],"cgroups":[]}';
      if (!nothing && inTestMachine) await podman.cli(["system", "reset", "--force"]); // for the next file
      await host.end();
      if (!nothing) throw new Error(`left behind: ${JSON.stringify(left, null, 1)}`);
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
