// A private containerd for the tests: its directories below the fixture's, its namespace (and so the cgroups of
// what it runs) named by the fixture's token.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, eventually, type Result, type Running } from "../command.ts";
import { type Fixture, succeed } from "../harness.ts";
import { cgroupsOf } from "../leftovers.ts";
import { findCommand, runtimePath } from "../needs.ts";
import type { Engine } from "./engine.ts";
import { type Images, makeImage } from "./oci_image.ts";
import { type PrivateHost, privateHostNeeds, startPrivateHost } from "./private_host.ts";

export const containerdNeeds = ["containerd", "ctr", ...privateHostNeeds] as const;

export type Containerd = Engine & {
  readonly host: PrivateHost;
  readonly socket: string;
  readonly namespace: string;
  /** A directory in front of the daemon's PATH. */
  readonly bin: string;
  /** The command line of ctr, to be run on the host. */
  readonly ctrArgs: (args: readonly string[]) => string[];
  readonly ctr: (args: readonly string[], options?: CommandOptions) => Promise<Result>;
  readonly startCtr: (args: readonly string[], options?: CommandOptions) => Running;
  readonly log: () => string;
  /** Ends the daemon by this signal and starts it again on the same directories. */
  readonly restart: (signal: "TERM" | "KILL") => Promise<void>;
};

export type ContainerdOptions = {
  readonly namespace: string;
  readonly images: Images;
  /** Further configuration: the text of a file that ours imports. */
  readonly config: string;
};

/** `version` says what drives it besides, such as "ctr". */
export async function startContainerd(
  c: Fixture,
  what: string,
  { namespace, images, config }: ContainerdOptions,
): Promise<Containerd> {
  const { dir } = c;
  const socket = join(dir, "containerd.sock");
  const logFile = join(dir, "containerd.log");
  const pidFile = join(dir, "containerd.pid");
  writeFileSync(join(dir, "more.toml"), config);
  writeFileSync(join(dir, "containerd.toml"), baseConfig(dir, socket));
  const bin = join(dir, "bin");
  mkdirSync(bin);
  const host = await startPrivateHost(dir);
  const ctrArgs = (args: readonly string[]): string[] => ["ctr", "-a", socket, "-n", namespace, ...args];
  const ctr: Containerd["ctr"] = (args, options) =>
    host.run(["timeout", "-k", "1", "60", ...ctrArgs(args)], { timeoutSeconds: 90, ...options });
  let daemon: Running | undefined;
  const startDaemon = async (): Promise<void> => {
    const script = 'echo $$ >"$1"; PATH="$4:$PATH"; exec containerd --config "$2" >>"$3" 2>&1';
    daemon = host.start(["sh", "-c", script, "sh", pidFile, join(dir, "containerd.toml"), logFile, bin], {
      timeoutSeconds: 24 * 3600,
    });
    const answers = async (): Promise<boolean> => existsSync(socket) && (await ctr(["version"])).status === 0;
    if (!(await eventually(answers, 60)))
      throw new Error(`containerd does not start: ${readFileSync(logFile, "utf8")}`);
  };
  const endDaemon = async (signal: string): Promise<void> => {
    succeed(await host.run(["kill", "-s", signal, readFileSync(pidFile, "utf8").trim()]));
    await daemon?.done;
  };
  try {
    await startDaemon();
    succeed(await ctr(["image", "import", makeImage(dir, images)]));
  } catch (error) {
    await host.end();
    throw error;
  }
  return {
    version: `${containerdVersion()} (${what})`,
    host,
    socket,
    namespace,
    bin,
    ctrArgs,
    ctr,
    startCtr: (args, options) => host.start(ctrArgs(args), options),
    log: () => readFileSync(logFile, "utf8"),
    async restart(signal) {
      await endDaemon(signal);
      await startDaemon();
    },
    async stop() {
      await endDaemon("TERM");
      const state = `/run/containerd/runc/${namespace}`;
      const path = host.path(state);
      const left = existsSync(path) ? readdirSync(path).filter((name) => name !== ".seccomp-cache") : [];
      await host.end();
      if (left.length > 0) throw new Error(`left in ${state}: ${left.join(" ")}`);
      removeParents(c.token);
    },
  };
}

const baseConfig = (dir: string, socket: string): string => `version = 2
root = "${dir}/containerd"
state = "/run/containerd"
imports = ["${dir}/more.toml"]
[grpc]
  address = "${socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${dir}/opt"
`;

const containerdVersion = (): string => {
  const [, , version = "?"] = execFileSync(findCommand("containerd") ?? "", ["--version"], {
    encoding: "utf8",
  }).split(" ");
  return `containerd ${version.split("~")[0]}`;
};

/** The cgroup named by the token is the parent of containers; engines leave it to whoever named it. */
function removeParents(token: string): void {
  for (const directory of cgroupsOf(token)) if (directory.endsWith(token)) rmdirSync(directory);
}

/** `ctr run` with the runtime under test. */
export const runArgs = (flags: readonly string[], image: string, id: string, argv: readonly string[]) => [
  "run",
  "--runc-binary",
  runtimePath,
  ...flags,
  image,
  id,
  ...argv,
];
