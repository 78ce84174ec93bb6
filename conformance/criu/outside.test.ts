// vm
// What a container has of the host comes back as it was: rights, mounts, hooks, limits, namespaces; and to runc.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand } from "../command.ts";
import { succeed } from "../harness.ts";
import { namespaceOf } from "../inspect.ts";
import { criuVersion, findCommand, runtimePath, testingRunc } from "../needs.ts";
import {
  checkpoint,
  configure,
  counter,
  countsOnFrom,
  exec,
  images,
  quietly,
  read,
  restore,
  run,
  shows,
  withCriu,
} from "./container.ts";

const outside = withCriu("checkpoint and restore: the host");

outside(
  "user, capabilities, limits, filter and no_new_privs are what they were",
  async (c) => {
    configure(c, "cd /tmp; echo ready >/tmp/ready; exec tail -f /dev/null", (spec) => {
      spec.process.user = { uid: 1000, gid: 1001, additionalGids: [5], umask: 0o27 };
      spec.process.noNewPrivileges = true;
      spec.process.rlimits = [{ type: "RLIMIT_NOFILE", hard: 300, soft: 200 }];
      spec.linux.seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["swapon"], action: "SCMP_ACT_ERRNO" }],
      };
    });
    await runCommand(["chmod", "1777", join(c.rootfs, "tmp")]);
    await run(c);
    await shows(c, "tmp/ready", "ready");
    // CRIU has no_new_privs since 3.19.
    const more = criuVersion() < 3.19 ? "" : "|NoNewPrivs";
    const fields = new RegExp(`^(Uid|Gid|Groups|Umask|Cap\\w+|Seccomp|Seccomp_filters${more}):.*$`, "gm");
    const look = async (): Promise<string> => {
      const { pid } = await c.state();
      const file = async (name: string) => Bun.file(`/proc/${pid}/${name}`).text();
      const limits = (await file("limits")).match(/^Max open files.*$/m)?.[0] ?? "";
      return [...((await file("status")).match(fields) ?? []), limits].join("\n");
    };
    const before = await look();
    assert.match(before, "Seccomp:\t2");
    succeed(await checkpoint(c));
    succeed(await restore(c));
    assert.is(await look(), before);
  },
  { needs: ["CAP_SYS_RESOURCE"] },
);

for (const readonly of [false, true])
  outside(
    `mounts from outside, within each other, hidden and read-only paths are as before, of a root that is ${readonly ? "read-only" : "writable"}`,
    async (c) => {
      const folder = join(c.dir, "outside");
      const second = join(c.dir, "second");
      mkdirSync(join(folder, "inner"), { recursive: true });
      mkdirSync(second);
      writeFileSync(join(second, "file"), "second\n");
      writeFileSync(join(folder, "file"), "of the host\n");
      const bind = (destination: string, source: string) => ({
        destination,
        source,
        type: "bind",
        options: ["rbind", "ro"],
      });
      configure(c, "echo in memory >/mnt/tmp/f; exec tail -f /dev/null", (spec) => {
        spec.mounts.push(
          { destination: "/mnt/tmp", type: "tmpfs", source: "tmpfs" },
          bind("/data", folder),
          bind("/data/inner", second),
          bind("/etc/one", join(folder, "file")),
          bind("/link/there", folder),
        );
        spec.root.readonly = readonly;
      });
      mkdirSync(join(c.rootfs, "real"));
      await runCommand(["ln", "-s", "real", join(c.rootfs, "link")]);
      await run(c);
      // Without what is numbered, and with the order, which decides what is above what.
      const mounts = () =>
        exec(
          c,
          "cut -d' ' -f5,6 /proc/self/mountinfo; cat /data/file /data/inner/file /etc/one /mnt/tmp/f /real/there/file; cat /proc/keys; echo x >/proc/sys/kernel/hostname 2>&1; :",
        );
      const sorted = (text: string) => text.split("\n").sort().join("\n");
      assert.ok(await eventually(async () => (await mounts()).includes("in memory")));
      const before = await mounts();
      succeed(await checkpoint(c));
      // Places that somebody has removed are made again.
      rmSync(join(c.rootfs, "data"), { recursive: true });
      rmSync(join(c.rootfs, "etc/one"));
      succeed(await restore(c));
      assert.is(sorted(await mounts()), sorted(before));
    },
    { runcMayFail: "CRIU gives two read-only mounts of one file system to be written to" },
  );

outside("hooks: prestart and createRuntime see the namespaces, others do not run", async (c) => {
  const note = (name: string) => [{ path: "/bin/sh", args: ["sh", "-c", `cat >>${join(c.dir, name)}`] }];
  configure(c, counter, (spec) => {
    spec.hooks = {
      prestart: note("prestart"),
      createRuntime: [
        {
          path: "/bin/sh",
          args: [
            "sh",
            "-c",
            `cat >>${join(c.dir, "createRuntime")}; pid=$(grep -o '"pid": *[0-9]*' ${join(c.dir, "createRuntime")} | tail -n 1 | tr -dc 0-9); readlink /proc/$pid/ns/net >>${join(c.dir, "net")}`,
          ],
          env: ["PATH=/usr/bin:/bin"],
        },
      ],
      createContainer: note("createContainer"),
      poststart: note("poststart"),
      poststop: note("poststop"),
    };
  });
  await run(c);
  await shows(c, "tmp/n", 5);
  succeed(await checkpoint(c));
  const written = () =>
    readdirSync(c.dir)
      .filter((name) => /^(pre|post|create)/.test(name))
      .sort();
  assert.ok(written().includes("poststop"), "the container was deleted");
  for (const name of written()) rmSync(join(c.dir, name));
  rmSync(join(c.dir, "net"));
  succeed(await restore(c));
  assert.equal(written(), ["createRuntime", "prestart"]);
  const state = JSON.parse(await Bun.file(join(c.dir, "createRuntime")).text());
  assert.is(state.id, c.id);
  const { pid } = await c.state();
  assert.is(state.pid, pid);
  assert.is((await Bun.file(join(c.dir, "net")).text()).trim(), namespaceOf(pid, "net"));
  assert.is.not(namespaceOf(pid, "net"), namespaceOf("self", "net"));
});

outside("limits and device rules are those of the configuration", async (c) => {
  configure(c, counter, (spec) => {
    spec.linux.resources = {
      ...spec.linux.resources,
      pids: { limit: 55 },
      memory: { limit: 200 << 20 },
    };
  });
  await run(c);
  await shows(c, "tmp/n", 5);
  const stats = async () => {
    const { data } = JSON.parse(succeed(await c.runt(["events", "--stats", c.id])).stdout);
    return [data.pids.limit, data.memory.usage.limit];
  };
  const device = "mknod /tmp/kmsg c 1 11 2>&1; head -c 1 /dev/kmsg 2>&1; head -c 1 /dev/zero | wc -c";
  const before = [await stats(), await exec(c, device)];
  assert.equal(before[0], [55, 200 << 20]);
  succeed(await checkpoint(c));
  succeed(await restore(c));
  assert.equal([await stats(), await exec(c, device)], before);
});

for (const [title, edit] of [
  ["in the host's cgroup namespace", () => {}],
  [
    "in a cgroup namespace",
    (spec: { linux: { namespaces: { type: string }[] } }) => spec.linux.namespaces.push({ type: "cgroup" }),
  ],
] as const)
  outside(`its own cgroups are to be seen ${title}`, async (c) => {
    configure(c, counter, (spec) => {
      edit(spec);
      spec.mounts.push({
        destination: "/sys/fs/cgroup",
        type: "cgroup",
        source: "cgroup",
        options: ["nosuid", "noexec", "nodev", "relatime", "ro"],
      });
    });
    await run(c);
    await shows(c, "tmp/n", 5);
    const look = () => exec(c, "cat /proc/self/cgroup; ls /sys/fs/cgroup");
    const before = await look();
    succeed(await checkpoint(c));
    succeed(await restore(c));
    assert.is(await look(), before);
  });

outside(
  "a user namespace with maps",
  async (c) => {
    configure(c, "echo ready >/tmp/ready; exec tail -f /dev/null", (spec) => {
      spec.linux.namespaces.push({ type: "user" });
      const map = [{ containerID: 0, hostID: 100000, size: 65536 }];
      Object.assign(spec.linux, { uidMappings: map, gidMappings: map });
      spec.mounts = spec.mounts.filter(({ type }) => type !== "sysfs" && type !== "cgroup");
    });
    await runCommand(["chmod", "1777", join(c.rootfs, "tmp")]);
    await runCommand(["chmod", "755", c.dir, c.bundle]);
    await run(c);
    await shows(c, "tmp/ready", "ready");
    const look = () => exec(c, "id -u; cat /proc/self/uid_map; stat -c %u /proc/1");
    const before = await look();
    succeed(await checkpoint(c));
    succeed(await restore(c));
    assert.is(await look(), before);
  },
  { runcFails: "its images are not to be searched by root of a user namespace" },
);

outside(
  "a namespace of the network by path: what is in it is not touched",
  async (c) => {
    const name = `${c.token}n`;
    const ip = (...words: string[]) => runCommand(["ip", ...words]).then(succeed);
    await ip("netns", "add", name);
    try {
      await ip("-n", name, "link", "set", "lo", "up");
      await ip("-n", name, "address", "add", "10.77.7.7/32", "dev", "lo");
      configure(c, counter, (spec) => {
        const net = spec.linux.namespaces.find(({ type }) => type === "network");
        if (net !== undefined) net.path = `/run/netns/${name}`;
      });
      await run(c);
      await shows(c, "tmp/n", 5);
      succeed(await checkpoint(c));
      const before = Number(read(c, "tmp/n"));
      succeed(await restore(c));
      await countsOnFrom(c, before);
      assert.match(await exec(c, "cat /proc/net/fib_trie"), "10.77.7.7");
      succeed(await c.runt(["delete", "--force", c.id]));
    } finally {
      await ip("netns", "delete", name);
    }
  },
  { needs: ["ip"] },
);

outside(
  "a network device is moved into it again",
  async (c) => {
    configure(c, counter, (spec) => {
      spec.linux.netDevices = { v0: { name: "uplink" } };
    });
    // In a network namespace of the test's own, with which all of them go.
    const runt = `"$0" --root ${c.root}`;
    const script = `set -e; ip link set lo up
    ip link add v0 type veth peer name v1
    ${runt} run -d --bundle ${c.bundle} ${c.id} </dev/null >/dev/null 2>&1
    until [ -e ${c.rootfs}/tmp/n ]; do sleep 0.1; done
    ${runt} exec ${c.id} ls /sys/class/net
    ${runt} checkpoint --image-path ${images(c)} ${c.id}
    ip link delete v1 2>/dev/null || true
    ip link add v0 type veth peer name v1
    ${runt} restore -d --bundle ${c.bundle} --image-path ${images(c)} ${c.id} </dev/null >/dev/null 2>&1
    ${runt} exec ${c.id} ls /sys/class/net
    ${runt} delete --force ${c.id}`;
    const result = succeed(
      await runCommand(["unshare", "-n", "sh", "-c", script, runtimePath], { timeoutSeconds: 60 }),
    );
    assert.is(result.stdout, "lo\nuplink\n".repeat(2));
  },
  { needs: ["ip", "unshare"], runcFails: "runc moves no device at a restore" },
);

outside(
  "runc restores what was saved here, and the other way round",
  async (c) => {
    const runc = findCommand("runc") ?? "";
    configure(c, counter);
    await run(c);
    await shows(c, "tmp/n", 5);
    succeed(await checkpoint(c));
    const root = join(c.dir, "runc");
    const asRunc = (...words: string[]) =>
      runCommand([
        "sh",
        "-c",
        'exec "$@" >/dev/null 2>&1',
        "sh",
        runc,
        "--root",
        root,
        "--log",
        join(c.dir, "log"),
        ...words,
      ]);
    const before = Number(read(c, "tmp/n"));
    try {
      succeed(await asRunc("restore", "-d", "--bundle", c.bundle, "--image-path", images(c), c.id));
      await countsOnFrom(c, before);
      succeed(await asRunc("checkpoint", "--image-path", images(c, "second"), c.id));
      const then = Number(read(c, "tmp/n"));
      const words = ["restore", "-d", "--bundle", c.bundle, "--image-path", images(c, "second"), c.id];
      succeed(await quietly(c, words));
      await countsOnFrom(c, then);
    } finally {
      if (existsSync(join(root, c.id))) await asRunc("delete", "--force", c.id);
    }
  },
  { needs: ["runc"], ...(testingRunc ? { lacks: "it would be runc with itself" } : {}) },
);

outside.run();
