// Mounts on "/" of the container, by whatever path: they take effect, and nothing is made out of sight below them.
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import type { Mount } from "../spec.ts";
import { type Case, tableSuite, withoutMountApi } from "./table.ts";

/** Another root file system. */
function otherRoot(c: Fixture): string {
  const root = join(c.dir, "other");
  for (const dir of ["bin", "proc", "dev", "sys", "tmp"]) mkdirSync(join(root, dir), { recursive: true });
  copyFileSync(join(c.rootfs, "bin/busybox"), join(root, "bin/busybox"));
  for (const name of ["sh", "cat", "ls", "grep", "cut", "touch"])
    symlinkSync("busybox", join(root, "bin", name));
  writeFileSync(join(root, "marker"), "the other root");
  return root;
}

const script = `cat /marker; ls /probe.sh 2>/dev/null; cut -d' ' -f5 /proc/self/mountinfo | grep -c .
  grep 'other / ' /proc/self/mountinfo; ls /dev/null /dev/pts/ptmx`;

const onRoot = (title: string, destination: string, options: string[], more: Partial<Case> = {}): Case => ({
  title,
  edit: (spec, c) => {
    spec.mounts.unshift({ destination, type: "bind", source: otherRoot(c), options: ["bind", ...options] });
  },
  script,
  shows: ["the other root", /\/other \/ rw/, "/dev/null\n/dev/pts/ptmx\n"],
  hides: [/probe\.sh/],
  ...more,
  // runc 1.1 does it, runc since 1.2 refuses.
  runcMayFail: "a mount on the top of the root file system is refused",
});

const maps = [{ containerID: 0, hostID: 0, size: 65536 }];

const tmpfs = (...options: string[]): Mount => ({
  destination: "/",
  type: "tmpfs",
  source: "tmpfs",
  options: ["tmpcopyup", "size=64m", ...options],
});

tableSuite("config: a mount on the root", [
  ...["/", ".", "//", "/.", "/proc/..", "/../"].map((destination) =>
    onRoot(`it takes effect, and what comes after is mounted in it [${destination}]`, destination, []),
  ),
  onRoot("its flags are kept", "/", ["nosuid", "noatime"], {
    shows: [/\/other \/ rw,nosuid,noatime /],
  }),
  onRoot("its propagation is set in the end", "/", ["shared"], { shows: [/\/other \/ rw,.* shared:/] }),
  onRoot("root.readonly is for it", "/", [], {
    edit: (spec, c) => {
      spec.root.readonly = true;
      spec.mounts.unshift({ destination: "/", type: "bind", source: otherRoot(c), options: ["bind"] });
    },
    shows: [/\/other \/ ro/],
  }),
  onRoot("with linux.rootfsPropagation", "/", [], {
    edit: (spec, c) => {
      Object.assign(spec.linux, { rootfsPropagation: "shared" });
      spec.mounts.unshift({ destination: "/", type: "bind", source: otherRoot(c), options: ["bind"] });
    },
    shows: [/\/other \/ rw,.* shared:/],
  }),
  onRoot("with --no-pivot", "/", [], { options: ["--no-pivot"] }),
  ...withoutMountApi.map(([title, faults]) =>
    onRoot(`on every way of mounting [${title}]`, "/", [], { faults }),
  ),
  ...[[], ["idmap"]].map((idmap) =>
    onRoot(`in a user namespace [${idmap}]`, "/", [], {
      edit: (spec, c) => {
        spec.linux.namespaces.push({ type: "user" });
        Object.assign(spec.linux, { uidMappings: maps, gidMappings: maps });
        const options = ["bind", ...idmap];
        spec.mounts.unshift({ destination: "/", type: "bind", source: otherRoot(c), options });
      },
    }),
  ),
  {
    title: "the last mount on it is the root, and covers those before",
    edit: (spec, c) =>
      spec.mounts.push({ destination: "/", type: "bind", source: otherRoot(c), options: ["bind"] }),
    script: "cat /marker; ls /proc",
    shows: ["the other root"],
    hides: [/self/],
    runcFails: "runc needs /proc, and since 1.2 refuses",
  },
  {
    title: "a tmpfs may start with the image, and leave it as it is",
    edit: (spec) => spec.mounts.unshift(tmpfs()),
    script: "ls /probe.sh; touch /new; grep ' / / ' /proc/self/mountinfo",
    shows: ["/probe.sh\n", / \/ rw,relatime - tmpfs tmpfs rw,size=65536k/],
    runcMayFail: "a mount on the top of the root file system is refused",
  },
  {
    title: "a tmpfs may be read-only in the end",
    edit: (spec) => spec.mounts.unshift(tmpfs("ro")),
    script: "touch /new || echo refused; ls -d /dev/pts",
    shows: ["refused\n/dev/pts\n"],
    runcMayFail: "a mount on the top of the root file system is refused",
  },
  {
    title: "it can be changed by remount",
    edit: (spec) =>
      spec.mounts.push({ destination: "/", source: "/", options: ["remount", "bind", "ro", "nosuid"] }),
    script: "grep ' / ' /proc/self/mountinfo",
    shows: [/rootfs \/ ro,nosuid/],
    runcMayFail: "a mount on the top of the root file system is refused",
  },
  ...["tmpfs", "bind"].map(
    (type): Case => ({
      title: `a link of the image that leads there is refused [${type}]`,
      edit: (spec, c) => {
        symlinkSync("/", join(c.rootfs, "link"));
        spec.mounts.push({ destination: "/link", type, source: c.dir });
      },
      refuses: '\\"/link\\" leads to the root of the container by a link',
      runcFails: "the words are runt's",
    }),
  ),
  ...["proc", "sysfs", "cgroup"].map(
    (type): Case => ({
      title: `a ${type} is no root`,
      edit: (spec) => spec.mounts.push({ destination: "/", type, source: type }),
      refuses: `mounts[7].destination: a ${type} cannot be the root file system`,
      runcFails: "the words are runt's",
    }),
  ),
  {
    title: "a file is no root",
    edit: (spec) => spec.mounts.push({ destination: "/", type: "bind", source: "/etc/hostname" }),
    refuses: "mount on /: ENOTDIR (not a directory), asked for by mounts[7]",
    runcFails: "the words are runt's",
  },
  {
    title: "linux.readonlyPaths makes the root itself read-only, not a mount on it",
    edit: (spec) => {
      spec.linux.readonlyPaths = ["/"];
    },
    script: "touch /new || echo refused; grep -c ' / ' /proc/self/mountinfo",
    shows: ["refused\n"],
  },
  ...["/", "/link"].map(
    (path): Case => ({
      title: `linux.maskedPaths cannot have the root [${path}]`,
      edit: (spec, c) => {
        symlinkSync("/", join(c.rootfs, "link"));
        spec.linux.maskedPaths = [path];
      },
      refuses: `${path} is the root of the container, which cannot be masked`,
      runcFails: "runc mounts the mask where the container's first process does not see it",
    }),
  ),
  // Nothing is mounted twice.
  {
    title: "a path that is listed twice is masked and made read-only once",
    edit: (spec) => {
      spec.linux.maskedPaths = ["/home", "/home/", "/./home", "/etc/passwd", "/etc/passwd"];
      spec.linux.readonlyPaths = ["/proc/sys", "/proc/sys", "/proc//sys/"];
    },
    script: "cut -d' ' -f5 /proc/self/mountinfo | grep -E '^(/home|/etc/passwd|/proc/sys)$'",
    shows: [/^\/proc\/sys\n\/home\n\/etc\/passwd\n$/],
    runcFails: "runc before 1.5 mounts twice",
  },
  // The path of the root file system in front of a path of the container.
  {
    title: "a destination may begin with the path of the root file system",
    edit: (spec, c) => {
      spec.mounts.push(
        { destination: `${c.rootfs}/mnt`, type: "tmpfs", source: "tmpfs" },
        { destination: `${c.rootfs}//x/../fresh/`, type: "bind", source: "/etc", options: ["bind"] },
      );
      spec.linux.devices = [{ path: `${c.rootfs}/dev/made`, type: "c", major: 1, minor: 3 }];
    },
    script: "cut -d' ' -f5 /proc/self/mountinfo; ls /dev/made /tmp",
    shows: ["/mnt\n/fresh\n", "/dev/made\n"],
    hides: [/conf-/],
    runcMayFail: "runc before 1.2 does so for some mounts only",
  },
  // A tmpfs takes over the mode of what it covers, and says so.
  {
    title: "the mode that a tmpfs takes over is one of its options",
    edit: (spec) =>
      spec.mounts.push({ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["size=1m"] }),
    script: "grep ' /tmp ' /proc/self/mountinfo",
    shows: [/ \/tmp rw,relatime - tmpfs tmpfs rw,size=1024k,mode=755\n/],
    runcMayFail: "runc before 1.2 changes the mode later",
  },
]).run();

const entered = conformance("exec and a mount on the root");

entered(
  "exec is in the same root",
  async (c) => {
    c.configure((spec) => {
      spec.process.args = ["sh"];
      spec.mounts.unshift({ destination: "/", type: "bind", source: otherRoot(c), options: ["bind"] });
    });
    succeed(await c.create());
    const result = succeed(await c.runt(["exec", c.id, "cat", "/marker"]));
    if (result.stdout !== "the other root") throw new Error(result.stdout);
    refuse(await c.runt(["exec", c.id, "ls", "/probe.sh"]));
  },
  { runcMayFail: "a mount on the top of the root file system is refused" },
);

entered(
  "the warning about a destination names it",
  async (c) => {
    const destination = `${c.rootfs}/mnt`;
    c.configure((spec) => spec.mounts.push({ destination, type: "tmpfs", source: "tmpfs" }));
    const { stderr } = succeed(await c.run());
    const text = `mounts[7].destination: ${destination} begins with the path of the root file system on the host, using /mnt`;
    if (!stderr.includes(text)) throw new Error(stderr);
  },
  { runcFails: "the words are runt's" },
);

entered.run();
