// What may be mounted on /proc, which sysctls may be written, and what masks a path.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { conformance, refuse, succeed } from "../harness.ts";
import { type Mount, shell, withoutMounts } from "../spec.ts";

const proc = conformance("proc");
const hostFile = (name: string): string => readFileSync(`/proc/sys/${name}`, "utf8");

const overProc: readonly [title: string, mount: Mount][] = [
  ["tmpfs at /proc", { destination: "/proc", type: "tmpfs", source: "tmpfs" }],
  ["bind at /proc", { destination: "/proc", type: "bind", source: "VOLUME", options: ["rbind"] }],
  [
    "bind at /proc/self/attr",
    { destination: "/proc/self/attr", type: "bind", source: "VOLUME", options: ["rbind"] },
  ],
  ["tmpfs at /proc/sys", { destination: "/proc/sys", type: "tmpfs", source: "tmpfs" }],
  [
    "bind at /proc by way of /tmp/..",
    { destination: "/tmp/../proc/sys", type: "bind", source: "VOLUME", options: ["rbind"] },
  ],
  [
    "bind through a link to /proc",
    { destination: "/link/sys", type: "bind", source: "VOLUME", options: ["rbind"] },
  ],
];
for (const [title, mount] of overProc)
  proc(
    `${title} is refused (CVE-2019-16884)`,
    async (c) => {
      const volume = join(c.dir, "volume");
      mkdirSync(join(volume, "self/attr"), { recursive: true });
      writeFileSync(join(volume, "self/attr/exec"), "");
      symlinkSync("/proc", join(c.rootfs, "link"));
      c.configure((spec) => {
        spec.root.readonly = false;
        spec.mounts.push({ ...mount, source: mount.source === "VOLUME" ? volume : "tmpfs" });
      });
      refuse(await c.create());
      assert.is(readFileSync(join(volume, "self/attr/exec"), "utf8"), "");
    },
    mount.destination === "/proc/sys" ? { runcFails: "runc 1.1.5 lets a tmpfs onto a part of /proc" } : {},
  );

for (const name of ["cpuinfo", "meminfo", "stat", "uptime", "loadavg", "diskstats", "swaps"])
  proc(`a file of our own at /proc/${name} is allowed, as lxcfs does`, async (c) => {
    const file = join(c.dir, "fake");
    writeFileSync(file, "ours");
    c.configure((spec) => {
      spec.mounts.push({ destination: `/proc/${name}`, type: "bind", source: file, options: ["bind", "ro"] });
      shell(spec, `cat /proc/${name}`);
    });
    assert.is(succeed(await c.run()).stdout, "ours");
  });

for (const key of [
  "kernel.core_pattern",
  "kernel/core_pattern",
  "kernel.shm_rmid_forced/../core_pattern",
  "net.ipv4.x/../../../kernel/core_pattern",
  "net/../kernel/core_pattern",
  "fs.mqueue.x/../../../kernel/core_pattern",
  "/proc/sys/kernel/core_pattern",
  "net.ipv4.ip_forward=1+kernel.core_pattern",
  "vm.overcommit_memory",
  "",
])
  proc(`sysctl ${JSON.stringify(key)} is refused (CVE-2022-0811)`, async (c) => {
    const before = [hostFile("kernel/core_pattern"), hostFile("vm/overcommit_memory")];
    c.configure((spec) => {
      spec.linux.sysctl = { [key]: "1" };
    });
    refuse(await c.create());
    assert.equal([hostFile("kernel/core_pattern"), hostFile("vm/overcommit_memory")], before);
  });

for (const [type, key] of [
  ["network", "net.ipv4.ip_forward"],
  ["ipc", "kernel.msgmax"],
  ["uts", "kernel.domainname"],
] as const)
  proc(`sysctl ${key} without a ${type} namespace is refused`, async (c) => {
    const file = key.replaceAll(".", "/");
    const before = hostFile(file);
    c.configure((spec) => {
      spec.linux.namespaces = spec.linux.namespaces.filter((each) => each.type !== type);
      if (type === "uts") delete spec.hostname;
      if (type === "ipc") withoutMounts(spec, "/dev/mqueue");
      spec.linux.sysctl = { [key]: "7777" };
    });
    refuse(await c.create());
    assert.is(hostFile(file), before);
  });

const nulls: readonly [title: string, make: (path: string) => void][] = [
  ["a link to core_pattern", (path) => symlinkSync("/proc/sys/kernel/core_pattern", path)],
  ["a link to nowhere", (path) => symlinkSync("/nonexistent", path)],
  ["a regular file", (path) => writeFileSync(path, "not null")],
  ["a fifo", (path) => void execFileSync("mkfifo", [path])],
  ["the zero device", (path) => void execFileSync("mknod", [path, "c", "1", "5"])],
  ["missing", () => {}],
];
for (const [title, make] of nulls)
  proc(
    `/dev is a volume and its null is ${title}: masked by the real null device or not created (CVE-2025-31133)`,
    async (c) => {
      const dev = join(c.dir, "dev");
      mkdirSync(dev);
      make(join(dev, "null"));
      const pattern = hostFile("kernel/core_pattern");
      c.configure((spec) => {
        withoutMounts(spec, "/dev");
        spec.mounts.push({ destination: "/dev", type: "bind", source: dev, options: ["rbind", "rw"] });
        spec.linux.maskedPaths = ["/proc/keys", "/proc/timer_list"];
        shell(spec, "stat -c '%F %t:%T' /proc/keys /proc/timer_list");
      });
      const result = await c.run({ timeoutSeconds: 10 });
      assert.is(result.timedOut, false, "hung");
      if (result.status === 0) assert.is(result.stdout, "character special file 1:3\n".repeat(2));
      assert.is(hostFile("kernel/core_pattern"), pattern);
      rmSync(dev, { recursive: true });
    },
    { runcMayFail: "runc before 1.2.8 takes whatever is at /dev/null" },
  );

proc("a masked directory is empty and cannot be written", async (c) => {
  c.configure((spec) => {
    spec.root.readonly = false;
    spec.linux.maskedPaths = ["/etc"];
    shell(spec, "ls -A /etc; touch /etc/file 2>&1");
  });
  assert.match((await c.run()).stdout, /^touch: .*Read-only file system\n$/);
});

proc.run();
