// vm
// serial
// Mounts of type "cgroup" in the container, in every mode: v1 and v2 hosts, with and without a cgroup namespace,
// read-only and for writing. What must be seen is said here, and compared with runc.
import { chmodSync, chownSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { cgroupVersion, runtimePath } from "../needs.ts";
import { runcPath } from "../oracle/compare.ts";
import { type Spec, shell } from "../spec.ts";

/** Prints the mounts of cgroups, what is in them, and whether a cgroup can be made. */
const script = `
awk '/ \\/sys\\/fs\\/cgroup/ { sub(/^.* \\/sys/, "/sys"); sub(/ (shared|master):[0-9]+/, ""); print "mount", $0 }' /proc/self/mountinfo
cd /sys/fs/cgroup
echo shows $(ls)
for dir in . pids; do
  [ -f $dir/cgroup.procs ] || continue
  if [ -f $dir/release_agent ]; then :; elif [ -f $dir/cgroup.events ] || [ $dir = pids ]; then echo $dir is not the root of all; fi
  if mkdir $dir/inner 2>/dev/null; then echo $dir can be written; rmdir $dir/inner; else echo $dir cannot be written; fi
done
own=$(sed -n 's/^0:://p; s/^[0-9]*:pids://p' /proc/self/cgroup | tail -1)
case $own in /) echo own cgroup is the root;; *TOKEN*) echo own cgroup is named;; *) echo "own cgroup is $own";; esac
`;

function configure(c: Fixture, own: boolean, option: string, edit?: (spec: Spec) => void): void {
  c.configure((spec) => {
    shell(spec, script.replaceAll("TOKEN", c.token));
    const all = ["CAP_DAC_OVERRIDE"]; // the root of cgroup2 is not writable for its owner
    spec.process.capabilities = { bounding: all, effective: all, permitted: all };
    if (own) spec.linux.namespaces.push({ type: "cgroup" });
    for (const mount of spec.mounts)
      if (mount.type === "cgroup") mount.options = ["nosuid", "noexec", "nodev", "relatime", option];
    edit?.(spec);
  });
}

/** What differs by intention or by the numbers of the kernel. */
const comparable = (stdout: string): string[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) =>
      line
        // A bind mount tells the host's name of the file system, a new mount its own; runc's is new without need.
        .replace(/ - cgroup2 \S+ .*/, " - cgroup2")
        // runc leaves the tmpfs above read-only hierarchies writable.
        .replace(/^mount (\/sys\/fs\/cgroup) r[ow],.* - tmpfs .*/, "mount $1 tmpfs"),
    );

async function both(c: Fixture): Promise<string[]> {
  let lines: string[] = [];
  await keepingOptions(async () => {
    lines = await compared(c);
  });
  return lines;
}

async function compared(c: Fixture): Promise<string[]> {
  const by = (runtime: string, root: string) =>
    runCommand([runtime, "--root", root, "run", "--bundle", c.bundle, c.id]);
  const ours = comparable(succeed(await by(runtimePath, c.root)).stdout);
  const theirs = comparable(succeed(await by(runcPath(), join(c.dir, "oracle-state"))).stdout);
  assert.equal(ours, theirs);
  return ours;
}

/** Mount point and options of the file system, of every cgroup mount of the host. */
const hostMounts = (): (readonly [path: string, options: string])[] =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => [line.split(" ")[4] ?? "", line.split(" ").at(-1) ?? ""]);

/** Runs a test that may change the options of the host's mounts, and puts them back. */
async function keepingOptions(body: () => Promise<void>): Promise<void> {
  const before = hostMounts();
  try {
    await body();
  } finally {
    for (const [i, [path, options]] of hostMounts().entries())
      if (options !== before[i]?.[1]) await runCommand(["mount", "-o", `remount,${before[i]?.[1]}`, path]);
  }
}

const suite = conformance(`cgroup mounts (v${cgroupVersion})`);

suite(
  "the options of the host's own mounts stay as they are",
  (c) =>
    keepingOptions(async () => {
      const before = hostMounts();
      for (const own of [false, true]) {
        configure(c, own, "rw");
        succeed(await c.run());
      }
      assert.equal(hostMounts(), before);
    }),
  {
    ...(cgroupVersion === 2 && {
      runcFails: "mounting cgroup2 anew takes nsdelegate and memory_recursiveprot away (runc issue 5258)",
    }),
  },
);

for (const own of [false, true])
  for (const option of ["ro", "rw"])
    suite(
      `${own ? "with" : "without"} a cgroup namespace [${option}]`,
      async (c) => {
        configure(c, own, option);
        const lines = await both(c);
        const can = option === "rw" ? "can be written" : "cannot be written";
        const place = cgroupVersion === 2 ? "." : "pids";
        assert.ok(lines.includes(`${place} ${can}`), lines.join("\n"));
        assert.ok(lines.includes(own ? "own cgroup is the root" : "own cgroup is named"), lines.join("\n"));
        // The container's own cgroup, except on v2 without a namespace: there the paths count from the host's root.
        const below = lines.includes(`${place} is not the root of all`);
        assert.is(below, cgroupVersion === 1 || own, lines.join("\n"));
      },
      { needs: ["runc"] },
    );

suite(
  "a user and a cgroup namespace: the container's own cgroup, for writing",
  async (c) => {
    for (const dir of [c.dir, c.bundle, c.rootfs]) chmodSync(dir, 0o755);
    chownSync(c.rootfs, 100_000, 100_000);
    configure(c, true, "rw", (spec) => {
      spec.linux.namespaces.push({ type: "user" });
      const mappings = [{ containerID: 0, hostID: 100_000, size: 65536 }];
      Object.assign(spec.linux, { uidMappings: mappings, gidMappings: mappings });
    });
    const { stdout } = succeed(await c.run());
    assert.match(stdout, "own cgroup is the root");
    // On v2 the cgroup belongs to the container's root; that of v1 cannot be given away safely.
    if (cgroupVersion === 2) assert.match(stdout, ". can be written");
    else assert.match(stdout, "pids cannot be written");
  },
  { ...(cgroupVersion === 2 && { runcFails: "runc 1.1 gives the cgroup away with systemd only" }) },
);

suite("a user namespace without a cgroup namespace: the mount is there, and cannot be written", async (c) => {
  for (const dir of [c.dir, c.bundle, c.rootfs]) chmodSync(dir, 0o755);
  chownSync(c.rootfs, 100_000, 100_000);
  configure(c, false, "rw", (spec) => {
    spec.linux.namespaces.push({ type: "user" });
    const mappings = [{ containerID: 0, hostID: 100_000, size: 65536 }];
    Object.assign(spec.linux, { uidMappings: mappings, gidMappings: mappings });
  });
  const { stdout } = succeed(await c.run());
  assert.match(stdout, /^mount \/sys\/fs\/cgroup /m);
  assert.match(stdout, `${cgroupVersion === 2 ? "." : "pids"} cannot be written`);
});

suite.run();
