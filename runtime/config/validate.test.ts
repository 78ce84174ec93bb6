import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeUtf8 } from "../../syscalls/utf8.ts";
import { exampleSpec } from "./example.ts";
import { InvalidSpec } from "./invalid_config.ts";
import { type JsonValue, parseJson, stringifyJson } from "./json.ts";
import { validateProcess, validateResources, validateSpec } from "./validate.ts";

type Change = { readonly [key: string]: unknown };

/** The example configuration with changes laid over it: objects are merged, anything else is replaced. */
function changed(change: Change): JsonValue {
  const text = stringifyJson(exampleSpec({ rootless: false, euid: 0, egid: 0, cgroup2: false }));
  return parseJson(encodeUtf8(stringifyJson(merge(JSON.parse(text), change))), "config.json");
}

function merge(base: unknown, change: unknown): unknown {
  const mergeable = [base, change].every((v) => typeof v === "object" && v !== null && !Array.isArray(v));
  if (!mergeable) return change;
  const merged: Record<string, unknown> = { ...(base as Change) };
  for (const [key, value] of Object.entries(change as Change)) merged[key] = merge(merged[key], value);
  return merged;
}

function problemsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (e) {
    if (e instanceof InvalidSpec)
      return e.issues.map(
        ({ field, problem, given, accepted }) => `${field} | ${problem} | ${given} | ${accepted}`,
      );
    throw e;
  }
  return [];
}

const problems = (change: Change) => problemsOf(() => validateSpec(changed(change)));

const spec = suite("validateSpec");

spec("the example has no problem and no warning, and comes back as it is", () => {
  const value = changed({});
  const { spec, warnings } = validateSpec(value);
  assert.is(spec, value);
  assert.equal(warnings, []);
});

/** [changes, the one problem: field | problem | given | accepted] */
const refused: readonly (readonly [Change, string])[] = [
  // config.md
  [
    { ociVersion: "2.0.0" },
    'ociVersion | unsupported specification version | "2.0.0" | a version from 1.0.0, below 2.0.0',
  ],
  [
    { ociVersion: "1.0" },
    'ociVersion | unsupported specification version | "1.0" | a version from 1.0.0, below 2.0.0',
  ],
  [{ ociVersion: undefined }, "ociVersion | is required | nothing | a value"],
  // What follows from namespaces that cannot be read is not told as well.
  [{ linux: 7 }, "linux | wrong type | 7 | an object"],
  [{ linux: { namespaces: "pid" } }, 'linux.namespaces | wrong type | "pid" | a list'],
  [{ root: null }, 'root | root must be specified | nothing | an object with "path"'],
  [{ root: { path: "" } }, 'root.path | must not be empty | "" | a string that is not empty'],
  [{ root: { path: "a\0b" } }, 'root.path | contains a NUL | "a\\u0000b" | a string without NUL'],
  [{ root: { readonly: "yes" } }, 'root.readonly | wrong type | "yes" | true or false'],
  [{ process: null }, "process | process property must not be empty | nothing | an object"],
  [{ hostname: "x".repeat(65) }, `hostname | too long | "${"x".repeat(65)}" | at most 64 bytes`],
  [{ hostname: "é".repeat(33) }, `hostname | too long | "${"é".repeat(33)}" | at most 64 bytes`],
  [{ hostname: "a\0" }, 'hostname | contains a NUL | "a\\u0000" | a string without NUL'],
  [{ annotations: { a: 1 } }, "annotations.a | wrong type | 1 | a string"],
  [
    { annotations: { "a\0": "" } },
    'annotations["a\\u0000"] | contains a NUL | "a\\u0000" | a string without NUL',
  ],
  [
    { mounts: [{ destination: "" }] },
    'mounts[0].destination | must not be empty | "" | a string that is not empty',
  ],
  [{ mounts: [{ type: "proc" }] }, "mounts[0].destination | is required | nothing | a value"],
  [{ mounts: [{ destination: "/a", options: "ro" }] }, 'mounts[0].options | wrong type | "ro" | a list'],
  [
    { mounts: [{ destination: "/a", options: [null] }] },
    "mounts[0].options[0] | wrong type | null | a string",
  ],
  [
    { mounts: [{ destination: "/a", source: "/\0" }] },
    'mounts[0].source | contains a NUL | "/\\u0000" | a string without NUL',
  ],
  [
    { mounts: [{ destination: "/a", uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] }] },
    "mounts[0].gidMappings | must be given when uidMappings is | nothing | a list of mappings",
  ],
  [
    { hooks: { poststop: [{ path: "bin/x" }] } },
    'hooks.poststop[0].path | must be an absolute path | "bin/x" | a path that begins with "/"',
  ],
  [
    { hooks: { prestart: [{ path: "/x", timeout: 0 }] } },
    "hooks.prestart[0].timeout | out of range | 0 | an integer from 1 to 2147483647",
  ],
  // Process
  [
    { process: { cwd: "" } },
    'process.cwd | Cwd property must not be empty | "" | a path that begins with "/"',
  ],
  [
    { process: { cwd: null } },
    'process.cwd | Cwd property must not be empty | nothing | a path that begins with "/"',
  ],
  [
    { process: { cwd: "tmp" } },
    'process.cwd | Cwd must be an absolute path | "tmp" | a path that begins with "/"',
  ],
  [
    { process: { args: [] } },
    "process.args | args must not be empty | an empty list | a list of at least one string",
  ],
  [
    { process: { args: null } },
    "process.args | args must not be empty | nothing | a list of at least one string",
  ],
  [{ process: { args: ["a\0b"] } }, 'process.args[0] | contains a NUL | "a\\u0000b" | a string without NUL'],
  [
    { process: { env: ["A"] } },
    'process.env[0] | invalid environment variable: missing "=" | "A" | NAME=value',
  ],
  [
    { process: { env: ["=A"] } },
    'process.env[0] | invalid environment variable: name cannot be empty | "=A" | NAME=value',
  ],
  [
    { process: { user: { uid: -1 } } },
    "process.user.uid | out of range | -1 | an integer from 0 to 4294967295",
  ],
  [
    { process: { user: { gid: 4294967296 } } },
    "process.user.gid | out of range | 4294967296 | an integer from 0 to 4294967295",
  ],
  [
    { process: { user: { uid: 1.5 } } },
    "process.user.uid | not an exact integer | 1.5 | an integer from 0 to 4294967295",
  ],
  [
    { process: { user: { uid: "0" } } },
    'process.user.uid | wrong type | "0" | an integer from 0 to 4294967295',
  ],
  [
    { process: { consoleSize: { height: 25 } } },
    "process.consoleSize.width | is required | nothing | a value",
  ],
  [
    { process: { oomScoreAdj: 1001 } },
    "process.oomScoreAdj | out of range | 1001 | an integer from -1000 to 1000",
  ],
  [
    { process: { rlimits: [{ type: "RLIMIT_FOO", soft: 1, hard: 1 }] } },
    'process.rlimits[0].type | invalid rlimit type | "RLIMIT_FOO" | RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_LOCKS, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RSS, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING, RLIMIT_STACK',
  ],
  [
    {
      process: {
        rlimits: [
          { type: "RLIMIT_AS", soft: 1, hard: 1 },
          { type: "RLIMIT_AS", soft: 2, hard: 2 },
        ],
      },
    },
    'process.rlimits[1].type | duplicated rlimit | "RLIMIT_AS" | each type once',
  ],
  [
    {
      process: { rlimits: [{ type: "RLIMIT_AS", soft: 18446744073709551615n, hard: 9223372036854775807n }] },
    },
    "process.rlimits[0].soft | above the hard limit | 18446744073709551615 | at most 9223372036854775807",
  ],
  [
    { process: { rlimits: [{ type: "RLIMIT_AS", soft: 0, hard: 18446744073709551616n }] } },
    "process.rlimits[0].hard | out of range | 18446744073709551616 | an integer from 0 to 18446744073709551615",
  ],
  [
    { process: { rlimits: [{ type: "RLIMIT_AS", soft: 1 }] } },
    "process.rlimits[0].hard | is required | nothing | a value",
  ],
  [
    { process: { scheduler: { policy: "SCHED_NORMAL" } } },
    'process.scheduler.policy | unknown scheduling policy | "SCHED_NORMAL" | SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_ISO, SCHED_IDLE, SCHED_DEADLINE',
  ],
  [
    { process: { scheduler: { policy: "SCHED_OTHER", flags: ["SCHED_FLAG_X"] } } },
    'process.scheduler.flags[0] | unknown scheduling flag | "SCHED_FLAG_X" | SCHED_FLAG_RESET_ON_FORK, SCHED_FLAG_RECLAIM, SCHED_FLAG_DL_OVERRUN, SCHED_FLAG_KEEP_POLICY, SCHED_FLAG_KEEP_PARAMS, SCHED_FLAG_UTIL_CLAMP_MIN, SCHED_FLAG_UTIL_CLAMP_MAX',
  ],
  [
    { process: { scheduler: { policy: "SCHED_OTHER", nice: 20 } } },
    "process.scheduler.nice | out of range | 20 | an integer from -20 to 19",
  ],
  [
    { process: { scheduler: { policy: "SCHED_OTHER", priority: 1 } } },
    "process.scheduler.priority | scheduler.priority can only be specified for SchedFIFO or SchedRR policy | 1 | 0, or the policy SCHED_FIFO or SCHED_RR",
  ],
  [
    { process: { scheduler: { policy: "SCHED_RR" } } },
    "process.scheduler.priority | SCHED_RR needs a priority | nothing | an integer from 1 to 99",
  ],
  [
    { process: { scheduler: { policy: "SCHED_BATCH", period: 5 } } },
    "process.scheduler.period | scheduler runtime/deadline/period can only be specified for SchedDeadline policy | 5 | 0, or the policy SCHED_DEADLINE",
  ],
  [
    { process: { scheduler: { policy: "SCHED_DEADLINE", runtime: 3, deadline: 2 } } },
    "process.scheduler.runtime | longer than the deadline | 3 | at most 2",
  ],
  [
    { process: { scheduler: { policy: "SCHED_DEADLINE", runtime: 1, deadline: 3, period: 2 } } },
    "process.scheduler.deadline | longer than the period | 3 | at most 2",
  ],
  [
    { process: { ioPriority: { class: "IOPRIO_CLASS_BE", priority: 8 } } },
    "process.ioPriority.priority | out of range | 8 | an integer from 0 to 7",
  ],
  [
    { process: { ioPriority: { class: "BE" } } },
    'process.ioPriority.class | invalid ioPriority.Class | "BE" | IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE',
  ],
  [
    { process: { execCPUAffinity: { initial: "0-x" } } },
    'process.execCPUAffinity.initial | malformed | "0-x" | a list of CPUs such as "0-3,7"',
  ],
  // Linux namespaces and what needs one
  [
    { linux: { namespaces: [{ type: "mount" }, { type: "uts" }, { type: "network" }, { type: "foo" }] } },
    'linux.namespaces[3].type | unknown namespace type | "foo" | pid, network, mount, ipc, uts, user, cgroup, time',
  ],
  [
    { linux: { namespaces: [{ type: "mount" }, { type: "uts" }, { type: "uts", path: "/x" }] } },
    'linux.namespaces[2].type | malformed spec file: duplicated ns "uts" | "uts" | each type once',
  ],
  [
    { linux: { namespaces: [{ type: "mount" }, { type: "uts", path: "x" }] } },
    'linux.namespaces[1].path | must be an absolute path | "x" | a path that begins with "/"',
  ],
  [
    { linux: { namespaces: [{ type: "mount" }] } },
    'hostname | unable to set hostname without a private UTS namespace | "runc" | nothing, or a namespace of type "uts"',
  ],
  [
    { hostname: "", domainname: "d", linux: { namespaces: [{ type: "mount" }] } },
    'domainname | unable to set domainname without a private UTS namespace | "d" | nothing, or a namespace of type "uts"',
  ],
  [
    { linux: { namespaces: [{ type: "uts" }], readonlyPaths: [] } },
    'linux.maskedPaths | unable to restrict sys entries without a private MNT namespace | a list of 10 | nothing, or a namespace of type "mount"',
  ],
  [
    { linux: { namespaces: [{ type: "uts" }], maskedPaths: null } },
    'linux.readonlyPaths | unable to restrict sys entries without a private MNT namespace | a list of 5 | nothing, or a namespace of type "mount"',
  ],
  [
    { linux: { uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }] } },
    'linux.uidMappings | user namespace mappings specified, but user namespace isn\'t enabled in the config | a list of 1 | nothing, or a namespace of type "user"',
  ],
  [
    { linux: { namespaces: [{ type: "mount" }, { type: "uts" }, { type: "user" }] } },
    "linux.uidMappings | user namespaces enabled, but no namespace path nor mappings specified | nothing | uidMappings and gidMappings",
  ],
  [
    {
      linux: {
        namespaces: [{ type: "mount" }, { type: "uts" }, { type: "user" }],
        gidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
      },
    },
    "linux.uidMappings | must be given when gidMappings is | nothing | a list of at least one mapping",
  ],
  [
    { linux: { timeOffsets: { boottime: { secs: 1 } } } },
    'linux.timeOffsets | time namespace offsets specified, but time namespace isn\'t enabled in the config | an object | nothing, or a namespace of type "time"',
  ],
  [
    {
      linux: {
        namespaces: [{ type: "mount" }, { type: "uts" }, { type: "time", path: "/t" }],
        timeOffsets: { monotonic: { secs: 1 } },
      },
    },
    "linux.timeOffsets | time namespace enabled, but both namespace path and time offsets specified -- you may only provide one | an object | nothing, or a time namespace without a path",
  ],
  [
    {
      linux: {
        namespaces: [{ type: "mount" }, { type: "uts" }, { type: "time" }],
        timeOffsets: { monotonic: { nanosecs: 1_000_000_000 } },
      },
    },
    "linux.timeOffsets.monotonic.nanosecs | out of range | 1000000000 | an integer from 0 to 999999999",
  ],
  [
    { linux: { namespaces: [{ type: "mount" }, { type: "uts" }], netDevices: { eth0: {} } } },
    'linux.netDevices | unable to move network devices without a private NET namespace | an object | nothing, or a namespace of type "network"',
  ],
  [
    { linux: { netDevices: { "eth/0": {} } } },
    'linux.netDevices["eth/0"] | invalid network device name | "eth/0" | 1 to 15 characters without / : or space',
  ],
  [
    { linux: { netDevices: { eth0: { name: "sixteencharsname" } } } },
    'linux.netDevices.eth0.name | invalid network device name | "sixteencharsname" | 1 to 15 characters without / : or space',
  ],
  [
    { linux: { sysctl: { "kernel.hostname": "x" } } },
    'linux.sysctl["kernel.hostname"] | sysctl "kernel.hostname" is not allowed as it conflicts with the OCI "hostname" field | "kernel.hostname" | a sysctl of a namespace that the container has for itself',
  ],
  // Linux, other
  [
    { linux: { devices: [{ type: "x", path: "/dev/x", major: 1, minor: 2 }] } },
    'linux.devices[0].type | invalid device type | "x" | c, b, u, p',
  ],
  [
    { linux: { devices: [{ type: "p", path: "dev/x" }] } },
    'linux.devices[0].path | must be an absolute path | "dev/x" | a path that begins with "/"',
  ],
  [
    { linux: { devices: [{ type: "c", path: "/dev/x", major: 1 }] } },
    "linux.devices[0].minor | is required unless type is p | nothing | a device number",
  ],
  [
    { linux: { cgroupsPath: "/a\0" } },
    'linux.cgroupsPath | contains a NUL | "/a\\u0000" | a string without NUL',
  ],
  [
    { linux: { rootfsPropagation: "sharde" } },
    'linux.rootfsPropagation | unknown rootfs propagation | "sharde" | private, rprivate, shared, rshared, slave, rslave, unbindable, runbindable',
  ],
  [
    { linux: { personality: { domain: "LINUX64" } } },
    'linux.personality.domain | unknown personality | "LINUX64" | LINUX, LINUX32',
  ],
  [
    { linux: { maskedPaths: ["proc/kcore"] } },
    'linux.maskedPaths[0] | must be an absolute path | "proc/kcore" | a path that begins with "/"',
  ],
  [
    { linux: { intelRdt: { closID: "a/b" } } },
    'linux.intelRdt.closID | invalid intelRdt.ClosID | "a/b" | the name of a directory below /sys/fs/resctrl, or "/"',
  ],
  [
    { linux: { intelRdt: { memBwSchema: "L3:0=f" } } },
    'linux.intelRdt.memBwSchema | malformed | "L3:0=f" | one line that begins with "MB:"',
  ],
  [
    { linux: { memoryPolicy: { mode: "MPOL_LOCAL", nodes: "0" } } },
    'linux.memoryPolicy.nodes | MPOL_LOCAL takes no nodes | "0" | nothing',
  ],
  [
    { linux: { memoryPolicy: { mode: "MPOL_BIND" } } },
    'linux.memoryPolicy.nodes | MPOL_BIND needs nodes | nothing | a list of nodes such as "0-3,7"',
  ],
  [
    { linux: { memoryPolicy: { mode: "bind", nodes: "0" } } },
    'linux.memoryPolicy.mode | unknown memory policy mode | "bind" | MPOL_DEFAULT, MPOL_BIND, MPOL_INTERLEAVE, MPOL_WEIGHTED_INTERLEAVE, MPOL_PREFERRED, MPOL_PREFERRED_MANY, MPOL_LOCAL',
  ],
  [
    { linux: { memoryPolicy: { mode: "MPOL_BIND", nodes: "0", flags: ["STATIC_NODES"] } } },
    'linux.memoryPolicy.flags[0] | unknown memory policy flag | "STATIC_NODES" | MPOL_F_NUMA_BALANCING, MPOL_F_RELATIVE_NODES, MPOL_F_STATIC_NODES',
  ],
  [
    {
      linux: {
        memoryPolicy: {
          mode: "MPOL_BIND",
          nodes: "0",
          flags: ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"],
        },
      },
    },
    "linux.memoryPolicy.flags | contradictory flags | a list of 2 | MPOL_F_STATIC_NODES or MPOL_F_RELATIVE_NODES",
  ],
  [
    { linux: { memoryPolicy: { mode: "MPOL_BIND", nodes: "all" } } },
    'linux.memoryPolicy.nodes | malformed | "all" | a list of nodes such as "0-3,7"',
  ],
  [
    { linux: { intelRdt: { schemata: ["L3:0=f\nMB:0=10"] } } },
    'linux.intelRdt.schemata[0] | malformed | "L3:0=f\\nMB:0=10" | one line',
  ],
  // Control groups
  [
    { linux: { resources: { memory: { limit: 200, swap: 100 } } } },
    "linux.resources.memory.swap | memory+swap limit should be >= memory limit | 100 | -1, or at least 200",
  ],
  [
    { linux: { resources: { memory: { swap: 100 } } } },
    "linux.resources.memory.swap | unable to set swap limit without memory limit | 100 | -1, or a limit as well",
  ],
  [
    { linux: { resources: { memory: { limit: -2 } } } },
    "linux.resources.memory.limit | out of range | -2 | an integer from -1 to 9223372036854775807",
  ],
  [
    { linux: { resources: { memory: { limit: 9223372036854775808n } } } },
    "linux.resources.memory.limit | out of range | 9223372036854775808 | an integer from -1 to 9223372036854775807",
  ],
  [
    { linux: { resources: { cpu: { shares: -1 } } } },
    "linux.resources.cpu.shares | out of range | -1 | an integer from 0 to 18446744073709551615",
  ],
  [
    { linux: { resources: { hugepageLimits: [{ pageSize: "64kB", limit: 1 }] } } },
    'linux.resources.hugepageLimits[0].pageSize | malformed | "64kB" | a size such as "2MB"',
  ],
  [
    { linux: { resources: { unified: { "a/b": "1" } } } },
    'linux.resources.unified["a/b"] | must be a file name (no slashes) | "a/b" | the name of a file such as memory.high',
  ],
  [
    { linux: { resources: { devices: [{ allow: true, type: "x", access: "r" }] } } },
    'linux.resources.devices[0].type | invalid cgroup device type | "x" | a, b, c',
  ],
  [
    { linux: { resources: { devices: [{ allow: true, access: "" }] } } },
    'linux.resources.devices[0].access | must not be empty | "" | letters of "rwm"',
  ],
  // Seccomp
  [
    { linux: { seccomp: { defaultAction: "ALLOW" } } },
    'linux.seccomp.defaultAction | unknown seccomp action | "ALLOW" | SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY',
  ],
  [
    { linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW", architectures: ["x86_64"] } } },
    'linux.seccomp.architectures[0] | unknown seccomp architecture | "x86_64" | SCMP_ARCH_X86, SCMP_ARCH_X86_64, SCMP_ARCH_X32, SCMP_ARCH_ARM, SCMP_ARCH_AARCH64, SCMP_ARCH_LOONGARCH64, SCMP_ARCH_M68K, SCMP_ARCH_MIPS, SCMP_ARCH_MIPS64, SCMP_ARCH_MIPS64N32, SCMP_ARCH_MIPSEL, SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32, SCMP_ARCH_PPC, SCMP_ARCH_PPC64, SCMP_ARCH_PPC64LE, SCMP_ARCH_S390, SCMP_ARCH_S390X, SCMP_ARCH_SH, SCMP_ARCH_SHEB, SCMP_ARCH_PARISC, SCMP_ARCH_PARISC64, SCMP_ARCH_RISCV64',
  ],
  [
    { linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW", flags: ["TSYNC"] } } },
    'linux.seccomp.flags[0] | unknown seccomp flag | "TSYNC" | SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV',
  ],
  [
    {
      linux: {
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          syscalls: [{ names: ["read"], action: "SCMP_ACT_LOG", args: [{ index: 0, value: 0, op: "EQ" }] }],
        },
      },
    },
    'linux.seccomp.syscalls[0].args[0].op | unknown seccomp operator | "EQ" | SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ',
  ],
  [{ linux: { seccomp: {} } }, "linux.seccomp.defaultAction | is required | nothing | a value"],
  [
    { linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 1 } } },
    "linux.seccomp.defaultErrnoRet | SCMP_ACT_ALLOW does not take an errno | 1 | SCMP_ACT_ERRNO or SCMP_ACT_TRACE",
  ],
  [
    {
      linux: {
        seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: [], action: "SCMP_ACT_LOG" }] },
      },
    },
    "linux.seccomp.syscalls[0].names | must not be empty | an empty list | the name of at least one system call",
  ],
  [
    {
      linux: {
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          listenerPath: "/s",
          syscalls: [{ names: ["read", "write"], action: "SCMP_ACT_NOTIFY" }],
        },
      },
    },
    'linux.seccomp.syscalls[0].names | SCMP_ACT_NOTIFY cannot be used for the write syscall | "write" | other calls',
  ],
  [
    {
      linux: {
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          syscalls: [{ names: ["read"], action: "SCMP_ACT_NOTIFY" }],
        },
      },
    },
    "linux.seccomp.listenerPath | SCMP_ACT_NOTIFY needs a listener | nothing | the path of the agent's socket",
  ],
  [
    { linux: { seccomp: { defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/s" } } },
    'linux.seccomp.defaultAction | SCMP_ACT_NOTIFY cannot be used as default action | "SCMP_ACT_NOTIFY" | another action',
  ],
  [
    { linux: { seccomp: { defaultAction: "SCMP_ACT_ALLOW", listenerMetadata: "m" } } },
    'linux.seccomp.listenerMetadata | set without listenerPath | "m" | nothing, or a listenerPath as well',
  ],
  [
    {
      linux: {
        seccomp: {
          defaultAction: "SCMP_ACT_ALLOW",
          syscalls: [
            { names: ["read"], action: "SCMP_ACT_LOG", args: [{ index: 6, value: 0, op: "SCMP_CMP_EQ" }] },
          ],
        },
      },
    },
    "linux.seccomp.syscalls[0].args[0].index | out of range | 6 | an integer from 0 to 5",
  ],
];
for (const [change, problem] of refused)
  spec(`${stringifyJson(change).slice(0, 100)} is refused`, () => assert.equal(problems(change), [problem]));

/** What engines send and must not be refused. */
const accepted: readonly Change[] = [
  { ociVersion: "1.0.2-dev" },
  { ociVersion: "1.2.1-rc.1+dev" },
  { mounts: null, hooks: null, annotations: null, linux: { seccomp: null, rootfsPropagation: "" } },
  {
    process: { rlimits: [{ type: "RLIMIT_CORE", soft: 18446744073709551615n, hard: 18446744073709551615n }] },
  },
  { linux: { resources: { memory: { limit: 9223372036854775807n, swap: -1 } } } },
  {
    linux: {
      resources: { memory: { limit: 100, swap: 100 }, pids: { limit: 0 }, unified: { "memory.high": "1" } },
    },
  },
  { linux: { resources: { devices: [{ allow: true, type: "c", major: 1, access: "rwm" }] } } },
  { linux: { namespaces: [{ type: "mount" }, { type: "uts" }, { type: "user", path: "/proc/1/ns/user" }] } },
  { linux: { netDevices: { eth0: { name: "net%d" }, eth1: {} } } },
  { linux: { intelRdt: { closID: "/", enableMonitoring: true, schemata: ["MB:0=20"] } } },
  { linux: { memoryPolicy: { mode: "MPOL_BIND", nodes: "0-1", flags: ["MPOL_F_STATIC_NODES"] } } },
  { process: { scheduler: { policy: "SCHED_DEADLINE", runtime: 1, deadline: 2, period: 3 } } },
  { process: { scheduler: { policy: "SCHED_FIFO", priority: 99, flags: ["SCHED_FLAG_RESET_ON_FORK"] } } },
  {
    process: {
      terminal: true,
      consoleSize: { height: 0, width: 0 },
      execCPUAffinity: { initial: "0-3,7", final: "" },
    },
  },
  { vm: { kernel: { path: 3 } }, windows: { layerFolders: null } },
  { "x-unknown": { deep: "\0" } },
];
for (const change of accepted)
  spec(`${stringifyJson(change).slice(0, 100)} is accepted`, () => assert.equal(problems(change), []));

spec("all problems are reported at once, in one line", () => {
  const change = {
    ociVersion: "0.5.0",
    hostname: 3,
    process: { cwd: "x", args: [], env: ["A=1", "B"] },
    mounts: [{ destination: "/a" }, { destination: "", options: [1] }],
    linux: { cgroupsPath: [] },
  };
  try {
    validateSpec(changed(change));
    assert.unreachable("it was accepted");
  } catch (e) {
    assert.instance(e, InvalidSpec);
    assert.is(
      (e as InvalidSpec).message,
      'invalid config.json: 8 problems: ociVersion: unsupported specification version (given "0.5.0"; accepted: a version from 1.0.0, below 2.0.0); ' +
        'process.env[1]: invalid environment variable: missing "=" (given "B"; accepted: NAME=value); ' +
        'process.cwd: Cwd must be an absolute path (given "x"; accepted: a path that begins with "/"); ' +
        "process.args: args must not be empty (given an empty list; accepted: a list of at least one string); " +
        "hostname: wrong type (given 3; accepted: a string); " +
        'mounts[1].destination: must not be empty (given ""; accepted: a string that is not empty); ' +
        "mounts[1].options[0]: wrong type (given 1; accepted: a string); " +
        "linux.cgroupsPath: wrong type (given an empty list; accepted: a string)",
    );
  }
});

spec("a message names 20 problems and counts the others, which are in `issues`", () => {
  try {
    validateSpec(changed({ mounts: Array.from({ length: 23 }, () => 0) }));
    assert.unreachable("it was accepted");
  } catch (e) {
    assert.instance(e, InvalidSpec);
    const { message, issues } = e as InvalidSpec;
    assert.is(issues.length, 23);
    assert.match(message, /^invalid config\.json: 23 problems: mounts\[0\]: /);
    assert.match(message, /mounts\[19\]: wrong type \(given 0; accepted: an object\); and 3 more$/);
  }
});

spec("the document itself must be an object", () => {
  assert.equal(
    problemsOf(() => validateSpec(null)),
    [" | config cannot be null | null | an object"],
  );
  assert.equal(
    problemsOf(() => validateSpec([])),
    [" | wrong type | an empty list | an object"],
  );
  assert.throws(
    () => validateSpec(null),
    /^invalid config\.json: config cannot be null \(given null; accepted: an object\)$/,
  );
});

spec("a process may be missing when the caller says so", () => {
  const { spec } = validateSpec(changed({ process: null }), { requireProcess: false });
  assert.is("process" in spec, false);
});

spec("nulls are taken out of what is returned, and the document is left as it was", () => {
  const value = changed({ hooks: null, process: { rlimits: null } });
  const { spec } = validateSpec(value);
  assert.is("hooks" in spec, false);
  assert.is("rlimits" in spec.process, false);
  assert.is((value as { hooks?: unknown }).hooks, null);
});

spec("a key __proto__ gives nothing to the configuration", () => {
  const text = '{"ociVersion": "1.3.0", "__proto__": {"root": {"path": "r"}}}';
  const value = parseJson(encodeUtf8(text), "config.json");
  assert.equal(
    problemsOf(() => validateSpec(value, { requireProcess: false })),
    ['root | root must be specified | nothing | an object with "path"'],
  );
});

spec("names of Object.prototype are unknown keys, not members", () => {
  const text =
    '{"ociVersion": "1.3.0", "root": {"path": "r", "constructor": 1, "toString": null}, "valueOf": 2}';
  const value = parseJson(encodeUtf8(text), "config.json");
  assert.is(validateSpec(value, { requireProcess: false }).spec.root.path, "r");
});

for (const [change, warning] of [
  [
    { process: { capabilities: { bounding: ["CAP_KILL", "CAP_FLY"] } } },
    { field: "process.capabilities.bounding[1]", text: 'unknown capability ignored: "CAP_FLY"' },
  ],
  [
    { mounts: [{ destination: "data" }] },
    {
      field: "mounts[0].destination",
      text: "relative destination path is deprecated, using it as relative to /",
    },
  ],
  [
    { linux: { personality: { domain: "LINUX32", flags: ["X"] } } },
    { field: "linux.personality.flags", text: "no personality flag is known, all are ignored" },
  ],
  [
    { linux: { devices: [{ type: "p", path: "/dev/x", fileMode: 0o20660 }] } },
    { field: "linux.devices[0].fileMode", text: "only the permission bits of the mode are used" },
  ],
] as const)
  spec(`${stringifyJson(change)} is accepted with a warning`, () => {
    assert.equal(validateSpec(changed(change)).warnings, [warning]);
  });

spec.run();

const process = suite("validateProcess");

process("a process is returned as it is", () => {
  const value = { cwd: "/", args: ["true"] };
  assert.is(validateProcess(value).process, value);
});

process("its problems are named as in config.json", () => {
  assert.equal(
    problemsOf(() => validateProcess({ args: [], env: ["A"] })),
    [
      'process.env[0] | invalid environment variable: missing "=" | "A" | NAME=value',
      'process.cwd | Cwd property must not be empty | nothing | a path that begins with "/"',
      "process.args | args must not be empty | an empty list | a list of at least one string",
    ],
  );
  assert.equal(
    problemsOf(() => validateProcess(null)),
    ["process | process property must not be empty | null | an object"],
  );
});

process.run();

const resources = suite("validateResources");

resources("a swap limit alone belongs to the memory limit in force", () => {
  const value = { memory: { swap: 100 } };
  assert.is(validateResources(value).resources, value);
});

resources("unknown keys are noted, with the names that are known there", () => {
  const { unknown } = validateResources({ memory: { limitt: 1 }, pidz: {} });
  assert.equal(
    unknown.map(({ path }) => path),
    [["memory", "limitt"], ["pidz"]],
  );
});

resources("device access with other letters than rwm is told", () => {
  const { warnings } = validateResources({ devices: [{ allow: true, access: "rx" }] });
  assert.equal(warnings, [{ field: "devices[0].access", text: 'of "rx" only the letters r, w and m count' }]);
});

resources("a swap limit below the memory limit beside it is refused", () => {
  assert.equal(
    problemsOf(() => validateResources({ memory: { limit: 200, swap: 100 } })),
    ["memory.swap | memory+swap limit should be >= memory limit | 100 | -1, or at least 200"],
  );
});

resources.run();
