// vm
// A limit that cannot be set: the error names the controller, the file, the value and the field of config.json, and
// says whether the controller is missing or not delegated. Nothing of the container stays.
import { type ChildProcess, spawn } from "node:child_process";
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, type Result, runCommand } from "../command.ts";
import { conformance, type Fixture } from "../harness.ts";
import { cgroupsOf, removeCgroups } from "../leftovers.ts";
import { cgroupVersion, type Need, runtimePath } from "../needs.ts";
import type { Resources } from "../spec.ts";

type Case = {
  readonly title: string;
  readonly resources: Resources;
  readonly path?: string;
  /** Makes what the path needs. */
  readonly prepare?: (c: Fixture) => Promise<void> | void;
  /** Runs the runtime in another place. */
  readonly enter?: (c: Fixture) => Promise<readonly string[]>;
  /** As a user who may have no way to where it is. */
  readonly copy?: true;
  /** The whole message after "run failed: unable to start container process: "; CGROUP is the cgroup's path without the name of the test. */
  readonly says: string;
  readonly lacks?: string | undefined;
  readonly needs?: readonly Need[];
};

const root = "/sys/fs/cgroup";

/** Processes of this file, which end with the test that started them. */
const helpers: ChildProcess[] = [];

function start(command: string, ...args: string[]): number {
  const child = spawn(command, args, { stdio: "ignore" });
  helpers.push(child);
  return child.pid ?? -1;
}

async function endHelpers(): Promise<void> {
  for (const child of helpers) child.kill("SIGKILL");
  await eventually(
    () => helpers.every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null),
    30,
  );
  helpers.length = 0;
}

/** A cpuset of v1 with these processors. */
function cpuset(c: Fixture, processors: string, ...names: string[]): void {
  const path = join(root, "cpuset", `${c.token}-p`, ...names);
  mkdirSync(path);
  writeFileSync(join(path, "cpuset.cpus"), processors);
  writeFileSync(join(path, "cpuset.mems"), "0");
}

/** A cgroup of v2 beside the others, below which the container's is to be. */
function parent(c: Fixture, ...names: string[]): string {
  const path = join(root, `${c.token}-p`, ...names);
  mkdirSync(path, { recursive: true });
  return path;
}

const enabled = (dir: string): string[] =>
  readFileSync(join(dir, "cgroup.controllers"), "utf8").trim().split(" ");

/** Every controller of the root, enabled for its children. */
function enableAll(dir: string): void {
  for (const name of enabled(dir)) writeFileSync(join(dir, "cgroup.subtree_control"), `+${name}`);
}

/** A cgroup that user 100000 may manage, with two below it: one for the container and one for who makes it. */
function delegated(c: Fixture): void {
  for (const dir of [root, parent(c)]) enableAll(dir);
  for (const dir of [parent(c), parent(c, "c"), parent(c, "user")])
    for (const file of ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"])
      chownSync(join(dir, file), 100_000, 100_000);
}

/** Runs a command as root of a user namespace, who is user 100000 on the host, in this cgroup. */
async function asUser(c: Fixture, cgroup: string): Promise<readonly string[]> {
  const holder = start("unshare", "-U", "sleep", "1000");
  const own = () => readFileSync(`/proc/${holder}/comm`, "utf8") === "sleep\n";
  assert.ok(await eventually(own, 30));
  for (const map of ["uid_map", "gid_map"]) writeFileSync(`/proc/${holder}/${map}`, "0 100000 65536\n");
  for (const path of [c.dir, c.bundle]) chownSync(path, 100_000, 100_000);
  const inside = `echo 0 >${cgroup}/cgroup.procs; exec nsenter -t ${holder} -U -S 0 -G 0 unshare -m "$@"`;
  return ["sh", "-c", inside, "sh"];
}

/** /proc/cgroups: the hierarchy of a controller, 0 when none is mounted; undefined when the kernel has none. */
function hierarchyOf(controller: string): string | undefined {
  const text = readFileSync("/proc/cgroups", "utf8");
  return new RegExp(`^${controller}\\t(\\d+)\\t\\d+\\t1$`, "m").exec(text)?.[1];
}

const cpus = () =>
  cgroupVersion === 1
    ? readFileSync(`${root}/cpuset/cpuset.cpus`, "utf8").trim()
    : readFileSync(`${root}/cpuset.cpus.effective`, "utf8").trim();

const memory = { memory: { limit: 67108864 } };
const asked = 'asked for by linux.resources.memory.limit ("67108864" to controller memory';
const ENOENT = "ENOENT (no such file or directory)";

const v1: readonly Case[] = [
  {
    title: "huge pages, whose hierarchy is not mounted",
    resources: { hugepageLimits: [{ pageSize: "2MB", limit: 4194304 }] },
    says: `write hugetlb.2MB.limit_in_bytes: ${ENOENT}, asked for by linux.resources.hugepageLimits[0].limit ("4194304" to controller hugetlb; the controller is not mounted as a hierarchy of cgroup v1)`,
    lacks: hierarchyOf("hugetlb") === "0" ? undefined : "the hugetlb controller is mounted or missing",
  },
  {
    title: "rdma, which the kernel does not have",
    resources: { rdma: { mlx5_1: { hcaHandles: 3 } } },
    says: `write rdma.max: ${ENOENT}, asked for by linux.resources.rdma["mlx5_1"] ("mlx5_1 hca_handle=3" to controller rdma; the controller is missing: this kernel does not have it)`,
    lacks: hierarchyOf("rdma") === undefined ? undefined : "this kernel has the rdma controller",
  },
  {
    title: "cpus that there are not",
    resources: { cpu: { cpus: "0-9999" } },
    says: `write ${root}/cpuset/CGROUP/cpuset.cpus: ERANGE (numerical result out of range), asked for by linux.resources.cpu.cpus ("0-9999" to controller cpuset; the parent cgroup has ${cpus()})`,
  },
  {
    title: "cpus that a child cgroup has and the container would not",
    resources: { cpu: { cpus: "0" } },
    path: "/TOKEN-p",
    prepare: (c) => {
      cpuset(c, "0-1");
      cpuset(c, "0-1", "child");
    },
    lacks: cpus() === "0" ? "one processor" : undefined,
    says: `write ${root}/cpuset/TOKEN-p/cpuset.cpus: EBUSY (device or resource busy), asked for by linux.resources.cpu.cpus ("0" to controller cpuset; the child cgroup ${root}/cpuset/TOKEN-p/child has 0-1)`,
  },
  {
    title: "cpus that the parent cgroup does not have",
    resources: { cpu: { cpus: "1" } },
    path: "/TOKEN-p/c",
    prepare: (c) => cpuset(c, "0"),
    lacks: cpus() === "0" ? "one processor" : undefined,
    says: `write ${root}/cpuset/TOKEN-p/c/cpuset.cpus: EACCES (permission denied), asked for by linux.resources.cpu.cpus ("1" to controller cpuset; the parent cgroup has 0)`,
  },
  {
    title: "a throttle of a device that there is not",
    resources: { blockIO: { throttleReadBpsDevice: [{ major: 250, minor: 77, rate: 5 }] } },
    says: `write ${root}/blkio/CGROUP/blkio.throttle.read_bps_device: ENODEV (no such device), asked for by linux.resources.blockIO.throttleReadBpsDevice[0] ("250:77 5" to controller blkio)`,
  },
  {
    title: "files of v2",
    resources: { unified: { "memory.high": "5" } },
    says: "set unified to its files: EINVAL (invalid argument), asked for by linux.resources.unified (invalid configuration: cannot use unified on cgroup v1)",
  },
];

const v2: readonly Case[] = [
  {
    title: "a controller that the kernel does not have",
    resources: { unified: { "nonesuch.max": "1" } },
    says: `write ${root}/CGROUP/nonesuch.max: ${ENOENT}, asked for by linux.resources.unified["nonesuch.max"] ("1" to controller nonesuch; the controller is missing: this kernel does not have it, or has it in cgroup v1)`,
  },
  {
    title: "a file that the kernel does not have",
    resources: { unified: { "memory.nonesuch": "1" } },
    says: `write ${root}/CGROUP/memory.nonesuch: ${ENOENT}, asked for by linux.resources.unified["memory.nonesuch"] ("1" to controller memory; this kernel does not have the file)`,
  },
  {
    title: "a parent with processes",
    resources: memory,
    path: "/TOKEN-p/c",
    prepare: (c) => {
      writeFileSync(join(parent(c), "cgroup.procs"), String(start("sleep", "1000")));
    },
    says: `write ${root}/TOKEN-p/c/memory.max: ${ENOENT}, ${asked}; the controller is not delegated: it is not in cgroup.subtree_control of ${root}/TOKEN-p, which has processes)`,
  },
  {
    title: "a parent that is threaded",
    resources: memory,
    path: "/TOKEN-p/c",
    prepare: (c) => writeFileSync(join(parent(c), "cgroup.type"), "threaded"),
    says: `use cgroup ${root}/TOKEN-p/c: EOPNOTSUPP (operation not supported), asked for by linux.cgroupsPath (it is of type "domain invalid" because a parent is threaded, in which controller memory cannot work; choose a cgroupsPath outside of it)`,
  },
  {
    title: "a cgroup namespace that did not get the controller",
    resources: memory,
    path: "/c",
    // Below a cgroup with processes nothing is delegated; the namespace begins there.
    enter: async (c) => {
      writeFileSync(join(parent(c), "cgroup.procs"), String(start("sleep", "1000")));
      const inside = `echo 0 >${parent(c, "ns")}/cgroup.procs; exec unshare -m -C sh -c 'umount -l ${root}; mount -t cgroup2 none ${root}; exec "$@"' sh "$@"`;
      return ["sh", "-c", inside, "sh"];
    },
    says: `write ${root}/c/memory.max: ${ENOENT}, ${asked}; the controller is not delegated to this cgroup namespace)`,
    needs: ["unshare", "mount"],
  },
  {
    title: "a cgroup whose limits belong to another user",
    resources: memory,
    path: "/TOKEN-p/c",
    prepare: delegated,
    enter: (c) => asUser(c, parent(c, "user")),
    copy: true,
    says: `write ${root}/TOKEN-p/c/memory.max: EACCES (permission denied), ${asked}; not delegated: the cgroup belongs to another user)`,
    needs: ["unshare", "nsenter"],
  },
  {
    title: "a cgroup that a user may not enter from where he is",
    resources: {},
    path: "/TOKEN-p/c",
    prepare: delegated,
    enter: (c) => asUser(c, root),
    copy: true,
    says: `enter cgroup ${root}/TOKEN-p/c: EACCES (permission denied) (not delegated: the cgroup around it and the runtime's own belongs to another user)`,
    needs: ["unshare", "nsenter"],
  },
  {
    title: "cpus that there are not",
    resources: { cpu: { cpus: "0-9999" } },
    says: `write ${root}/CGROUP/cpuset.cpus: ERANGE (numerical result out of range), asked for by linux.resources.cpu.cpus ("0-9999" to controller cpuset; the parent cgroup has ${cpus()})`,
  },
  {
    title: "a throttle of a device that there is not",
    resources: { blockIO: { throttleReadBpsDevice: [{ major: 250, minor: 77, rate: 5 }] } },
    says: `write ${root}/CGROUP/io.max: ENODEV (no such device), asked for by linux.resources.blockIO.throttleReadBpsDevice[0] ("250:77 rbps=5" to controller io)`,
  },
];

/** The message of the one line that says why. */
function message({ status, stderr }: Result): string {
  assert.is(status, 1, stderr);
  const text = /level=error msg=("(?:[^"\\]|\\.)*")/.exec(stderr)?.[1];
  return text === undefined
    ? stderr
    : (JSON.parse(text) as string).replace(/^\w+ run failed: (unable to start container process: )?/, "");
}

const suite = conformance(`limits that cannot be set (v${cgroupVersion})`);
for (const each of cgroupVersion === 1 ? v1 : v2)
  suite(
    each.title,
    async (c) => {
      c.configure((spec) => {
        spec.linux.resources = { devices: [{ allow: false, access: "rwm" }], ...each.resources };
        spec.linux.cgroupsPath = (each.path ?? `/${c.id}`).replace("TOKEN", c.token);
      });
      try {
        await each.prepare?.(c);
        const enter = (await each.enter?.(c)) ?? [];
        const runtime = each.copy ? join(c.dir, "runt") : runtimePath;
        if (each.copy) copyFileSync(runtimePath, runtime);
        const result = await runCommand([
          ...enter,
          runtime,
          "--root",
          c.root,
          "run",
          "--bundle",
          c.bundle,
          c.id,
        ]);
        assert.is(message(result), each.says.replaceAll("TOKEN", c.token).replaceAll("CGROUP", c.id));
        if (existsSync(c.root)) assert.equal(readdirSync(c.root), []);
      } finally {
        await endHelpers();
        await eventually(() => {
          removeCgroups(`${c.token}-p`);
          return cgroupsOf(`${c.token}-p`).length === 0;
        }, 30);
      }
    },
    { lacks: each.lacks, needs: ["built", ...(each.needs ?? [])] },
  );
suite.run();
