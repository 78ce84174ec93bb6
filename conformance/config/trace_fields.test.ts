// "--trace" says of each call which part of config.json asked for it: over a configuration that has nearly everything,
// every call between create and the program that changes something has a field, or is named here with its reason.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { shell } from "../spec.ts";

const fields = conformance("fields in the trace");

/** Calls that change a process, a file or a mount. Those that only look or move bytes within the runtime are left out. */
const changing =
  /^(mount|umount2|open_tree|move_mount|fsopen|fsconfig|fsmount|mount_setattr|pivot_root|chroot|fchdir|chdir|unshare|setns|sethostname|setdomainname|clone3?|mkdirat|mknodat|symlinkat|unlinkat|renameat|fchmod|fchmodat|fchown|fchownat|fsetxattr|write|prctl|setresuid|setresgid|setgroups|capset|sched_setattr|sched_setaffinity|ioprio_set|set_mempolicy|personality|keyctl|umask|seccomp|execve|bpf|setsid|rt_sigaction)\(|^prlimit64\(\d+, \w+, \{/;

const without: readonly (readonly [call: RegExp, reason: string])[] = [
  [/^chdir\("[^"]*bundle/, "--bundle"],
  [
    /^(mkdirat|openat|renameat|write|unlinkat)\(.*(\.(state|config)\.json|<\S*\/state>|EEXIST)/,
    "the state on disk",
  ],
  [/^mkdirat\(AT_FDCWD, /, "the state root"],
  [/^mknodat\(.*"exec\.fifo"/, "what the program waits on for start"],
  [/^write\(\d+ <(socket|pipe):/, "the processes of the runtime to each other"],
  [/^setns\(\d+ <(pid|time):/, "the runtime itself goes back to its own"],
  [/^prctl\(PR_SET_(PDEATHSIG|DUMPABLE|KEEPCAPS)/, "for the runtime's own safety"],
  [/^keyctl\(/, "a new session keyring, without --no-new-keyring"],
  [/^setsid\(/, "a session of its own, as every container has"],
  [/^umask\(0\)/, "so that modes are those asked for"],
  [
    /^(fsopen|fsconfig|fsmount)\(.*("proc"|FSCONFIG_CMD_CREATE, NULL, NULL|MOUNT_ATTR_NOSUID\|MOUNT_ATTR_NODEV\|MOUNT_ATTR_NOEXEC)/,
    "the runtime's own procfs",
  ],
  [
    /^(fsopen\(NULL|fsconfig\(-1|fsmount\(-1|open_tree\(-1|move_mount\(-1|mount_setattr\(-1)/,
    "asks what the kernel has",
  ],
  [
    /^(symlinkat\("(\/proc\/|pts\/)|unlinkat\(\d+ <[^>]*\/dev>, "ptmx")/,
    "runtime-linux.md, Dev symbolic links",
  ],
  [/^sched_setaffinity\(/, "the caller's CPUs are not the container's"],
  [/^rt_sigaction\(/, "the caller's dispositions are not the container's"],
  [/^prlimit64\(0, RLIMIT_NOFILE, \{rlim_cur=(?!512)/, "the runtime's own limit"],
];

/** What asks, and a call that it asks for. */
const asked: readonly (readonly [field: string, call: RegExp])[] = [
  ["root.path", /^pivot_root\(/],
  ["root.readonly", /^mount_setattr\(.*attr_set=MOUNT_ATTR_RDONLY/],
  ["hostname", /^sethostname\("box"/],
  ["domainname", /^setdomainname\("realm"/],
  ["mounts[0]", /^fsopen\("proc"/],
  ["process.user.umask", /^umask\(027\)/],
  ["process.user.uid", /^setresuid\(1000/],
  ["process.user.gid", /^setresgid\(1000/],
  ["process.user.additionalGids", /^setgroups\(1, \[5\]/],
  ["process.cwd", /^chdir\("\/work"/],
  ["process.cwd", /^mkdirat\(.*"work"/],
  ["process.oomScoreAdj", /^write\(.*oom_score_adj>, "100"/],
  ["process.rlimits[0]", /^prlimit64\(0, RLIMIT_NOFILE, \{rlim_cur=512/],
  ["process.scheduler", /^sched_setattr\(.*SCHED_BATCH/],
  ["process.ioPriority", /^ioprio_set\(.*IOPRIO_CLASS_BE, 4/],
  ["process.noNewPrivileges", /^prctl\(PR_SET_NO_NEW_PRIVS, 1/],
  ["process.capabilities", /^capset\(.*CAP_KILL/],
  ["process.capabilities.bounding", /^prctl\(PR_CAPBSET_DROP, CAP_SYS_ADMIN/],
  ["process.capabilities.ambient", /^prctl\(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL/],
  ["linux.namespaces", /^unshare\(CLONE_NEWNS/],
  ["linux.namespaces", /^clone3?\(.*CLONE_NEWPID/],
  ['linux.sysctl["net.ipv4.ip_forward"]', /^write\(.*"1"/],
  ["linux.devices[0]", /^mknodat\(.*"mine", S_IFCHR\|0666, 1:3/],
  ["linux.maskedPaths[0]", /^move_mount\(/],
  ["linux.readonlyPaths[0]", /^mount_setattr\(/],
  ["linux.rootfsPropagation", /^mount\("", "\/"/],
  ["linux.personality", /^personality\(PER_LINUX32/],
  ["linux.memoryPolicy", /^set_mempolicy\(MPOL_PREFERRED, \[0\]/],
  ["linux.cgroupsPath", /^mkdirat\(|^write\(.*cgroup/],
  ["linux.resources.pids.limit", /^write\(.*"100"/],
  ["linux.seccomp", /^seccomp\(|^write\(.*seccomp|^memfd_create\("seccomp"/],
  ["hooks.createRuntime[0]", /^clone3?\(/],
  ["hooks.startContainer[0]", /^(clone3?|execve)\(/],
];

function everything(c: Fixture): void {
  mkdirSync(join(c.rootfs, "masked"));
  mkdirSync(join(c.rootfs, "fixed"));
  c.configure((spec) => {
    Object.assign(spec, { hostname: "box", domainname: "realm" });
    shell(spec, "true");
    spec.root.readonly = true;
    spec.hooks = {
      createRuntime: [{ path: "/bin/true" }],
      createContainer: [{ path: "/bin/true" }],
      startContainer: [{ path: "/bin/true" }],
    };
    const caps = ["CAP_KILL"];
    Object.assign(spec.process, {
      user: { uid: 1000, gid: 1000, umask: 0o27, additionalGids: [5] },
      cwd: "/work",
      oomScoreAdj: 100,
      noNewPrivileges: true,
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 512, hard: 512 }],
      scheduler: { policy: "SCHED_BATCH", nice: 3 },
      ioPriority: { class: "IOPRIO_CLASS_BE", priority: 4 },
      capabilities: { bounding: caps, effective: caps, permitted: caps, inheritable: caps, ambient: caps },
    });
    spec.mounts?.push({ destination: "/bound", type: "bind", source: c.dir, options: ["bind", "ro"] });
    Object.assign(spec.linux, {
      cgroupsPath: `/${c.id}`,
      rootfsPropagation: "slave",
      personality: { domain: "LINUX32" },
      memoryPolicy: { mode: "MPOL_PREFERRED", nodes: "0" },
      sysctl: { "net.ipv4.ip_forward": "1" },
      devices: [{ path: "/dev/mine", type: "c", major: 1, minor: 3, fileMode: 0o666, uid: 5, gid: 5 }],
      maskedPaths: ["/masked"],
      readonlyPaths: ["/fixed"],
      timeOffsets: { monotonic: { secs: 1, nanosecs: 0 } },
      namespaces: [...(spec.linux.namespaces ?? []), { type: "time" }],
      seccomp: {
        defaultAction: "SCMP_ACT_ALLOW",
        syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }],
      },
    });
    spec.linux.resources = { ...spec.linux.resources, pids: { limit: 100 } };
  });
}

fields(
  "every call that changes something names the field that asked for it",
  async (c) => {
    everything(c);
    const file = join(c.dir, "trace");
    succeed(await c.runt(["--trace", file, "create", "--bundle", c.bundle, c.id]));
    succeed(await c.runt(["start", c.id]));
    const calls = readFileSync(file, "utf8")
      .split("\n")
      .map((line) => /^[\d.]+ (?:\[init\] )?(\w+\(.*?\) = .*?<[\d.]+us>)(?: {2}# (.*))?$/.exec(line))
      .filter((found) => found !== null)
      .map(([, call = "", field]) => ({ call, field }));
    assert.ok(calls.length > 300, `${calls.length} calls`);
    const unasked = calls.filter(
      ({ call, field }) =>
        field === undefined && changing.test(call) && !without.some(([known]) => known.test(call)),
    );
    assert.equal(
      unasked.map(({ call }) => call),
      [],
    );
    const missing = asked.filter(
      ([name, shape]) => !calls.some(({ call, field }) => field === name && shape.test(call)),
    );
    assert.equal(
      missing.map(([name, shape]) => `${name} ${shape}`),
      [],
    );
  },
  { needs: ["built", "root"] },
);

fields.run();
