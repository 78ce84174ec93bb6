// Mounts of every type with their options, compared with runc by what /proc/self/mountinfo shows inside.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fixture } from "../harness.ts";
import { type Mount, withoutMounts } from "../spec.ts";
import { type OracleCase, oracleSuite } from "./compare.ts";

/** A directory on the host with a file in it, to bind. */
function hostDirectory(c: Fixture): string {
  const dir = join(c.dir, "volume");
  mkdirSync(join(dir, "below"), { recursive: true });
  writeFileSync(join(dir, "file"), "from the host");
  return dir;
}

const mounted = (
  title: string,
  mount: Mount,
  line?: RegExp,
  accepts?: OracleCase["accepts"],
): OracleCase => ({
  title,
  edit: (spec, c) => {
    const source = mount.source === "VOLUME" ? hostDirectory(c) : mount.source;
    spec.root.readonly = false;
    spec.mounts.push({ ...mount, ...(source ? { source } : {}) });
  },
  ...(line ? { shows: [{ section: "mountinfo", line }] } : {}),
  ...(accepts && { accepts }),
});

const bind = (title: string, options: string[], line: RegExp): OracleCase =>
  mounted(title, { destination: "/mnt", type: "bind", source: "VOLUME", options }, line);

oracleSuite("oracle: mounts", [
  bind("bind [bind]", ["bind"], /volume \/mnt rw/),
  bind("bind [bind, ro]", ["bind", "ro"], /volume \/mnt ro/),
  bind("bind [rbind]", ["rbind"], /volume \/mnt rw/),
  bind(
    "bind [rbind, ro, nosuid, nodev, noexec]",
    ["rbind", "ro", "nosuid", "nodev", "noexec"],
    / \/mnt ro,nosuid,nodev,noexec/,
  ),
  bind("bind [ro, then rw]", ["bind", "ro", "rw"], / \/mnt rw/),
  bind("bind [noatime]", ["bind", "noatime"], / \/mnt rw,noatime/),
  bind("bind [rslave]", ["rbind", "rslave"], / \/mnt rw/),
  bind("bind [rprivate]", ["rbind", "rprivate"], / \/mnt rw/),
  bind("bind [shared]", ["bind", "shared"], / \/mnt rw.*shared/),
  bind("bind [unbindable]", ["bind", "unbindable"], / \/mnt rw.*unbindable/),
  mounted(
    "bind of a file",
    { destination: "/etc/some.conf", type: "bind", source: "/etc/hostname", options: ["bind", "ro"] },
    / \/etc\/some\.conf ro/,
  ),
  mounted(
    "bind without a type",
    { destination: "/mnt", source: "/usr", options: ["rbind", "ro"] },
    /\/usr \/mnt ro/,
  ),
  mounted(
    "bind with destination to be made",
    { destination: "/a/b/c", type: "bind", source: "/usr", options: ["rbind", "ro"] },
    / \/a\/b\/c ro/,
  ),
  mounted(
    "tmpfs with size and mode",
    { destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["size=1m", "mode=0710"] },
    / \/mnt rw.*size=1024k,mode=710/,
  ),
  mounted(
    "tmpfs [ro, nosuid, noexec, nodev]",
    { destination: "/mnt", type: "tmpfs", source: "x", options: ["ro", "nosuid", "noexec", "nodev"] },
    / \/mnt ro,nosuid,nodev,noexec/,
  ),
  mounted(
    "tmpfs with nr_inodes, uid and gid",
    { destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["nr_inodes=100", "uid=5", "gid=6"] },
    /nr_inodes=100/,
  ),
  mounted(
    "tmpfs [relatime, strictatime, nodiratime]",
    { destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["strictatime", "nodiratime"] },
    / \/mnt rw,nodiratime /,
  ),
  mounted(
    "tmpfs [tmpcopyup]",
    { destination: "/etc", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] },
    / \/etc rw/,
  ),
  mounted(
    "tmpfs over a directory which a bind fills again",
    { destination: "/home", type: "tmpfs", source: "tmpfs" },
    / \/home rw/,
  ),
  mounted(
    "sysfs, second and read-write",
    { destination: "/mnt", type: "sysfs", source: "sysfs", options: ["rw"] },
    / \/mnt rw.* sysfs /,
  ),
  mounted("mqueue, second", { destination: "/mnt", type: "mqueue", source: "mqueue" }, / \/mnt rw.* mqueue /),
  mounted(
    "devpts, second and with a mode",
    {
      destination: "/mnt",
      type: "devpts",
      source: "devpts",
      options: ["newinstance", "mode=0600", "ptmxmode=0000"],
    },
    / \/mnt rw.* devpts .*mode=600/,
  ),
  mounted(
    "cgroup read-write",
    { destination: "/mnt", type: "cgroup", source: "cgroup", options: ["rw"] },
    / \/mnt\/memory rw/,
  ),
  mounted(
    "cgroup read-only elsewhere",
    { destination: "/mnt", type: "cgroup", source: "cgroup", options: ["ro", "nosuid"] },
    / \/mnt\/memory ro,nosuid/,
    {
      lines: [/ \/mnt r[ow],.* tmpfs /, /^writable: run. \/mnt /],
      why: "runc leaves the tmpfs above the read-only hierarchies writable",
    },
  ),
  {
    title: "proc read-only",
    edit: (spec) => {
      spec.mounts = spec.mounts.map((m) =>
        m.destination === "/proc" ? { ...m, options: ["ro", "nosuid"] } : m,
      );
    },
    shows: [{ section: "mountinfo", line: / \/proc ro,nosuid/ }],
  },
  {
    title: "destination through a symbolic link inside the root",
    edit: (spec, c) => {
      symlinkSync("/var", join(c.rootfs, "link"));
      spec.mounts.push({ destination: "/link/under", type: "tmpfs", source: "tmpfs" });
      spec.root.readonly = false;
    },
    shows: [{ section: "mountinfo", line: / \/var\/under rw/ }],
  },
  {
    title: "no /dev mount, no /sys, no cgroup",
    edit: (spec) => {
      withoutMounts(spec, "/dev", "/sys");
      spec.root.readonly = false;
    },
  },
  ...["private", "slave", "shared"].map(
    (propagation): OracleCase => ({
      title: `rootfsPropagation ${propagation}`,
      edit: (spec) => {
        spec.linux.rootfsPropagation = propagation;
      },
      ...(propagation === "shared" && {
        accepts: {
          lines: [/^mountinfo: run. \S+ \S+ \/ ro,/],
          why: "the root is what the property is about; runc 1.1.5 leaves it private, newer ones share it too",
        },
      }),
    }),
  ),
]);
