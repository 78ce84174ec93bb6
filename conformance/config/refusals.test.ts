// The exact text of every refusal of a configuration, or of a host, that takes the executable and a kernel to come
// about. Those that a unit test can provoke are beside the code; runtime/config/validate.test.ts has those of config.json
// itself.
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { conformance, type Fixture } from "../harness.ts";
import type { Need } from "../needs.ts";
import { type Circumstances, saidBy } from "../refusal.ts";
import { type Mount, type Spec, withoutMounts } from "../spec.ts";

type Refusal = Circumstances & {
  readonly title: string;
  readonly edit?: (spec: Spec, c: Fixture) => void;
  /** Given to `run` before the id. */
  readonly options?: readonly string[];
  readonly needs?: readonly Need[];
  /** The message after "runt run failed: "; of an expression, its end. */
  readonly says: string | RegExp;
};

/** In front of what a container's processes say, as by runc: of their setting up, and of the program itself. */
const program = "unable to start container process: ";
const init = `${program}error during container init: `;
const mounting = (what: string, where: string): string =>
  `${init}error mounting "${what}" to rootfs at "${where}": `;

const table: readonly Refusal[] = [
  {
    title: "a configuration with several mistakes: all are told",
    edit: (spec) => {
      Object.assign(spec, { hostname: 5 });
      spec.process.cwd = "";
    },
    says: 'invalid config.json: 2 problems: process.cwd: Cwd property must not be empty (given ""; accepted: a path that begins with "/"); hostname: wrong type (given 5; accepted: a string)',
  },
  {
    title: "a process forked in a user namespace, of which there is no descriptor",
    edit: (spec) => {
      const maps = [{ containerID: 0, hostID: 100000, size: 10 }];
      spec.linux.namespaces.push({ type: "user" });
      Object.assign(spec.linux, { uidMappings: maps, gidMappings: maps });
    },
    faults: "pidfd_open:*:EMFILE",
    prepare: (c) => `chmod 755 ${c.dir}`,
    says: /^pidfd_open pid \d+: EMFILE \(too many open files\)$/,
  },
  ...(
    [
      [
        "a namespace path that does not exist",
        (spec) => spec.linux.namespaces.splice(1, 1, { type: "network", path: "/nowhere/at/all" }),
        `${program}join network namespace /nowhere/at/all: ENOENT (no such file or directory), asked for by linux.namespaces[1].path`,
      ],
      [
        "a root that does not exist",
        (spec) => Object.assign(spec.root, { path: "nowhere" }),
        "invalid rootfs: open DIR/bundle/nowhere: ENOENT (no such file or directory), asked for by root.path",
      ],
      [
        "a root that is a file",
        (spec) => Object.assign(spec.root, { path: "config.json" }),
        "invalid rootfs: open DIR/bundle/config.json: ENOTDIR (not a directory), asked for by root.path",
      ],
      [
        "a program that does not exist",
        (spec) => Object.assign(spec.process, { args: ["nonesuch"] }),
        `${program}exec: "nonesuch": executable file not found in $PATH`,
      ],
      [
        "a program that does not exist, with a path",
        (spec) => Object.assign(spec.process, { args: ["/bin/nonesuch"] }),
        `${program}exec: "/bin/nonesuch": stat /bin/nonesuch: no such file or directory`,
      ],
      [
        "a program that is a directory",
        (spec) => Object.assign(spec.process, { args: ["/bin"] }),
        `${program}exec: "/bin": permission denied (it is a directory)`,
      ],
      [
        "a program that cannot be executed",
        (spec) => Object.assign(spec.process, { args: ["/etc/passwd"] }),
        `${program}exec: "/etc/passwd": permission denied`,
      ],
      [
        "a working directory that is a file",
        (spec) => Object.assign(spec.process, { cwd: "/etc/passwd" }),
        `${program}chdir to cwd ("/etc/passwd") set in config.json failed: not a directory (ENOTDIR)`,
      ],
      [
        "a limit above what this host lets",
        (spec) =>
          Object.assign(spec.process, { rlimits: [{ type: "RLIMIT_NOFILE", soft: 1, hard: 2 ** 40 }] }),
        `${init}prlimit RLIMIT_NOFILE 1:1099511627776: EPERM (operation not permitted), asked for by process.rlimits[0]`,
      ],
      [
        "an unknown file system",
        (spec) => spec.mounts.push({ destination: "/mnt", type: "nonsensefs", source: "x" }),
        `${mounting("nonsensefs", "/mnt")}mount nonsensefs on /mnt: ENODEV (no such device), asked for by mounts[7]`,
      ],
      [
        "a sysctl that does not exist",
        (spec) => Object.assign(spec.linux, { sysctl: { "net.ipv4.nonsense": "1" } }),
        `${init}open /proc/sys/net/ipv4/nonsense: ENOENT (no such file or directory), asked for by linux.sysctl["net.ipv4.nonsense"]`,
      ],
      [
        "a sysctl whose value is refused",
        (spec) => Object.assign(spec.linux, { sysctl: { "net.ipv4.ip_forward": "x" } }),
        `${init}write /proc/sys/net/ipv4/ip_forward: EINVAL (invalid argument), asked for by linux.sysctl["net.ipv4.ip_forward"]`,
      ],
      [
        "a host name longer than the kernel's",
        (spec) => Object.assign(spec, { domainname: "x".repeat(65) }),
        'invalid config.json: domainname: too long (given "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; accepted: at most 64 bytes)',
      ],
      [
        "mounts in a user namespace, but no mount namespace",
        (spec) => {
          spec.linux.namespaces.push({ type: "user" });
          const maps = [{ containerID: 0, hostID: 0, size: 65536 }];
          Object.assign(spec.linux, { uidMappings: maps, gidMappings: maps });
          spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "mount");
          spec.linux.maskedPaths = [];
          spec.linux.readonlyPaths = [];
        },
        "mounts: not possible in a user namespace without a mount namespace",
      ],
      [
        "the cgroup of the host",
        (spec) => Object.assign(spec.linux, { cgroupsPath: "/" }),
        "use cgroup /: EINVAL (invalid argument), asked for by linux.cgroupsPath (it names the root of the hierarchy, which cannot be a container's cgroup)",
      ],
      [
        "a NUL in an argument",
        (spec) => Object.assign(spec.process, { args: ["true", "a\0b"] }),
        'invalid config.json: process.args[1]: contains a NUL (given "a\\u0000b"; accepted: a string without NUL)',
      ],
      [
        "a listener that is not there",
        (spec) =>
          Object.assign(spec.linux, {
            seccomp: {
              defaultAction: "SCMP_ACT_ALLOW",
              listenerPath: "/nowhere/at/all",
              syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
            },
          }),
        `${init}connect /nowhere/at/all: ENOENT (no such file or directory), asked for by linux.seccomp.listenerPath`,
      ],
      [
        "a network device that is not there",
        (spec) => Object.assign(spec.linux, { netDevices: { nonesuch0: {} } }),
        `${init}move network device nonesuch0: ENODEV (no such device), asked for by linux.netDevices.nonesuch0`,
      ],
      [
        "memory nodes that are not there",
        (spec) => Object.assign(spec.linux, { memoryPolicy: { mode: "MPOL_BIND", nodes: "900" } }),
        `${init}set_mempolicy MPOL_BIND 900: EINVAL (invalid argument), asked for by linux.memoryPolicy`,
      ],
    ] as readonly (readonly [string, (spec: Spec) => void, string])[]
  ).map(([title, edit, says]): Refusal => ({ title, edit, says })),
  {
    title: "CPU shares below the least",
    edit: (spec) => {
      spec.linux.resources = { cpu: { shares: 1 } };
    },
    needs: ["cgroup1"],
    says: "set cpu.shares to 1: EINVAL (invalid argument), asked for by linux.resources.cpu.shares (the minimum allowed cpu-shares is 2)",
  },
  {
    title: "a scheduling policy that a cgroup without a share of real time does not let",
    edit: (spec) => {
      spec.process.scheduler = { policy: "SCHED_FIFO", priority: 1 };
    },
    faults: "sched_setattr:1:EPERM",
    says: `${init}set scheduler SCHED_FIFO: EPERM (operation not permitted), asked for by process.scheduler (a cgroup v1 needs a share of linux.resources.cpu.realtimeRuntime)`,
  },
  // Hooks
  ...(
    [
      ["by status", "echo out; echo err >&2; exit 3", "exit status 3, stdout: out\n, stderr: err\n"],
      ["by a signal", "kill -9 $$", "signal 9, stdout: , stderr: "],
    ] as const
  ).map(
    ([title, script, says]): Refusal => ({
      title: `a hook fails ${title}`,
      edit: (spec) => {
        spec.hooks = { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", script] }] };
      },
      says: `${init}error running createRuntime hook #0: /bin/sh: ${says}`,
    }),
  ),
  {
    title: "a hook that is not there",
    edit: (spec) => {
      spec.hooks = { createContainer: [{ path: "/nonexistent/hook" }] };
    },
    says: `${init}error running createContainer hook #0: /nonexistent/hook: exit status 127, stdout: , stderr: exec: ENOENT (no such file or directory)`,
  },
  {
    title: "a hook that takes too long",
    edit: (spec) => {
      spec.hooks = { prestart: [{ path: "/bin/sleep", args: ["sleep", "1000"], timeout: 1 }] };
    },
    says: `${init}error running prestart hook #0: /bin/sleep: hook ran past specified timeout of 1s`,
  },
  // Mounts
  ...(
    [
      [
        "/proc",
        `${mounting("tmpfs", "/proc")}mounting tmpfs on /proc is refused: only a procfs may be there`,
      ],
      [
        "/proc/sys",
        `${mounting("tmpfs", "/proc/sys")}"/proc/sys" cannot be mounted because it is inside /proc, of which only a few files may be covered`,
      ],
      [
        "/link/sys",
        `${mounting("tmpfs", "/link/sys")}"/link/sys" cannot be mounted because it is inside /proc, by a link`,
      ],
      [
        "/inside/x",
        `${mounting("mqueue", "/inside/x")}filesystem "mqueue" must be mounted on ordinary directory: /inside/x in the root file system leads through a symbolic link, which is refused here`,
      ],
    ] as const
  ).map(
    ([destination, says]): Refusal => ({
      title: `a tmpfs on ${destination}`,
      edit: (spec, c) => {
        symlinkSync("/proc", join(c.rootfs, "link"));
        symlinkSync("/mnt", join(c.rootfs, "inside"));
        spec.mounts.push({
          destination,
          type: destination === "/inside/x" ? "mqueue" : "tmpfs",
          source: "tmpfs",
        });
      },
      says,
    }),
  ),
  {
    title: "tmpcopyup of a tree without end",
    edit: (spec, c) => {
      const deep = Array.from({ length: 300 }, () => "d").join("/");
      execFileSync("mkdir", ["-p", join(c.rootfs, "mnt", deep)]);
      spec.mounts.push({ destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] });
    },
    says: `${mounting("tmpfs", "/mnt")}copy up /mnt${"/d".repeat(257)}: ELOOP (too many levels of symbolic links), asked for by mounts[7] (deeper than 256 directories)`,
  },
  {
    title: "options longer than mount(2) takes",
    edit: (spec) => {
      const options = Array.from({ length: 40 }, (_, i) => `lowerdir=/${String(i).padStart(150, "x")}`);
      spec.mounts.push({
        destination: "/mnt",
        type: "overlay",
        source: "overlay",
        options: [...options, "iversion"],
      });
    },
    says: `${mounting("overlay", "/mnt")}mount overlay on /mnt: E2BIG (argument list too long), asked for by mounts[7] (the options together are longer than mount(2) takes)`,
  },
  {
    title: "id-mapping what is id-mapped already",
    edit: (spec, c) => {
      const maps = [{ containerID: 0, hostID: 1000, size: 10 }];
      const mount: Mount = { destination: "/mnt", type: "bind", source: c.dir, options: ["bind", "idmap"] };
      withoutMounts(spec, "/sys");
      spec.mounts.push({ ...mount, uidMappings: maps, gidMappings: maps });
    },
    faults: "mount_setattr:2:EPERM",
    says: `${init}id-map DIR: EPERM (operation not permitted), asked for by mounts[5] (it is id-mapped already, or its file system belongs to another user namespace)`,
  },
  {
    title: "id-mapping with uids only",
    edit: (spec, c) => {
      const maps = [{ containerID: 0, hostID: 1000, size: 10 }];
      const mount: Mount = { destination: "/mnt", type: "bind", source: c.dir, options: ["bind", "idmap"] };
      spec.mounts.push({ ...mount, uidMappings: maps, gidMappings: [] });
    },
    says: "mounts[7]: id-mapped mounts must have both uid and gid mappings specified",
  },
  {
    title: "the host's null device is another",
    edit: () => {},
    prepare: () => "mount --bind /dev/zero /dev/null",
    says: `${init}/dev/null of the host is not the null device`,
  },
  {
    title: "a root that is a link",
    edit: (spec, c) => {
      symlinkSync("rootfs", join(c.bundle, "link"));
      spec.root.path = "link";
    },
    says: "invalid rootfs: not an absolute path, or a symlink",
  },
  // Namespaces
  ...(
    [
      ["/etc/hostname", "it is not a namespace"],
      ["/proc/self/ns/uts", "it is not a network namespace"],
    ] as const
  ).map(
    ([path, why]): Refusal => ({
      title: `${path} as a network namespace`,
      edit: (spec) => {
        spec.linux.namespaces = spec.linux.namespaces.map((each) =>
          each.type === "network" ? { ...each, path } : each,
        );
      },
      says: `${program}join network namespace ${path}: ${why}, asked for by linux.namespaces[1].path`,
    }),
  ),
  // The process
  {
    title: "an id that is not mapped",
    edit: (spec) => {
      const maps = [{ containerID: 0, hostID: 100000, size: 10 }];
      spec.linux.namespaces.push({ type: "user" });
      Object.assign(spec.linux, { uidMappings: maps, gidMappings: maps });
      spec.process.user = { uid: 11, gid: 0 };
    },
    prepare: (c) => `chmod 755 ${c.dir}`,
    says: `${init}cannot setuid to unmapped uid 11 in user namespace, asked for by process.user.uid`,
  },
  {
    title: "the id that means none",
    edit: (spec) => {
      spec.process.user = { uid: 0xffffffff, gid: 0 };
    },
    says: `${init}cannot setuid to unmapped uid 4294967295 in user namespace, asked for by process.user.uid`,
  },
  {
    title: "a working directory by a descriptor of the host",
    edit: (spec) => {
      spec.process.cwd = "/proc/self/fd/7";
    },
    // Whether that number is in use is chance.
    says: /chdir to cwd \("\/proc\/self\/fd\/7"\) set in config.json failed: (no such file or directory \(ENOENT\)|too many levels of symbolic links \(ELOOP\))/,
  },
  {
    title: "no keys left",
    faults: "keyctl:1:EDQUOT",
    says: `${init}join session keyring _ses.ID: EDQUOT (disk quota exceeded) (the user's key quota is used up; --no-new-keyring does without)`,
  },
  {
    title: "a seccomp filter that cannot be loaded",
    edit: (spec) => {
      spec.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW" };
    },
    faults: "seccomp:1:EACCES",
    says: "load seccomp filter: EACCES (permission denied), asked for by linux.seccomp (without process.noNewPrivileges it needs CAP_SYS_ADMIN)",
  },
  {
    title: "a seccomp profile that is too large",
    edit: (spec) => {
      const args = (value: number) => [{ index: 0, value, op: "SCMP_CMP_EQ" }];
      spec.linux.seccomp = {
        defaultAction: "SCMP_ACT_ERRNO",
        syscalls: Array.from({ length: 4200 }, (_, i) => ({
          names: ["read"],
          action: "SCMP_ACT_ALLOW",
          args: args(i),
        })),
      };
    },
    says: /linux\.seccomp: the profile is too large: \d+ instructions, of 4096 that the kernel takes$/,
  },
  {
    title: "a console that is no devpts",
    edit: (spec, c) => {
      spec.process.terminal = true;
      withoutMounts(spec, "/dev");
      mkdirSync(join(c.rootfs, "dev/pts"));
      execFileSync("mknod", [join(c.rootfs, "dev/pts/ptmx"), "c", "1", "3"]);
    },
    says: `${init}/dev/pts/ptmx in the container is not the ptmx of a devpts`,
  },
  {
    title: "the init process is killed",
    edit: (spec) => {
      // In a pid namespace of its own it is process 1, which cannot kill itself.
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
    },
    faults: "pivot_root:1:KILL",
    says: `${init}container init ended by signal 9 before it was ready (out of memory? the memory limit may be too low)`,
  },
  {
    title: "lowering the OOM score without the right to it",
    prepare: () => 'set -- setpriv --bounding-set=-sys_resource "$@"',
    edit: (spec) => {
      spec.process.oomScoreAdj = -1000;
    },
    says: /write \/proc\/\d+\/oom_score_adj: EACCES \(permission denied\), asked for by process\.oomScoreAdj \(lowering it needs CAP_SYS_RESOURCE\)$/,
  },
  {
    title: "LISTEN_FDS that are not there",
    prepare: () => "export LISTEN_FDS=2 LISTEN_PID=$$",
    says: "$LISTEN_FDS is 2, but fd 3 is not open",
  },
  {
    title: "--preserve-fds that are not there",
    options: ["--preserve-fds", "1"],
    says: "unable to stat preserved-fd 0 (of 1): fd 3 is not open",
  },
];

const refusals = conformance("config: refusals");
for (const each of table)
  refusals(
    each.title,
    async (c) => {
      c.configure((spec) => {
        spec.root.readonly = false;
        each.edit?.(spec, c);
      });
      const said = await saidBy(c, ["run", ...(each.options ?? []), "--bundle", c.bundle, c.id], each);
      const prefix = "runt run failed: ";
      assert.ok(said.startsWith(prefix), said);
      const message = said.slice(prefix.length);
      if (typeof each.says === "string") assert.is(message, each.says);
      else assert.match(message, each.says);
    },
    {
      needs: [
        "built",
        ...(each.needs ?? []),
        ...(each.faults === undefined ? [] : (["faults"] as const)),
        ...(each.prepare === undefined ? [] : (["unshare", "mount"] as const)),
      ],
    },
  );
refusals.run();
