/**
 * The kernel's and libseccomp's vocabularies as config.json has them, each once: name to number. Types, validation,
 * plan and `features` are derived from these. The order is that in which an error lists what would be accepted.
 */
import * as capabilities from "../../syscalls/constants/capability.ts";
import * as P from "../../syscalls/constants/mempolicy.ts";
import * as M from "../../syscalls/constants/mount.ts";
import { PER_LINUX, PER_LINUX32 } from "../../syscalls/constants/personality.ts";
import * as R from "../../syscalls/constants/resource.ts";
import * as N from "../../syscalls/constants/sched.ts";
import * as A from "../../syscalls/constants/sched_attr.ts";
import * as S from "../../syscalls/constants/seccomp.ts";
import { S_IFBLK, S_IFCHR, S_IFIFO } from "../../syscalls/constants/stat.ts";

/** The names of a table, in its order. */
export function namesOf<Name extends string>(table: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(table) as Name[];
}

/** The number of a name that may be any text; undefined when the table does not have it. */
export function numberOf(table: Readonly<Record<string, number>>, name: string): number | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The numbers of flags in one word. */
export function bitsOf<Name extends string>(
  table: Readonly<Record<Name, number>>,
  names: readonly Name[],
): number {
  return names.reduce((bits, name) => bits | table[name], 0);
}

/** process.capabilities (capabilities(7)): the numbers of bits. */
export const capabilityNumbers: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(capabilities)
    .filter(([name]) => name.startsWith("CAP_"))
    .sort(([, a], [, b]) => a - b),
);

/** process.rlimits (getrlimit(2)). */
export const rlimitResources = {
  RLIMIT_AS: R.RLIMIT_AS,
  RLIMIT_CORE: R.RLIMIT_CORE,
  RLIMIT_CPU: R.RLIMIT_CPU,
  RLIMIT_DATA: R.RLIMIT_DATA,
  RLIMIT_FSIZE: R.RLIMIT_FSIZE,
  RLIMIT_LOCKS: R.RLIMIT_LOCKS,
  RLIMIT_MEMLOCK: R.RLIMIT_MEMLOCK,
  RLIMIT_MSGQUEUE: R.RLIMIT_MSGQUEUE,
  RLIMIT_NICE: R.RLIMIT_NICE,
  RLIMIT_NOFILE: R.RLIMIT_NOFILE,
  RLIMIT_NPROC: R.RLIMIT_NPROC,
  RLIMIT_RSS: R.RLIMIT_RSS,
  RLIMIT_RTPRIO: R.RLIMIT_RTPRIO,
  RLIMIT_RTTIME: R.RLIMIT_RTTIME,
  RLIMIT_SIGPENDING: R.RLIMIT_SIGPENDING,
  RLIMIT_STACK: R.RLIMIT_STACK,
} as const;

/** process.scheduler.policy (sched_setattr(2)); the kernel's name of SCHED_OTHER is SCHED_NORMAL. */
export const schedulerPolicies = {
  SCHED_OTHER: A.SCHED_NORMAL,
  SCHED_FIFO: A.SCHED_FIFO,
  SCHED_RR: A.SCHED_RR,
  SCHED_BATCH: A.SCHED_BATCH,
  SCHED_ISO: A.SCHED_ISO,
  SCHED_IDLE: A.SCHED_IDLE,
  SCHED_DEADLINE: A.SCHED_DEADLINE,
} as const;

/** process.scheduler.flags. */
export const schedulerFlags = {
  SCHED_FLAG_RESET_ON_FORK: A.SCHED_FLAG_RESET_ON_FORK,
  SCHED_FLAG_RECLAIM: A.SCHED_FLAG_RECLAIM,
  SCHED_FLAG_DL_OVERRUN: A.SCHED_FLAG_DL_OVERRUN,
  SCHED_FLAG_KEEP_POLICY: A.SCHED_FLAG_KEEP_POLICY,
  SCHED_FLAG_KEEP_PARAMS: A.SCHED_FLAG_KEEP_PARAMS,
  SCHED_FLAG_UTIL_CLAMP_MIN: A.SCHED_FLAG_UTIL_CLAMP_MIN,
  SCHED_FLAG_UTIL_CLAMP_MAX: A.SCHED_FLAG_UTIL_CLAMP_MAX,
} as const;

/** process.ioPriority.class (ioprio_set(2)). */
export const ioPriorityClasses = {
  IOPRIO_CLASS_RT: A.IOPRIO_CLASS_RT,
  IOPRIO_CLASS_BE: A.IOPRIO_CLASS_BE,
  IOPRIO_CLASS_IDLE: A.IOPRIO_CLASS_IDLE,
} as const;

/** linux.namespaces (namespaces(7)): CLONE_NEW*. */
export const namespaceFlags = {
  pid: N.CLONE_NEWPID,
  network: N.CLONE_NEWNET,
  mount: N.CLONE_NEWNS,
  ipc: N.CLONE_NEWIPC,
  uts: N.CLONE_NEWUTS,
  user: N.CLONE_NEWUSER,
  cgroup: N.CLONE_NEWCGROUP,
  time: N.CLONE_NEWTIME,
} as const;

/** Their files in /proc/<pid>/ns. */
export const namespaceFiles: Readonly<Record<keyof typeof namespaceFlags, string>> = {
  pid: "pid",
  network: "net",
  mount: "mnt",
  ipc: "ipc",
  uts: "uts",
  user: "user",
  cgroup: "cgroup",
  time: "time",
};

/** linux.devices.type (mknod(2)): `u` is an unbuffered character device, as `c`; `p` is a fifo. */
export const deviceTypes = { c: S_IFCHR, b: S_IFBLK, u: S_IFCHR, p: S_IFIFO } as const;

/** linux.rootfsPropagation and mount options (mount(2)). */
export const propagations = {
  private: M.MS_PRIVATE,
  rprivate: M.MS_PRIVATE | M.MS_REC,
  shared: M.MS_SHARED,
  rshared: M.MS_SHARED | M.MS_REC,
  slave: M.MS_SLAVE,
  rslave: M.MS_SLAVE | M.MS_REC,
  unbindable: M.MS_UNBINDABLE,
  runbindable: M.MS_UNBINDABLE | M.MS_REC,
} as const;

/** linux.personality.domain (personality(2)). */
export const personalityDomains = { LINUX: PER_LINUX, LINUX32: PER_LINUX32 } as const;

/** linux.memoryPolicy.mode (set_mempolicy(2)). */
export const memoryPolicyModes = {
  MPOL_DEFAULT: P.MPOL_DEFAULT,
  MPOL_BIND: P.MPOL_BIND,
  MPOL_INTERLEAVE: P.MPOL_INTERLEAVE,
  MPOL_WEIGHTED_INTERLEAVE: P.MPOL_WEIGHTED_INTERLEAVE,
  MPOL_PREFERRED: P.MPOL_PREFERRED,
  MPOL_PREFERRED_MANY: P.MPOL_PREFERRED_MANY,
  MPOL_LOCAL: P.MPOL_LOCAL,
} as const;

/** linux.memoryPolicy.flags. */
export const memoryPolicyFlags = {
  MPOL_F_NUMA_BALANCING: P.MPOL_F_NUMA_BALANCING,
  MPOL_F_RELATIVE_NODES: P.MPOL_F_RELATIVE_NODES,
  MPOL_F_STATIC_NODES: P.MPOL_F_STATIC_NODES,
} as const;

/** linux.seccomp actions: what a filter returns (seccomp(2)). */
export const seccompActions = {
  SCMP_ACT_KILL: S.SECCOMP_RET_KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: S.SECCOMP_RET_KILL_PROCESS,
  SCMP_ACT_KILL_THREAD: S.SECCOMP_RET_KILL_THREAD,
  SCMP_ACT_TRAP: S.SECCOMP_RET_TRAP,
  SCMP_ACT_ERRNO: S.SECCOMP_RET_ERRNO,
  SCMP_ACT_TRACE: S.SECCOMP_RET_TRACE,
  SCMP_ACT_ALLOW: S.SECCOMP_RET_ALLOW,
  SCMP_ACT_LOG: S.SECCOMP_RET_LOG,
  SCMP_ACT_NOTIFY: S.SECCOMP_RET_USER_NOTIF,
} as const;

/** linux.seccomp.syscalls.args.op (enum scmp_compare of libseccomp). */
export const seccompOperators = {
  SCMP_CMP_NE: S.SCMP_CMP_NE,
  SCMP_CMP_LT: S.SCMP_CMP_LT,
  SCMP_CMP_LE: S.SCMP_CMP_LE,
  SCMP_CMP_EQ: S.SCMP_CMP_EQ,
  SCMP_CMP_GE: S.SCMP_CMP_GE,
  SCMP_CMP_GT: S.SCMP_CMP_GT,
  SCMP_CMP_MASKED_EQ: S.SCMP_CMP_MASKED_EQ,
} as const;

/** linux.seccomp.flags (seccomp(2)). */
export const seccompFlags = {
  SECCOMP_FILTER_FLAG_TSYNC: S.SECCOMP_FILTER_FLAG_TSYNC,
  SECCOMP_FILTER_FLAG_LOG: S.SECCOMP_FILTER_FLAG_LOG,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: S.SECCOMP_FILTER_FLAG_SPEC_ALLOW,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: S.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
} as const;

/**
 * linux.seccomp.architectures: libseccomp's tokens (seccomp.h), which but for x32 are the kernel's AUDIT_ARCH_*: the ELF
 * machine, 0x40000000 little-endian, 0x80000000 64-bit, 0x20000000 n32.
 */
export const seccompArchitectures = {
  SCMP_ARCH_X86: 0x40000003,
  SCMP_ARCH_X86_64: 0xc000003e,
  SCMP_ARCH_X32: 0x4000003e,
  SCMP_ARCH_ARM: 0x40000028,
  SCMP_ARCH_AARCH64: 0xc00000b7,
  SCMP_ARCH_LOONGARCH64: 0xc0000102,
  SCMP_ARCH_M68K: 0x4,
  SCMP_ARCH_MIPS: 0x8,
  SCMP_ARCH_MIPS64: 0x80000008,
  SCMP_ARCH_MIPS64N32: 0xa0000008,
  SCMP_ARCH_MIPSEL: 0x40000008,
  SCMP_ARCH_MIPSEL64: 0xc0000008,
  SCMP_ARCH_MIPSEL64N32: 0xe0000008,
  SCMP_ARCH_PPC: 0x14,
  SCMP_ARCH_PPC64: 0x80000015,
  SCMP_ARCH_PPC64LE: 0xc0000015,
  SCMP_ARCH_S390: 0x16,
  SCMP_ARCH_S390X: 0x80000016,
  SCMP_ARCH_SH: 0x4000002a,
  SCMP_ARCH_SHEB: 0x2a,
  SCMP_ARCH_PARISC: 0xf,
  SCMP_ARCH_PARISC64: 0x8000000f,
  SCMP_ARCH_RISCV64: 0xc00000f3,
} as const;

/** config.md "POSIX-platform Hooks", in the order of their running. */
export const hookKinds = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
] as const;
