// A container in a container that has less than root's rights: without privileges, and in a user namespace.
import { chownSync, copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { makeRootfs } from "../rootfs.ts";
import { type Spec, shell } from "../spec.ts";

const nested = conformance("nested", "root");
/** The other side has no libraries for another runtime. */
const built = { needs: ["built"] } as const;

/** What Docker gives to a container. */
const usual =
  "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE"
    .split(" ")
    .map((name) => `CAP_${name}`);

/** The inner one is the example of `spec --rootless`, which prints who it is; the outer one runs it. */
const inner = (options: string): string =>
  `cd /inner && runt spec --rootless && sed -i 's/"terminal": true/"terminal": false/; s/"sh"$/"sh", "-c", "id -u; echo inside; hostname"/' config.json && exec runt ${options} --root /tmp/state run one`;

function outer(c: Fixture, edit: (spec: Spec) => void): void {
  const bundle = join(c.rootfs, "inner");
  mkdirSync(bundle);
  makeRootfs(join(bundle, "rootfs"));
  copyFileSync(runtimePath, join(c.rootfs, "bin/runt"));
  c.configure((spec) => {
    spec.root.readonly = false;
    spec.process.noNewPrivileges = false;
    spec.process.capabilities = { bounding: usual, effective: usual, permitted: usual };
    edit(spec);
  });
}

const shown = "0\ninside\nrunc\n";

nested(
  "in an unprivileged container whose /proc is not masked, by a user namespace",
  async (c) => {
    outer(c, (spec) => {
      Object.assign(spec.linux, { maskedPaths: [], readonlyPaths: [] });
      shell(spec, inner("--rootless=true"));
    });
    assert.is(succeed(await c.run()).stdout, shown);
  },
  built,
);

nested(
  "a masked /proc is in the way, which is said",
  async (c) => {
    outer(c, (spec) => shell(spec, inner("--rootless=true")));
    refuse(
      await c.run(),
      "mount proc on /proc: EPERM (operation not permitted), asked for by mounts[0] (the procfs that the runtime sees is partly covered)",
    );
  },
  built,
);

nested(
  "its read-only cgroups are an error where nobody said to do without",
  async (c) => {
    outer(c, (spec) => shell(spec, inner("")));
    const { stderr } = refuse(await c.run(), /mkdir \/sys\/fs\/cgroup\/.*: EROFS/);
    assert.not.match(stderr, /cannot remove/);
  },
  built,
);

nested(
  "in a container in a user namespace, whose root has all capabilities",
  async (c) => {
    outer(c, (spec) => {
      spec.linux.namespaces.push({ type: "user" }, { type: "cgroup" });
      const maps = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
      Object.assign(spec.linux, { uidMappings: maps, gidMappings: maps, maskedPaths: [], readonlyPaths: [] });
      const all = [...usual, "CAP_SYS_ADMIN", "CAP_NET_ADMIN"];
      spec.process.capabilities = { bounding: all, effective: all, permitted: all };
      shell(spec, inner(""));
    });
    for (const dir of [c.rootfs, join(c.rootfs, "inner"), join(c.rootfs, "tmp")])
      chownSync(dir, 100_000, 100_000);
    for (const name of readdirSync(join(c.rootfs, "inner/rootfs")))
      chownSync(join(c.rootfs, "inner/rootfs", name), 100_000, 100_000);
    chownSync(join(c.rootfs, "inner/rootfs"), 100_000, 100_000);
    Bun.spawnSync(["chmod", "755", c.dir]);
    assert.is(succeed(await c.run()).stdout, shown);
  },
  built,
);

nested.run();
