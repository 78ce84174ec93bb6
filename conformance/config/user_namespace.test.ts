// vm
// config-linux.md "User namespaces" and "User namespace mappings": new with maps, joined by path, and what a process
// in one sees of the host.
import { chmodSync, chownSync, readFileSync, readlinkSync } from "node:fs";
import * as assert from "uvu/assert";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
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

userns("one that cannot be made names the call", async (c) => {
  mapped(c, (spec) => {
    Object.assign(spec.linux, { uidMappings: [{ containerID: 0, hostID: 4294967290, size: 100 }] });
  });
  refuse(await c.run(), /uid_map: E/);
});

userns.run();
