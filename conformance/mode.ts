// Who runs the runtime under test, and where. A test that leaves that to its fixture (harness.ts) runs in each of these
// modes unchanged: RUNT_MODE names the one for a whole file, and rootless/modes.ts has some in all of them.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Fixture } from "./harness.ts";
import { type Need, runtimePath } from "./needs.ts";
import { defaultSpec, type IDMapping, type Spec } from "./spec.ts";

export type Mode = {
  readonly needs: readonly Need[];
  /** Makes a test's configuration one for this mode. */
  readonly edit?: (spec: Spec) => void;
  /** Whose the bundle and the state are. */
  readonly owner?: number;
  /** The command that runs this one as the mode has it. */
  readonly command?: (c: Fixture, argv: readonly string[]) => string[];
  /** The runtime as the mode reaches it; its own path when absent. */
  readonly runtime?: (c: Fixture, path: string) => string;
  /** Before the fixture looks for what was left. */
  readonly finish?: (c: Fixture) => void;
};

/** Debian's "nobody", whom newuidmap(1) finds in /etc/passwd. */
export const USER = 65534;
/** What the user is given in /etc/subuid and /etc/subgid. */
const SUBORDINATE = 300_000;

export const modes = {
  root: { needs: [] },
  "root, user namespace": {
    needs: [],
    owner: 100_000,
    edit: withMaps([{ containerID: 0, hostID: 100_000, size: 65_536 }]),
  },
  "user, newuidmap": {
    needs: ["setpriv", "unshare", "mount", "newuidmap"],
    owner: USER,
    edit: withMaps([
      { containerID: 0, hostID: USER, size: 1 },
      { containerID: 1, hostID: SUBORDINATE, size: 65_535 },
    ]),
    runtime: copied,
    command: (c, argv) => withSubordinateIds(c, asUser(argv)),
  },
  "user, one id": {
    needs: ["setpriv"],
    owner: USER,
    edit: withOneId,
    runtime: copied,
    command: (_, argv) => asUser(argv),
  },
  "in a container": { needs: ["built"], runtime: copied, command: inside, finish: removeOuter },
} as const satisfies Record<string, Mode>;

export type ModeName = keyof typeof modes;
const modeNames = Object.keys(modes) as ModeName[];

/** That of RUNT_MODE, or root. */
export function chosenMode(): ModeName {
  const name = process.env.RUNT_MODE ?? "root";
  if (name in modes) return name as ModeName;
  throw new Error(`RUNT_MODE=${name}: there are ${modeNames.join("; ")}`);
}

/** An ordinary user, with the environment that a session has. */
function asUser(argv: readonly string[]): string[] {
  return ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups", ...argv];
}

/** The files that say which ids are the user's, for this command alone. */
export function withSubordinateIds(c: Fixture, argv: readonly string[]): string[] {
  const file = join(c.dir, "subordinate");
  writeFileSync(file, `nobody:${SUBORDINATE}:65536\n`);
  const bind = `touch /etc/subuid /etc/subgid; mount --bind ${file} /etc/subuid; mount --bind ${file} /etc/subgid`;
  return ["unshare", "-m", "sh", "-ec", `${bind}; exec "$@"`, "sh", ...argv];
}

function withMaps(mappings: readonly IDMapping[]): (spec: Spec) => void {
  return ({ linux }) => {
    if (linux.namespaces.some(({ type }) => type === "user")) return;
    linux.namespaces.push({ type: "user" });
    Object.assign(linux, { uidMappings: mappings, gidMappings: mappings });
  };
}

function withOneId(spec: Spec): void {
  withMaps([{ containerID: 0, hostID: USER, size: 1 }])(spec);
  for (const mount of spec.mounts) {
    if (mount.type !== "devpts") continue;
    mount.options = (mount.options ?? []).filter((option) => !option.startsWith("gid="));
  }
}

/** The project itself may be in a directory that only root may enter. */
function copied(c: Fixture, path: string): string {
  const copy = join(c.dir, basename(path));
  copyFileSync(path, copy);
  chmodSync(copy, 0o755);
  return copy;
}

const outerId = (c: Fixture): string => `${c.token}.outer`;
const outerCommand = (c: Fixture): string[] => [runtimePath, "--root", join(c.dir, "outer-state")];

/** By `exec` in a privileged container in which the machine's programs are, made when it is first needed. */
function inside(c: Fixture, argv: readonly string[]): string[] {
  const bundle = join(c.dir, "outer");
  if (!Bun.file(join(bundle, "config.json")).size) {
    mkdirSync(join(bundle, "rootfs"), { recursive: true });
    writeFileSync(join(bundle, "config.json"), JSON.stringify(outerSpec()));
    const [program = "", ...words] = outerCommand(c);
    // Its output must not be a pipe of ours, which it would hold open.
    const made = spawnSync(program, [...words, "run", "--detach", "--bundle", bundle, outerId(c)], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (made.status !== 0) throw new Error("there is no outer container to run in");
  }
  const status = join(c.dir, `status.${++count}`);
  const exec = [...outerCommand(c), "exec", "--detach", "--cwd", c.dir, outerId(c)];
  // Detached, as else exec would wait for all that the command leaves behind with its streams.
  const write = `"$@"; echo $? >${status}.new; mv ${status}.new ${status}`;
  const wait = `"$@"; until [ -e ${status} ]; do sleep 0.01; done; exit $(cat ${status})`;
  return ["sh", "-c", wait, "sh", ...exec, "sh", "-c", write, "sh", ...argv];
}

let count = 0;

function removeOuter(c: Fixture): void {
  const [program = "", ...words] = outerCommand(c);
  spawnSync(program, [...words, "delete", "--force", outerId(c)]);
}

function outerSpec(): Spec {
  const spec = defaultSpec();
  const { linux } = JSON.parse(spawnSync(runtimePath, ["features"], { encoding: "utf8" }).stdout);
  const own = BigInt(`0x${/^CapPrm:\s*(\w+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]}`);
  const all = (linux.capabilities as string[]).filter((_, number) => (own >> BigInt(number)) & 1n);
  Object.assign(spec.process, {
    args: ["sleep", "600"],
    capabilities: { bounding: all, effective: all, permitted: all },
    noNewPrivileges: false,
    rlimits: [],
  });
  spec.root.readonly = false;
  for (const mount of spec.mounts) mount.options = (mount.options ?? []).filter((option) => option !== "ro");
  for (const source of ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/tmp"])
    spec.mounts.push({ destination: source, source, type: "bind", options: ["rbind"] });
  spec.linux.namespaces.push({ type: "cgroup" });
  Object.assign(spec.linux, {
    maskedPaths: [],
    readonlyPaths: [],
    resources: { devices: [{ allow: true, access: "rwm" }] },
  });
  return spec;
}
