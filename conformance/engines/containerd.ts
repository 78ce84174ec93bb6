// containerd on a machine of its own, with its directories in the usual places.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandOptions, eventually, type Result, type Running } from "../command.ts";
import { type Fixture, succeed } from "../harness.ts";
import { cgroupsOf } from "../leftovers.ts";
import { findCommand } from "../needs.ts";
import type { Engine } from "./engine.ts";
import { type Machine, machineNeeds, startMachine, stateIn } from "./machine.ts";
import { type Images, makeImage } from "./oci_image.ts";

export const containerdNeeds = ["containerd", "ctr", ...machineNeeds] as const;

export type Containerd = Engine & {
  readonly host: Machine;
  /** Its socket, as it is called outside. */
  readonly socket: string;
  readonly namespace: string;
  /** On the machine, the cgroup that containers are in: of ctr by the namespace's name, else when it is asked for. */
  readonly cgroupParent: string;
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
  /** The text of its configuration file; begins with the version. */
  readonly config: string;
  /** Otherwise one of its own. */
  readonly machine?: Machine;
};

/** Where the daemon listens, by default. */
const socket = "/run/containerd/containerd.sock";

/** `what` says how it is driven. */
export async function startContainerd(
  c: Fixture,
  what: string,
  { namespace, images, config, machine }: ContainerdOptions,
): Promise<Containerd> {
  const archive = makeImage(c.dir, images);
  const host = machine ?? (await startMachine(c));
  const bin = join(c.dir, "bin");
  const logFile = join(c.dir, "containerd.log");
  const pidFile = join(c.dir, "containerd.pid");
  mkdirSync(bin);
  mkdirSync(host.path("/etc/containerd"), { recursive: true });
  writeFileSync(host.path("/etc/containerd/config.toml"), config + optConfig);
  const ctrArgs = (args: readonly string[]): string[] => ["ctr", "-n", namespace, ...args];
  const ctr: Containerd["ctr"] = (args, options) =>
    host.run(["timeout", "-k", "1", "300", ...ctrArgs(args)], { timeoutSeconds: 310, ...options });
  let daemon: Running | undefined;
  const startDaemon = async (): Promise<void> => {
    const script = 'echo $$ >"$1"; PATH="$2:$PATH"; exec containerd >>"$3" 2>&1';
    const argv = ["sh", "-c", script, "sh", pidFile, bin, logFile];
    daemon = host.start(argv, { timeoutSeconds: 24 * 3600 });
    const answers = async (): Promise<boolean> => (await ctr(["version"])).status === 0;
    if (!(await eventually(answers, 60))) throw new Error(`no answer: ${readFileSync(logFile, "utf8")}`);
  };
  const endDaemon = async (signal: string): Promise<void> => {
    succeed(await host.run(["kill", "-s", signal, readFileSync(pidFile, "utf8").trim()]));
    await daemon?.done;
  };
  try {
    await startDaemon();
    succeed(await ctr(["image", "import", archive]));
  } catch (error) {
    await host.end();
    throw error;
  }
  return {
    version: `${containerdVersion()} (${what})`,
    host,
    socket: host.path(socket),
    namespace,
    cgroupParent: `/${c.token}`,
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
      const left = [
        ...stateIn(host, [`/run/containerd/runc/${namespace}`]),
        ...cgroupsOf(`${c.token}/${c.token}/`), // of containers; their parent stays with whoever named it
      ];
      await host.end();
      if (left.length > 0) throw new Error(`left behind: ${left.join(" ")}`);
    },
  };
}

/** Else it makes a directory in /opt. */
const optConfig = `
[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"
`;

const containerdVersion = (): string => {
  const [, , version = "?"] = execFileSync(findCommand("containerd") ?? "", ["--version"], {
    encoding: "utf8",
  }).split(" ");
  return `containerd ${version.split("~")[0]}`;
};
