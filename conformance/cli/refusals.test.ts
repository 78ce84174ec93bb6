// The exact text of every refusal that needs the executable, and a kernel, to come about: the whole message, as
// an engine finds it in its log. Those that a unit test can provoke are beside the code; validate.test.ts has those
// of config.json.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Result, runCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { faultsPath, type Need, runtimePath } from "../needs.ts";
import { type Mount, type Spec, shell, withoutMounts } from "../spec.ts";

type Refusal = {
  readonly title: string;
  readonly edit?: (spec: Spec, c: Fixture) => void;
  /** System calls that fail, as syscalls/faults.ts reads them. */
  readonly faults?: string;
  /** Shell commands run before, in a mount namespace of their own in which the runtime then runs as well. */
  readonly prepare?: (c: Fixture) => string;
  /** Given to `run` before the id. */
  readonly options?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly needs?: readonly Need[];
  /** The message after "runt run failed: "; "DIR" is the fixture's directory. */
  readonly says: string;
};

const refusals = conformance("refusals");

/** The last message of the log. */
function lastMessage(file: string): string {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return (JSON.parse(lines.at(-1) ?? "{}") as { msg: string }).msg;
}

/** Runs a command of the runtime that must fail, and gives what it says. */
async function saying(
  c: Fixture,
  args: readonly string[],
  { faults, prepare, environment }: Partial<Refusal> = {},
): Promise<{ readonly message: string; readonly result: Result }> {
  const log = join(c.dir, "log");
  const logging = ["--root", c.root, "--log", log, "--log-format", "json"];
  const command = [faults === undefined ? runtimePath : faultsPath, ...logging, ...args];
  const env = { ...(process.env as Record<string, string>), ...(faults && { RUNT_FAULT: faults }) };
  const options = { env: { ...env, ...environment } };
  const script = `${prepare?.(c)}\nexec "$@"`;
  const result = await runCommand(
    prepare === undefined ? command : ["unshare", "-m", "sh", "-ec", script, "sh", ...command],
    options,
  );
  assert.is.not(result.status, 0, "it was not refused");
  const message = lastMessage(log).replaceAll(c.dir, "DIR").replaceAll(c.id, "ID");
  rmSync(log);
  return { message, result };
}

const table: readonly Refusal[] = [
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
      says: `error running createRuntime hook #0 /bin/sh: ${says}`,
    }),
  ),
  {
    title: "a hook that is not there",
    edit: (spec) => {
      spec.hooks = { createContainer: [{ path: "/nonexistent/hook" }] };
    },
    says: "error running createContainer hook #0 /nonexistent/hook: exit status 127, stdout: , stderr: exec: ENOENT (no such file or directory)",
  },
  {
    title: "a hook that takes too long",
    edit: (spec) => {
      spec.hooks = { prestart: [{ path: "/bin/sleep", args: ["sleep", "1000"], timeout: 1 }] };
    },
    says: "error running prestart hook #0 /bin/sleep: hook ran past specified timeout of 1s",
  },
  // Mounts
  ...(
    [
      ["/proc", "mounting tmpfs on /proc is refused: only a procfs may be there"],
      [
        "/proc/sys",
        "mounting on /proc/sys is refused: inside /proc only a short list of files may be covered",
      ],
      ["/link/sys", "mounting on /link/sys is refused: it leads into /proc"],
      ["/dangling/x", "/dangling in the root file system is a dangling symbolic link or was replaced"],
      ["/link2/x", "?"],
    ] as const
  ).map(
    ([destination, says]): Refusal => ({
      title: `a tmpfs on ${destination}`,
      edit: (spec, c) => {
        symlinkSync("/proc", join(c.rootfs, "link"));
        symlinkSync("/nowhere", join(c.rootfs, "dangling"));
        symlinkSync("/mnt", join(c.rootfs, "link2"));
        spec.mounts.push({
          destination,
          type: destination === "/link2/x" ? "mqueue" : "tmpfs",
          source: "tmpfs",
        });
      },
      says,
    }),
  ),
  {
    title: "a file on a dangling link",
    edit: (spec, c) => {
      symlinkSync("/nowhere", join(c.rootfs, "dangling"));
      spec.mounts.push({
        destination: "/dangling",
        type: "bind",
        source: "/etc/hostname",
        options: ["bind"],
      });
    },
    says: "?",
  },
  {
    title: "tmpcopyup of a tree without end",
    edit: (spec, c) => {
      const deep = Array.from({ length: 300 }, () => "d").join("/");
      execFileSync("mkdir", ["-p", join(c.rootfs, "mnt", deep)]);
      spec.mounts.push({ destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] });
    },
    says: "?",
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
    says: "?",
  },
  {
    title: "id-mapping what is id-mapped already",
    edit: (spec, c) => {
      const maps = [{ containerID: 0, hostID: 1000, size: 10 }];
      const mount: Mount = { destination: "/mnt", type: "bind", source: c.dir, options: ["bind", "idmap"] };
      spec.mounts.push({ ...mount, uidMappings: maps, gidMappings: maps });
    },
    faults: "mount_setattr:2:EPERM,mount_setattr:3:EPERM",
    says: "?",
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
    says: "?",
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
  ...(["/etc/hostname", "/proc/self/ns/uts"] as const).map(
    (path): Refusal => ({
      title: `${path} as a network namespace`,
      edit: (spec) => {
        spec.linux.namespaces = spec.linux.namespaces.map((each) =>
          each.type === "network" ? { ...each, path } : each,
        );
      },
      says: "?",
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
    says: "?",
  },
  {
    title: "the id that means none",
    edit: (spec) => {
      spec.process.user = { uid: 0xffffffff, gid: 0 };
    },
    says: "?",
  },
  {
    title: "a working directory by a descriptor of the host",
    edit: (spec) => {
      spec.process.cwd = "/proc/self/fd/7";
    },
    says: "?",
  },
  {
    title: "no keys left",
    faults: "keyctl:1:EDQUOT",
    says: "?",
  },
  {
    title: "a seccomp filter that cannot be loaded",
    edit: (spec) => {
      spec.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW" };
    },
    faults: "seccomp:1:EACCES",
    says: "?",
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
    says: "?",
  },
  {
    title: "no libseccomp",
    edit: (spec) => {
      spec.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW" };
    },
    prepare: (c) => {
      const at = join(c.dir, "overlay");
      return `mkdir ${at}; mount -t tmpfs tmpfs ${at}; mkdir ${at}/up ${at}/work
for dir in /usr/lib/*-linux-gnu /usr/lib64 /usr/lib; do test ! -e $dir/libseccomp.so.2 || lib=$dir; done
mknod ${at}/up/libseccomp.so.2 c 0 0
mount -t overlay -o lowerdir=$lib,upperdir=${at}/up,workdir=${at}/work overlay $lib`;
    },
    says: "?",
  },
  {
    title: "a console that is no devpts",
    edit: (spec, c) => {
      spec.process.terminal = true;
      withoutMounts(spec, "/dev");
      mkdirSync(join(c.rootfs, "dev/pts"));
      execFileSync("mknod", [join(c.rootfs, "dev/pts/ptmx"), "c", "1", "3"]);
    },
    says: "?",
  },
  {
    title: "the init process is killed",
    edit: (spec) => {
      // In a pid namespace of its own it is process 1, which cannot kill itself.
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== "pid");
    },
    faults: "pivot_root:1:KILL",
    says: "?",
  },
  {
    title: "lowering the OOM score",
    edit: (spec) => {
      spec.process.oomScoreAdj = -1000;
    },
    says: "?",
  },
  {
    title: "LISTEN_FDS that are not there",
    prepare: () => "export LISTEN_FDS=2 LISTEN_PID=$$",
    says: "?",
  },
  {
    title: "--preserve-fds that are not there",
    options: ["--preserve-fds", "1"],
    says: "?",
  },
];

for (const each of table)
  refusals(
    each.title,
    async (c) => {
      c.configure((spec) => {
        spec.root.readonly = false;
        each.edit?.(spec, c);
      });
      const { message } = await saying(c, ["run", ...(each.options ?? []), "--bundle", c.bundle, c.id], each);
      if (each.says === "?") console.log(`${each.title}: ${message}`);
      else assert.is(message, `runt run failed: ${each.says}`);
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

void shell;
void succeed;
void writeFileSync;
refusals.run();
