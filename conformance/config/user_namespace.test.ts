// vm
// config-linux.md "User namespaces" and "User namespace mappings": new with maps, joined by path, and what a process
// in one sees of the host.
import { chmodSync, chownSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { type Spec, shell } from "../spec.ts";

const userns = conformance("user namespace");

const first = 100_000;

/** A root that its mapped owner can write to, below directories that it can pass through. */
function mapped(c: Fixture, edit: (spec: Spec) => void): void {
  for (const dir of [c.dir, c.bundle, c.rootfs]) chmodSync(dir, 0o755);
  chownSync(c.rootfs, first, first);
  c.configure((spec) => {
    spec.linux.namespaces.push({ type: "user" });
    const mappings = [{ containerID: 0, hostID: first, size: 65536 }];
    Object.assign(spec.linux, { uidMappings: mappings, gidMappings: mappings });
    edit(spec);
  });
}

userns("the maps are the configuration's, root inside is the first of them outside", async (c) => {
  mapped(c, (spec) => shell(spec, "cat /proc/self/uid_map /proc/self/gid_map; id -u; sleep 60"));
  succeed(await c.create());
  const { pid } = await c.state();
  assert.is(readFileSync(`/proc/${pid}/uid_map`, "utf8").trim().replace(/ +/g, " "), `0 ${first} 65536`);
  assert.match(readFileSync(`/proc/${pid}/status`, "utf8"), new RegExp(`^Uid:\t${first}\t${first}\t`, "m"));
});

userns("it is a namespace of its own, and owns the others", async (c) => {
  mapped(c, (spec) => {
    const all = ["CAP_SYS_ADMIN"];
    spec.process.capabilities = { bounding: all, effective: all, permitted: all };
    shell(spec, "readlink /proc/self/ns/user; hostname inside && hostname");
  });
  const { stdout } = succeed(await c.run());
  assert.match(stdout, /^user:\[\d+\]\ninside\n$/);
  assert.not.match(stdout, readlinkSync("/proc/self/ns/user"));
});

userns("all capabilities of the configuration, also those that the runtime lacks itself", async (c) => {
  mapped(c, (spec) => {
    const all = ["CAP_SYS_RESOURCE", "CAP_KILL"];
    spec.process.capabilities = { bounding: all, effective: all, permitted: all };
    shell(spec, "grep CapEff /proc/self/status");
  });
  assert.is(succeed(await c.run()).stdout, "CapEff:\t0000000001000020\n");
});

userns("a bind mount from below a directory that only the host's root may enter", async (c) => {
  const closed = join(c.dir, "closed");
  mkdirSync(join(closed, "volume"), { recursive: true });
  writeFileSync(join(closed, "volume/file"), "from the host\n");
  chmodSync(closed, 0o700);
  mapped(c, (spec) => {
    for (const [destination, name] of [
      ["/a", "volume"],
      ["/b", "volume/file"],
    ] as const)
      spec.mounts.push({ destination, source: join(closed, name), options: ["rbind", "ro"] });
    spec.root.readonly = false;
    shell(
      spec,
      "cat /a/file /b; echo x 2>&1 >/b; grep -E ' /(a|b) ' /proc/self/mountinfo | cut -d' ' -f 6,7",
    );
  });
  const { stdout } = succeed(await c.run());
  assert.match(stdout, /^from the host\nfrom the host\n/);
  assert.match(stdout, /Read-only file system/);
  assert.not.match(stdout, /shared:/);
});

userns("one from a source that is missing there is refused", async (c) => {
  const closed = join(c.dir, "closed");
  mkdirSync(closed);
  chmodSync(closed, 0o700);
  const source = join(closed, "none");
  mapped(c, (spec) => spec.mounts.push({ destination: "/a", source, options: ["rbind"] }));
  refuse(await c.run(), `open_tree ${source}: ENOENT (no such file or directory), asked for by mounts[7]`);
});

userns("a user within the maps, with its groups", async (c) => {
  mapped(c, (spec) => {
    spec.process.user = { uid: 1000, gid: 1001, additionalGids: [5, 6] };
    shell(spec, "id -u; id -g; grep Groups /proc/self/status");
  });
  assert.is(succeed(await c.run()).stdout, "1000\n1001\nGroups:\t5 6 \n");
});

userns("a user outside of the maps is refused in runc's words", async (c) => {
  mapped(c, (spec) => {
    spec.process.user = { uid: 70_000, gid: 0 };
  });
  refuse(await c.run(), /cannot setuid to unmapped uid|setresuid uid 70000: EINVAL/);
});

userns("devices are the host's, bound, and work", async (c) => {
  mapped(c, (spec) => shell(spec, "echo x >/dev/null && head -c 4 /dev/zero | wc -c; ls -l /dev/full"));
  assert.match(succeed(await c.run()).stdout, /^4\ncrw-rw-rw-/);
});

userns("masked and read-only paths hold", async (c) => {
  mapped(c, (spec) =>
    shell(spec, "cat /proc/timer_list | wc -c; echo 1 >/proc/sys/kernel/sysrq || echo refused"),
  );
  assert.match(succeed(await c.run()).stdout, /^0\n[\s\S]*refused\n/);
});

userns("its cgroups are the container's", async (c) => {
  mapped(c, (spec) => {
    spec.linux.resources = { ...spec.linux.resources, pids: { limit: 50 } };
    shell(spec, "sleep 60");
  });
  succeed(await c.create());
  const { pid } = await c.state();
  assert.match(readFileSync(`/proc/${pid}/cgroup`, "utf8"), c.id);
});

userns("a second container joins by path, with a pid namespace of its own", async (c) => {
  mapped(c, (spec) => shell(spec, "exec sleep 60"));
  succeed(await c.create());
  const { pid } = await c.state();
  c.configure((spec) => {
    spec.linux.namespaces.push({ type: "user", path: `/proc/${pid}/ns/user` });
    shell(spec, "readlink /proc/self/ns/user; id -u; cat /proc/self/uid_map; echo pid $$");
  });
  const { stdout } = succeed(await c.runt(["run", "--bundle", c.bundle, `${c.id}.second`]));
  assert.match(stdout, new RegExp(`0\\n +0 +${first} +65536\\npid 1\\n`));
});

userns("one that is joined has its maps: the same may be given, others are refused", async (c) => {
  mapped(c, (spec) => shell(spec, "exec sleep 60"));
  succeed(await c.create());
  const { pid } = await c.state();
  const joining = (hostID: number): void =>
    c.configure((spec) => {
      const maps = [{ containerID: 0, hostID, size: 65536 }];
      spec.linux.namespaces.push({ type: "user", path: `/proc/${pid}/ns/user` });
      Object.assign(spec.linux, { uidMappings: maps, gidMappings: maps });
    });
  joining(first);
  succeed(await c.runt(["run", "--bundle", c.bundle, `${c.id}.same`]));
  joining(first + 1);
  refuse(
    await c.runt(["run", "--bundle", c.bundle, `${c.id}.other`]),
    `linux.uidMappings: not those of the user namespace /proc/${pid}/ns/user`,
  );
});

userns("an idmap option without mappings is the container's own map", async (c) => {
  mapped(c, (spec) => {
    spec.mounts.push({ destination: "/mnt", type: "bind", source: c.rootfs, options: ["bind", "idmap"] });
    shell(spec, "stat -c %u:%g /mnt/etc/passwd /etc/passwd");
  });
  // On the host the files are root's, which this mount shows as the container's root.
  assert.is(succeed(await c.run()).stdout, "0:0\n65534:65534\n");
});

/** A container with a file system of the host whose mount has flags that it may not take away. */
function locked(c: Fixture, ...options: string[]): Promise<Result> {
  const volume = join(c.dir, "volume");
  mkdirSync(volume);
  mapped(c, (spec) => {
    spec.mounts.push({ destination: "/mnt", type: "bind", source: volume, options: ["bind", ...options] });
    shell(spec, "grep ' /mnt ' /proc/self/mountinfo | cut -d' ' -f6");
  });
  const command = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
  const script = `mount -t tmpfs -o nosuid,nodev,noatime tmpfs ${volume}; exec "$@"`;
  return runCommand(["unshare", "-m", "sh", "-c", script, "sh", ...command]);
}

userns(
  "flags of a mount of the host stay where the container may not clear them",
  async (c) => assert.is(succeed(await locked(c, "ro")).stdout, "ro,nosuid,nodev,noatime\n"),
  { needs: ["unshare", "mount"] },
);

userns(
  "but to ask for it is an error",
  async (c) =>
    void refuse(
      await locked(c, "suid"),
      `mount_setattr ${c.dir}/volume: EPERM (operation not permitted), asked for by mounts[7]`,
    ),
  { needs: ["unshare", "mount"] },
);

userns("one that cannot be made names the call", async (c) => {
  mapped(c, (spec) => {
    Object.assign(spec.linux, { uidMappings: [{ containerID: 0, hostID: 4294967290, size: 100 }] });
  });
  refuse(await c.run(), /uid_map: E/);
});

userns.run();
