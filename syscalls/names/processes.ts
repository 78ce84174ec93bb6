/** Names of the constants that system calls of processes take, for the trace and for errors. */
import * as bpf from "../constants/bpf.ts";
import * as capability from "../constants/capability.ts";
import * as keyctl from "../constants/keyctl.ts";
import * as mempolicy from "../constants/mempolicy.ts";
import * as personality from "../constants/personality.ts";
import * as prctl from "../constants/prctl.ts";
import * as resource from "../constants/resource.ts";
import * as sched from "../constants/sched.ts";
import * as schedAttr from "../constants/sched_attr.ts";
import * as seccomp from "../constants/seccomp.ts";
import * as signal from "../constants/signal.ts";
import * as wait from "../constants/wait.ts";
import type { Names } from "../names.ts";

/** clone3(2), unshare(2), setns(2). */
export const CLONE_: Names = {
  CLONE_NEWNS: sched.CLONE_NEWNS,
  CLONE_NEWCGROUP: sched.CLONE_NEWCGROUP,
  CLONE_NEWUTS: sched.CLONE_NEWUTS,
  CLONE_NEWIPC: sched.CLONE_NEWIPC,
  CLONE_NEWUSER: sched.CLONE_NEWUSER,
  CLONE_NEWPID: sched.CLONE_NEWPID,
  CLONE_NEWNET: sched.CLONE_NEWNET,
  CLONE_NEWTIME: sched.CLONE_NEWTIME,
  CLONE_PIDFD: sched.CLONE_PIDFD,
  CLONE_PARENT: sched.CLONE_PARENT,
  CLONE_VFORK: sched.CLONE_VFORK,
  CLONE_VM: sched.CLONE_VM,
  CLONE_INTO_CGROUP: sched.CLONE_INTO_CGROUP,
  CLONE_CLEAR_SIGHAND: sched.CLONE_CLEAR_SIGHAND,
};

/** Capabilities. */
export const CAP_: Names = {
  CAP_CHOWN: capability.CAP_CHOWN,
  CAP_DAC_OVERRIDE: capability.CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH: capability.CAP_DAC_READ_SEARCH,
  CAP_FOWNER: capability.CAP_FOWNER,
  CAP_FSETID: capability.CAP_FSETID,
  CAP_KILL: capability.CAP_KILL,
  CAP_SETGID: capability.CAP_SETGID,
  CAP_SETUID: capability.CAP_SETUID,
  CAP_SETPCAP: capability.CAP_SETPCAP,
  CAP_LINUX_IMMUTABLE: capability.CAP_LINUX_IMMUTABLE,
  CAP_NET_BIND_SERVICE: capability.CAP_NET_BIND_SERVICE,
  CAP_NET_BROADCAST: capability.CAP_NET_BROADCAST,
  CAP_NET_ADMIN: capability.CAP_NET_ADMIN,
  CAP_NET_RAW: capability.CAP_NET_RAW,
  CAP_IPC_LOCK: capability.CAP_IPC_LOCK,
  CAP_IPC_OWNER: capability.CAP_IPC_OWNER,
  CAP_SYS_MODULE: capability.CAP_SYS_MODULE,
  CAP_SYS_RAWIO: capability.CAP_SYS_RAWIO,
  CAP_SYS_CHROOT: capability.CAP_SYS_CHROOT,
  CAP_SYS_PTRACE: capability.CAP_SYS_PTRACE,
  CAP_SYS_PACCT: capability.CAP_SYS_PACCT,
  CAP_SYS_ADMIN: capability.CAP_SYS_ADMIN,
  CAP_SYS_BOOT: capability.CAP_SYS_BOOT,
  CAP_SYS_NICE: capability.CAP_SYS_NICE,
  CAP_SYS_RESOURCE: capability.CAP_SYS_RESOURCE,
  CAP_SYS_TIME: capability.CAP_SYS_TIME,
  CAP_SYS_TTY_CONFIG: capability.CAP_SYS_TTY_CONFIG,
  CAP_MKNOD: capability.CAP_MKNOD,
  CAP_LEASE: capability.CAP_LEASE,
  CAP_AUDIT_WRITE: capability.CAP_AUDIT_WRITE,
  CAP_AUDIT_CONTROL: capability.CAP_AUDIT_CONTROL,
  CAP_SETFCAP: capability.CAP_SETFCAP,
  CAP_MAC_OVERRIDE: capability.CAP_MAC_OVERRIDE,
  CAP_MAC_ADMIN: capability.CAP_MAC_ADMIN,
  CAP_SYSLOG: capability.CAP_SYSLOG,
  CAP_WAKE_ALARM: capability.CAP_WAKE_ALARM,
  CAP_BLOCK_SUSPEND: capability.CAP_BLOCK_SUSPEND,
  CAP_AUDIT_READ: capability.CAP_AUDIT_READ,
  CAP_PERFMON: capability.CAP_PERFMON,
  CAP_BPF: capability.CAP_BPF,
  CAP_CHECKPOINT_RESTORE: capability.CAP_CHECKPOINT_RESTORE,
};

/** Operations of prctl(2). */
export const PR_: Names = {
  PR_SET_PDEATHSIG: prctl.PR_SET_PDEATHSIG,
  PR_GET_DUMPABLE: prctl.PR_GET_DUMPABLE,
  PR_SET_DUMPABLE: prctl.PR_SET_DUMPABLE,
  PR_SET_KEEPCAPS: prctl.PR_SET_KEEPCAPS,
  PR_SET_NAME: prctl.PR_SET_NAME,
  PR_CAPBSET_READ: prctl.PR_CAPBSET_READ,
  PR_CAPBSET_DROP: prctl.PR_CAPBSET_DROP,
  PR_SET_NO_NEW_PRIVS: prctl.PR_SET_NO_NEW_PRIVS,
  PR_SET_CHILD_SUBREAPER: prctl.PR_SET_CHILD_SUBREAPER,
  PR_CAP_AMBIENT: prctl.PR_CAP_AMBIENT,
  PR_GET_KEEPCAPS: prctl.PR_GET_KEEPCAPS,
  PR_SET_THP_DISABLE: prctl.PR_SET_THP_DISABLE,
  PR_SET_SECUREBITS: prctl.PR_SET_SECUREBITS,
  PR_GET_SECUREBITS: prctl.PR_GET_SECUREBITS,
};

/** PR_CAP_AMBIENT. */
export const PR_CAP_AMBIENT_: Names = {
  PR_CAP_AMBIENT_RAISE: prctl.PR_CAP_AMBIENT_RAISE,
  PR_CAP_AMBIENT_LOWER: prctl.PR_CAP_AMBIENT_LOWER,
  PR_CAP_AMBIENT_CLEAR_ALL: prctl.PR_CAP_AMBIENT_CLEAR_ALL,
};

/** What waitid(2) waits for. */
export const P_: Names = {
  P_ALL: wait.P_ALL,
  P_PID: wait.P_PID,
  P_PIDFD: wait.P_PIDFD,
};

/** Options of waitid(2). */
export const W: Names = {
  WNOHANG: wait.WNOHANG,
  WEXITED: wait.WEXITED,
  WNOWAIT: wait.WNOWAIT,
};

/** How a child ended. */
export const CLD_: Names = {
  CLD_EXITED: wait.CLD_EXITED,
  CLD_KILLED: wait.CLD_KILLED,
  CLD_DUMPED: wait.CLD_DUMPED,
};

/** personality(2). */
export const PER_: Names = {
  PER_LINUX: personality.PER_LINUX,
  PER_LINUX32: personality.PER_LINUX32,
};

/** Signals. */
export const SIG: Names = {
  SIGHUP: signal.SIGHUP,
  SIGINT: signal.SIGINT,
  SIGQUIT: signal.SIGQUIT,
  SIGILL: signal.SIGILL,
  SIGTRAP: signal.SIGTRAP,
  SIGABRT: signal.SIGABRT,
  SIGBUS: signal.SIGBUS,
  SIGFPE: signal.SIGFPE,
  SIGKILL: signal.SIGKILL,
  SIGUSR1: signal.SIGUSR1,
  SIGSEGV: signal.SIGSEGV,
  SIGUSR2: signal.SIGUSR2,
  SIGPIPE: signal.SIGPIPE,
  SIGALRM: signal.SIGALRM,
  SIGTERM: signal.SIGTERM,
  SIGSTKFLT: signal.SIGSTKFLT,
  SIGCHLD: signal.SIGCHLD,
  SIGCONT: signal.SIGCONT,
  SIGSTOP: signal.SIGSTOP,
  SIGTSTP: signal.SIGTSTP,
  SIGTTIN: signal.SIGTTIN,
  SIGTTOU: signal.SIGTTOU,
  SIGURG: signal.SIGURG,
  SIGXCPU: signal.SIGXCPU,
  SIGXFSZ: signal.SIGXFSZ,
  SIGVTALRM: signal.SIGVTALRM,
  SIGPROF: signal.SIGPROF,
  SIGWINCH: signal.SIGWINCH,
  SIGIO: signal.SIGIO,
  SIGPWR: signal.SIGPWR,
  SIGSYS: signal.SIGSYS,
};

/** sigprocmask(2). */
export const SIG_: Names = {
  SIG_BLOCK: signal.SIG_BLOCK,
  SIG_UNBLOCK: signal.SIG_UNBLOCK,
  SIG_SETMASK: signal.SIG_SETMASK,
};

/** signalfd4(2). */
export const SFD_: Names = {
  SFD_CLOEXEC: signal.SFD_CLOEXEC,
  SFD_NONBLOCK: signal.SFD_NONBLOCK,
};

/** prlimit(2). */
export const RLIMIT_: Names = {
  RLIMIT_CPU: resource.RLIMIT_CPU,
  RLIMIT_FSIZE: resource.RLIMIT_FSIZE,
  RLIMIT_DATA: resource.RLIMIT_DATA,
  RLIMIT_STACK: resource.RLIMIT_STACK,
  RLIMIT_CORE: resource.RLIMIT_CORE,
  RLIMIT_RSS: resource.RLIMIT_RSS,
  RLIMIT_NPROC: resource.RLIMIT_NPROC,
  RLIMIT_NOFILE: resource.RLIMIT_NOFILE,
  RLIMIT_MEMLOCK: resource.RLIMIT_MEMLOCK,
  RLIMIT_AS: resource.RLIMIT_AS,
  RLIMIT_LOCKS: resource.RLIMIT_LOCKS,
  RLIMIT_SIGPENDING: resource.RLIMIT_SIGPENDING,
  RLIMIT_MSGQUEUE: resource.RLIMIT_MSGQUEUE,
  RLIMIT_NICE: resource.RLIMIT_NICE,
  RLIMIT_RTPRIO: resource.RLIMIT_RTPRIO,
  RLIMIT_RTTIME: resource.RLIMIT_RTTIME,
};

/** Policies of sched_setattr(2). */
export const SCHED_: Names = {
  SCHED_NORMAL: schedAttr.SCHED_NORMAL,
  SCHED_FIFO: schedAttr.SCHED_FIFO,
  SCHED_RR: schedAttr.SCHED_RR,
  SCHED_BATCH: schedAttr.SCHED_BATCH,
  SCHED_ISO: schedAttr.SCHED_ISO,
  SCHED_IDLE: schedAttr.SCHED_IDLE,
  SCHED_DEADLINE: schedAttr.SCHED_DEADLINE,
};

/** Flags of sched_setattr(2). */
export const SCHED_FLAG_: Names = {
  SCHED_FLAG_RESET_ON_FORK: schedAttr.SCHED_FLAG_RESET_ON_FORK,
  SCHED_FLAG_RECLAIM: schedAttr.SCHED_FLAG_RECLAIM,
  SCHED_FLAG_DL_OVERRUN: schedAttr.SCHED_FLAG_DL_OVERRUN,
  SCHED_FLAG_KEEP_POLICY: schedAttr.SCHED_FLAG_KEEP_POLICY,
  SCHED_FLAG_KEEP_PARAMS: schedAttr.SCHED_FLAG_KEEP_PARAMS,
  SCHED_FLAG_UTIL_CLAMP_MIN: schedAttr.SCHED_FLAG_UTIL_CLAMP_MIN,
  SCHED_FLAG_UTIL_CLAMP_MAX: schedAttr.SCHED_FLAG_UTIL_CLAMP_MAX,
};

/** Classes of ioprio_set(2). */
export const IOPRIO_CLASS_: Names = {
  IOPRIO_CLASS_RT: schedAttr.IOPRIO_CLASS_RT,
  IOPRIO_CLASS_BE: schedAttr.IOPRIO_CLASS_BE,
  IOPRIO_CLASS_IDLE: schedAttr.IOPRIO_CLASS_IDLE,
};

/** set_mempolicy(2). */
export const MPOL_: Names = {
  MPOL_DEFAULT: mempolicy.MPOL_DEFAULT,
  MPOL_PREFERRED: mempolicy.MPOL_PREFERRED,
  MPOL_BIND: mempolicy.MPOL_BIND,
  MPOL_INTERLEAVE: mempolicy.MPOL_INTERLEAVE,
  MPOL_LOCAL: mempolicy.MPOL_LOCAL,
  MPOL_PREFERRED_MANY: mempolicy.MPOL_PREFERRED_MANY,
  MPOL_WEIGHTED_INTERLEAVE: mempolicy.MPOL_WEIGHTED_INTERLEAVE,
};

/** Flags beside a policy. */
export const MPOL_F_: Names = {
  MPOL_F_NUMA_BALANCING: mempolicy.MPOL_F_NUMA_BALANCING,
  MPOL_F_RELATIVE_NODES: mempolicy.MPOL_F_RELATIVE_NODES,
  MPOL_F_STATIC_NODES: mempolicy.MPOL_F_STATIC_NODES,
};

/** seccomp(2). */
export const SECCOMP_FILTER_FLAG_: Names = {
  SECCOMP_FILTER_FLAG_TSYNC: seccomp.SECCOMP_FILTER_FLAG_TSYNC,
  SECCOMP_FILTER_FLAG_LOG: seccomp.SECCOMP_FILTER_FLAG_LOG,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: seccomp.SECCOMP_FILTER_FLAG_SPEC_ALLOW,
  SECCOMP_FILTER_FLAG_NEW_LISTENER: seccomp.SECCOMP_FILTER_FLAG_NEW_LISTENER,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: seccomp.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
};

/** Commands of bpf(2). */
export const BPF_PROG_: Names = {
  BPF_PROG_LOAD: bpf.BPF_PROG_LOAD,
  BPF_PROG_ATTACH: bpf.BPF_PROG_ATTACH,
  BPF_PROG_DETACH: bpf.BPF_PROG_DETACH,
  BPF_PROG_GET_FD_BY_ID: bpf.BPF_PROG_GET_FD_BY_ID,
  BPF_PROG_QUERY: bpf.BPF_PROG_QUERY,
};

/** Types of programs. */
export const BPF_PROG_TYPE_: Names = {
  BPF_PROG_TYPE_CGROUP_DEVICE: bpf.BPF_PROG_TYPE_CGROUP_DEVICE,
};

/** What a program is attached as. */
export const BPF_CGROUP_: Names = {
  BPF_CGROUP_DEVICE: bpf.BPF_CGROUP_DEVICE,
};

/** How a program is attached. */
export const BPF_F_: Names = {
  BPF_F_ALLOW_MULTI: bpf.BPF_F_ALLOW_MULTI,
  BPF_F_REPLACE: bpf.BPF_F_REPLACE,
};

/** keyctl(2). */
export const KEYCTL_: Names = {
  KEYCTL_JOIN_SESSION_KEYRING: keyctl.KEYCTL_JOIN_SESSION_KEYRING,
  KEYCTL_SETPERM: keyctl.KEYCTL_SETPERM,
  KEYCTL_DESCRIBE: keyctl.KEYCTL_DESCRIBE,
  KEYCTL_REVOKE: keyctl.KEYCTL_REVOKE,
  KEYCTL_UNLINK: keyctl.KEYCTL_UNLINK,
  KEYCTL_GET_KEYRING_ID: keyctl.KEYCTL_GET_KEYRING_ID,
};

/** Operations of seccomp(2). */
export const SECCOMP_OPERATIONS: Names = { SECCOMP_SET_MODE_FILTER: seccomp.SECCOMP_SET_MODE_FILTER };
