// vm only
// serial
// What a mount of type "cgroup" shows of cgroup v2, and that it changes nothing for the machine.
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { conformance, succeed } from "../harness.ts";
import { shell } from "../spec.ts";

const hierarchy = "/sys/fs/cgroup";
const show = `cat /proc/self/cgroup; grep ' - cgroup2 ' /proc/self/mountinfo | cut -d' ' -f4,5`;

/** The options of the file system, which are the same for all of its mounts. */
const hostOptions = (): string =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((line) => line.includes(` ${hierarchy} `) && line.includes(" - cgroup2 "))
    ?.split(" ")
    .at(-1) ?? "";

const mounts = conformance("cgroup mounts of v2");

mounts(
  "in the host's cgroup namespace: the whole hierarchy, whose options stay as they are",
  async (c) => {
    execFileSync("mount", ["-o", "remount,nsdelegate,memory_recursiveprot", hierarchy]);
    const before = hostOptions();
    assert.match(before, "nsdelegate");
    c.configure((spec) =>
      shell(spec, `${show}; test -e ${hierarchy}$(cut -d: -f3 /proc/self/cgroup)/cgroup.procs`),
    );
    const { stdout } = succeed(await c.run());
    assert.match(stdout, new RegExp(`^0::/.*${c.id}\n/ ${hierarchy}\n$`));
    assert.is(hostOptions(), before);
  },
  {
    needs: ["cgroup2"],
    runcFails: "runc mounts it anew, without the machine's options (opencontainers/runc#5258)",
  },
);

mounts(
  "in a cgroup namespace: the container's cgroup is the root",
  async (c) => {
    const before = hostOptions();
    c.configure((spec) => {
      spec.linux.namespaces.push({ type: "cgroup" });
      spec.linux.resources = { ...spec.linux.resources, pids: { limit: 17 } };
      shell(spec, `${show}; cat ${hierarchy}/pids.max; mkdir ${hierarchy}/x 2>/dev/null || echo refused`);
    });
    assert.is(succeed(await c.run()).stdout, `0::/\n/ ${hierarchy}\n17\nrefused\n`);
    assert.is(hostOptions(), before);
  },
  { needs: ["cgroup2"] },
);

mounts(
  "in a user namespace and the host's cgroup namespace: the container's part",
  async (c) => {
    for (const dir of [c.dir, c.bundle, c.rootfs]) chmodSync(dir, 0o755);
    chownSync(c.rootfs, 100000, 100000);
    c.configure((spec) => {
      const mapping = [{ containerID: 0, hostID: 100000, size: 65536 }];
      Object.assign(spec.linux, { uidMappings: mapping, gidMappings: mapping });
      spec.linux.namespaces.push({ type: "user" });
      shell(spec, show);
    });
    const { stdout } = succeed(await c.run());
    assert.match(stdout, new RegExp(`^0::(/.*${c.id})\n\\1 ${hierarchy}\n$`));
  },
  { needs: ["cgroup2"] },
);

mounts.run();
