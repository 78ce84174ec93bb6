// Pods and containers of the CRI plugin, as the kubelet makes them, each for the time of a test's body.
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { eventually } from "../command.ts";
import type { Fixture } from "../harness.ts";
import { type Containerd, startContainerd } from "./containerd.ts";
import { type Cri, connectCri } from "./cri.ts";
import { type Dialogue, withDialogue } from "./dialogue.ts";
import type { Machine } from "./machine.ts";
import { busybox, imageName, pause } from "./oci_image.ts";
import { podNetwork } from "./pod_network.ts";
import { untilWaiting, waiting } from "./waiting.ts";

export type Kubelet = Containerd & { readonly cri: Cri };

/** A containerd with this configuration, and ours behind it. */
export async function startKubelet(c: Fixture, config: string, machine?: Machine): Promise<Kubelet> {
  const own = `
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${Object.keys(pause)[0]}"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${podNetwork(c.dir)}"
`;
  const images = { ...busybox, ...pause };
  const containerd = await startContainerd(c, "CRI plugin", {
    namespace: "k8s.io",
    images,
    config: config + own,
    ...(machine && { machine }),
  });
  const cri = connectCri(containerd.socket);
  return {
    ...containerd,
    cri,
    async stop() {
      cri.close();
      await containerd.stop();
    },
  };
}

export type SecurityContext = Readonly<Record<string, unknown>>;

/** As the kubelet does it for a pod that does not ask for shareProcessNamespace. */
const standard: SecurityContext = { namespaceOptions: { pid: "CONTAINER" } };

export type PodOptions = {
  readonly handler?: string;
  readonly hostname?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly cgroupParent?: string;
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly security?: SecurityContext;
};

export type Pod = {
  readonly kubelet: Kubelet;
  readonly id: string;
  readonly config: object;
  readonly logDirectory: string;
};

export type ContainerOptions = {
  readonly security?: SecurityContext;
  readonly resources?: Readonly<Record<string, number | string>>;
  readonly config?: Readonly<Record<string, unknown>>;
};

export type ContainerStatus = {
  readonly state: "CONTAINER_CREATED" | "CONTAINER_RUNNING" | "CONTAINER_EXITED" | "CONTAINER_UNKNOWN";
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
};

export type Container = {
  readonly id: string;
  /** The first process, as the machine calls it. */
  readonly pid: number;
  readonly exec: (script: string, timeout?: number) => Promise<ExecResult>;
  /** What the script prints, when it goes well. */
  readonly output: (script: string) => Promise<string>;
  readonly status: () => Promise<ContainerStatus>;
  readonly exits: () => Promise<ContainerStatus>;
  readonly stop: (seconds: number) => Promise<void>;
  /** The log file's lines, without their times. */
  readonly log: () => string[];
};

export type ExecResult = { readonly stdout: string; readonly stderr: string; readonly exitCode: number };

let made = 0;

/** A running pod, removed after the body with what is in it. */
export async function withPod(
  kubelet: Kubelet,
  options: PodOptions,
  body: (pod: Pod) => Promise<void>,
): Promise<void> {
  const name = `pod${made++}`;
  const logDirectory = join(kubelet.host.dir, "logs", name);
  mkdirSync(logDirectory, { recursive: true });
  const config = {
    metadata: { name, uid: name, namespace: "default" },
    hostname: options.hostname ?? name,
    logDirectory,
    labels: options.labels ?? {},
    linux: {
      cgroupParent: options.cgroupParent ?? kubelet.cgroupParent,
      sysctls: options.sysctls ?? {},
      securityContext: { ...standard, ...options.security },
    },
  };
  const { podSandboxId } = await kubelet.cri.call<{ podSandboxId: string }>("RunPodSandbox", {
    config,
    runtimeHandler: options.handler ?? "runt",
  });
  try {
    await body({ kubelet, id: podSandboxId, config, logDirectory });
  } finally {
    await kubelet.cri.call("StopPodSandbox", { podSandboxId });
    await kubelet.cri.call("RemovePodSandbox", { podSandboxId });
  }
}

/** A container in the pod, not started yet. It goes with the pod. */
export async function createContainer(
  { kubelet, id: podSandboxId, config: sandboxConfig }: Pod,
  command: readonly string[],
  { security = {}, resources = {}, config = {} }: ContainerOptions = {},
): Promise<string> {
  const name = `container${made++}`;
  const { containerId } = await kubelet.cri.call<{ containerId: string }>("CreateContainer", {
    podSandboxId,
    sandboxConfig,
    config: {
      metadata: { name },
      image: { image: imageName },
      command,
      logPath: `${name}.log`,
      linux: { resources, securityContext: { ...standard, ...security } },
      ...config,
    },
  });
  return containerId;
}

/** A container in the pod, started. */
export async function runContainer(
  pod: Pod,
  command: readonly string[] = waiting,
  options: ContainerOptions = {},
): Promise<Container> {
  const containerId = await createContainer(pod, command, options);
  const { cri } = pod.kubelet;
  await cri.call("StartContainer", { containerId });
  const container = await containerOf(pod, containerId);
  if (command === waiting) await untilWaiting(pod.kubelet.host, container.pid);
  return container;
}

export async function containerOf(pod: Pod, containerId: string): Promise<Container> {
  const { cri } = pod.kubelet;
  const { info } = await statusOf(cri, containerId);
  const { pid, config } = JSON.parse(info.info ?? "{}") as { pid: number; config: { log_path: string } };
  const exec: Container["exec"] = async (script, timeout = 0) => {
    const cmd = ["sh", "-c", script];
    const reply = await cri.call<Replace<ExecResult>>("ExecSync", { containerId, cmd, timeout });
    return { stdout: `${reply.stdout}`, stderr: `${reply.stderr}`, exitCode: reply.exitCode };
  };
  const status = async (): Promise<ContainerStatus> => (await statusOf(cri, containerId)).status;
  return {
    id: containerId,
    pid,
    exec,
    async output(script) {
      const { stdout, stderr, exitCode } = await exec(script);
      if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${stdout}${stderr}`);
      return stdout.trim();
    },
    status,
    async exits() {
      const ended = async (): Promise<boolean> => (await status()).state === "CONTAINER_EXITED";
      if (!(await eventually(ended, 60))) throw new Error(`it is ${(await status()).state}`);
      return status();
    },
    stop: (seconds) => cri.call("StopContainer", { containerId, timeout: seconds }).then(() => {}),
    log: () =>
      readFileSync(join(pod.logDirectory, basename(config.log_path)), "utf8")
        .trim()
        .split("\n")
        .map((line) => line.slice(line.indexOf(" ") + 1)),
  };
}

/** The reply has bytes where the result has text. */
type Replace<T> = { readonly [K in keyof T]: T[K] extends string ? Buffer : T[K] };

type StatusReply = { readonly status: ContainerStatus; readonly info: Readonly<Record<string, string>> };

const statusOf = (cri: Cri, containerId: string): Promise<StatusReply> =>
  cri.call<StatusReply>("ContainerStatus", { containerId, verbose: true });

/** Speaks with a streaming call from inside the machine, where its server listens. */
export async function withStream(
  { cri, host }: Kubelet,
  method: "Exec" | "Attach" | "PortForward",
  request: object,
  body: (stream: Stream) => Promise<void>,
): Promise<void> {
  const { url } = await cri.call<{ url: string }>(method, request);
  const client = new URL("stream_client.ts", import.meta.url).pathname;
  await withDialogue(host.enter([process.execPath, "run", client, url]), (dialogue) =>
    body({
      ...dialogue,
      type: (text) => dialogue.write(`${JSON.stringify({ stdin: text })}\n`),
      resize: (rows, columns) => dialogue.write(`${JSON.stringify({ resize: [rows, columns] })}\n`),
    }),
  );
}

export type Stream = Dialogue & {
  readonly type: (text: string) => void;
  readonly resize: (rows: number, columns: number) => void;
};
