// A Docker daemon on a machine of its own, with the configuration of docs/engines.md.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, type Running } from "../command.ts";
import { type Fixture, succeed } from "../harness.ts";
import { cgroupsOf } from "../leftovers.ts";
import { findCommand, type Need, runtimePath } from "../needs.ts";
import { type Cli, cliOn } from "./cli.ts";
import { machineNeeds, startMachine, stateIn } from "./machine.ts";
import { imageName, makeImage } from "./oci_image.ts";
import { snippet } from "./snippet.ts";

export const dockerNeeds: readonly Need[] = ["dockerd", "docker", "iptables", ...machineNeeds];

/** The file in the machine's directory with the command lines of the runtime that BuildKit has run. */
export const buildkitCalls = "buildkit.calls";

/** Debian's before any other: the client and the daemon should be of one version. */
const client = ["/usr/bin/docker", findCommand("docker") ?? ""].find((path) => existsSync(path)) ?? "docker";

export type Docker = Cli & {
  /** Kills the daemon, and starts it again on the same directories. */
  readonly restart: () => Promise<void>;
};

/** `more` is in daemon.json besides what docs/engines.md says. */
export async function startDocker(c: Fixture, more: object = {}): Promise<Docker> {
  makeImage(c.dir);
  const host = await startMachine(c);
  const docker = cliOn(host, "docker", client);
  const log = join(c.dir, "dockerd.log");
  // BuildKit in the daemon runs `runc` from the path, whatever the runtimes are.
  const bin = join(c.dir, "bin");
  mkdirSync(bin);
  const wrapper = `#!/bin/sh\necho "$*" >>${join(c.dir, buildkitCalls)}\nexec ${runtimePath} "$@"\n`;
  writeFileSync(join(bin, "runc"), wrapper, { mode: 0o755 });
  const shell = ["sh", "-c", 'PATH="$1:$PATH" exec dockerd >>"$2" 2>&1', "sh", bin, log];
  mkdirSync(host.path("/etc/docker"), { recursive: true });
  const settings = { ...(JSON.parse(snippet("Docker")) as object), ...more };
  writeFileSync(host.path("/etc/docker/daemon.json"), JSON.stringify(settings));
  let daemon: Running | undefined;
  const startDaemon = async (): Promise<void> => {
    daemon = host.start(shell, { timeoutSeconds: 24 * 3600 });
    const answers = async () => (await docker.cli(["version"])).status === 0;
    if (!(await eventually(answers, 60))) throw new Error(`no answer: ${readFileSync(log, "utf8")}`);
  };
  try {
    await startDaemon();
    const changes = ['CMD ["sh"]', "ENV PATH=/bin"].flatMap((each) => ["--change", each]);
    await docker.says("import", ...changes, join(c.dir, "layer.tar"), imageName);
  } catch (error) {
    await host.end();
    throw error;
  }
  return {
    ...docker,
    version: `Docker ${dockerVersion()}`,
    async restart() {
      succeed(await host.run(["sh", "-c", "kill -KILL $(cat /run/docker.pid)"]));
      await daemon?.done;
      await startDaemon();
    },
    async stop() {
      const left = {
        containers: await docker.says("ps", "--all", "--quiet"),
        state: stateIn(host, ["/run/docker/runtime-runt/moby", "/run/docker/runtime-runc/moby"]),
        cgroups: cgroupsOf(c.token).filter((at) => /[0-9a-f]{64}/.test(at)),
      };
      await host.end();
      await daemon?.done;
      if (JSON.stringify(left) !== '{"containers":"","state":[],"cgroups":[]}')
        throw new Error(`left behind: ${JSON.stringify(left, null, 1)}`);
    },
  };
}

const dockerVersion = (): string =>
  /version ([\d.]+)/.exec(
    execFileSync(findCommand("dockerd") ?? "", ["--version"], { encoding: "utf8" }),
  )?.[1] ?? "?";
