/** Structures of the kernel, member by member, for the trace; scripts/check_constants.ts compares them with the headers. */

import * as bpf from "./constants/bpf.ts";
import { fd, flags, type Kind, limit, mode, number, oneOf, openFlags, signal } from "./kinds.ts";
import * as files from "./names/files.ts";
import * as mounts from "./names/mounts.ts";
import * as processes from "./names/processes.ts";
import * as sockets from "./names/sockets.ts";

/** A member: its name in the header, where it is, its bytes (minus for a signed one), and what it holds. */
export type Member = readonly [name: string, offset: number, size: 2 | 4 | -4 | 8, kind: Kind];

/** A structure as a header has it; without a size it has only some members. */
export interface Layout {
  readonly header: string;
  readonly name: string;
  readonly size?: number;
  readonly members: readonly Member[];
}

export const OPEN_HOW: Layout = {
  header: "linux/openat2.h",
  name: "struct open_how",
  size: 24,
  members: [
    ["flags", 0, 8, openFlags],
    ["mode", 8, 8, mode],
    ["resolve", 16, 8, flags(files.RESOLVE_)],
  ],
};

const attributes = flags(mounts.MOUNT_ATTR_);

export const MOUNT_ATTR: Layout = {
  header: "linux/mount.h",
  name: "struct mount_attr",
  size: 32,
  members: [
    ["attr_set", 0, 8, attributes],
    ["attr_clr", 8, 8, attributes],
    ["propagation", 16, 8, flags(mounts.MS_)],
    ["userns_fd", 24, 8, fd],
  ],
};

export const CLONE_ARGS: Layout = {
  header: "linux/sched.h",
  name: "struct clone_args",
  size: 88,
  members: [
    ["flags", 0, 8, flags(processes.CLONE_)],
    ["exit_signal", 32, 8, signal],
    ["cgroup", 80, 8, fd],
  ],
};

export const STATX: Layout = {
  header: "linux/stat.h",
  name: "struct statx",
  size: 256,
  members: [
    ["stx_mode", 28, 2, mode],
    ["stx_uid", 20, 4, number],
    ["stx_gid", 24, 4, number],
    ["stx_ino", 32, 8, number],
    ["stx_size", 40, 8, number],
    ["stx_rdev_major", 128, 4, number],
    ["stx_rdev_minor", 132, 4, number],
    ["stx_mnt_id", 144, 8, number],
  ],
};

export const STATFS: Layout = {
  header: "asm/statfs.h",
  name: "struct statfs",
  size: 120,
  members: [
    ["f_type", 0, 8, oneOf(files.MAGIC)],
    ["f_flags", 80, 8, flags(files.ST_)],
  ],
};

export const RLIMIT: Layout = {
  header: "sys/resource.h",
  name: "struct rlimit64",
  size: 16,
  members: [
    ["rlim_cur", 0, 8, limit],
    ["rlim_max", 8, 8, limit],
  ],
};

export const SCHED_ATTR: Layout = {
  header: "linux/sched/types.h",
  name: "struct sched_attr",
  members: [
    ["sched_policy", 4, 4, oneOf(processes.SCHED_)],
    ["sched_flags", 8, 8, flags(processes.SCHED_FLAG_)],
    ["sched_nice", 16, -4, number],
    ["sched_priority", 20, 4, number],
    ["sched_runtime", 24, 8, number],
    ["sched_deadline", 32, 8, number],
    ["sched_period", 40, 8, number],
  ],
};

export const SIGINFO: Layout = {
  header: "signal.h",
  name: "siginfo_t",
  size: 128,
  members: [
    ["si_signo", 0, -4, signal],
    ["si_code", 8, -4, oneOf(processes.CLD_)],
    ["si_pid", 16, -4, number],
    ["si_status", 24, -4, number],
  ],
};

const SIGNALFD_SIGINFO: Layout = {
  header: "sys/signalfd.h",
  name: "struct signalfd_siginfo",
  size: 128,
  members: [["ssi_signo", 0, 4, signal]],
};

export const WINSIZE: Layout = {
  header: "sys/ioctl.h",
  name: "struct winsize",
  size: 8,
  members: [
    ["ws_row", 0, 2, number],
    ["ws_col", 2, 2, number],
  ],
};

export const IFREQ: Layout = {
  header: "net/if.h",
  name: "struct ifreq",
  size: 40,
  members: [["ifr_flags", 16, 2, flags(sockets.IFF_)]],
};

const attached: readonly Member[] = [
  ["target_fd", 0, 4, fd],
  ["attach_bpf_fd", 4, 4, fd],
  ["attach_type", 8, 4, oneOf(processes.BPF_CGROUP_)],
  ["attach_flags", 12, 4, flags(processes.BPF_F_)],
  ["replace_bpf_fd", 16, 4, fd],
];

const union = { header: "linux/bpf.h", name: "union bpf_attr" };

/** union bpf_attr, by the command. */
export const BPF_ATTR: Readonly<Record<number, Layout>> = {
  [bpf.BPF_PROG_LOAD]: {
    ...union,
    members: [
      ["prog_type", 0, 4, oneOf(processes.BPF_PROG_TYPE_)],
      ["insn_cnt", 4, 4, number],
      ["log_size", 28, 4, number],
    ],
  },
  [bpf.BPF_PROG_ATTACH]: { ...union, members: attached },
  [bpf.BPF_PROG_DETACH]: { ...union, members: attached.slice(0, 3) },
  [bpf.BPF_PROG_QUERY]: {
    ...union,
    members: [
      ["query.target_fd", 0, 4, fd],
      ["query.attach_type", 4, 4, oneOf(processes.BPF_CGROUP_)],
      ["query.prog_cnt", 24, 4, number],
    ],
  },
  [bpf.BPF_PROG_GET_FD_BY_ID]: { ...union, members: [["prog_id", 0, 4, number]] },
};

/** All that have a size and members in a header. */
export const LAYOUTS: readonly Layout[] = [
  ...[OPEN_HOW, MOUNT_ATTR, CLONE_ARGS, STATX, STATFS, RLIMIT, SCHED_ATTR, SIGINFO, SIGNALFD_SIGINFO],
  ...[WINSIZE, IFREQ],
  ...Object.values(BPF_ATTR),
];
