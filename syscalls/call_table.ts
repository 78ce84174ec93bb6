/** The kinds of the arguments of every system call that this program makes, in their order; calls.ts reads it. */
import * as fcntl from "./constants/fcntl.ts";
import * as ioctl from "./constants/ioctl.ts";
import * as keyctl from "./constants/keyctl.ts";
import * as prctl from "./constants/prctl.ts";
import * as socket from "./constants/socket.ts";
import * as wait from "./constants/wait.ts";
import { fdName } from "./descriptor_name.ts";
import {
  address,
  bitmap,
  bitmapFilled,
  bytes,
  bytesFilled,
  device,
  dirfd,
  fd,
  fdsFilled,
  flags,
  gid,
  gids,
  ints,
  intsFilled,
  ioprio,
  type Kind,
  key,
  memoryPolicy,
  mode,
  number,
  oneOf,
  openFlags,
  options,
  path,
  pathAt,
  pid,
  plain,
  signal,
  sigset,
  sigsetFilled,
  strings,
  text,
  timespec,
  uid,
  variables,
} from "./kinds.ts";
import * as layouts from "./layouts.ts";
import * as files from "./names/files.ts";
import * as mounts from "./names/mounts.ts";
import * as processes from "./names/processes.ts";
import * as sockets from "./names/sockets.ts";
import type { Names } from "./names.ts";
import type { SyscallName } from "./numbers.ts";
import * as s from "./structures.ts";
import { decodeUtf8 } from "./utf8.ts";

/** One call, or one of its commands. */
export interface Shape {
  /** What errors call it, where that is not its name. */
  readonly op?: string;
  readonly args?: readonly Kind[];
  readonly result?: Kind;
  /** Which argument an error names; otherwise the first that stands for something. */
  readonly object?: number;
  /** The argument at this position says what the call does: by it, the kinds of those behind `args`, and other words. */
  readonly command?: readonly [position: number, by: Readonly<Record<number, Shape>>];
}

/** Which of several, where something else is what an error names. */
const choice = (names: Names): Kind => ({ show: oneOf(names).show });
/** Of O_*, those that are none of access. */
const descriptorFlags = options(files.O_);
const pathFlags = options(files.AT_PATH);
const access = options(files.ACCESS);
const mountFlags = options(mounts.MS_);
const clone = flags(processes.CLONE_);
const namespaces = flags(processes.CLONE_);
const processOrThis: Kind = {
  show: pid.show,
  object: (arg, made, position) => (arg === 0 ? "this process" : (pid.object?.(arg, made, position) ?? "")),
};

const fileCalls = {
  read: { args: [fd, bytesFilled, number] },
  write: { args: [fd, bytes, number] },
  openat: { op: "open", args: [dirfd, pathAt, openFlags, mode], result: fd },
  openat2: { op: "open", args: [dirfd, pathAt, s.struct(layouts.OPEN_HOW), number], result: fd },
  close: { args: [fd] },
  close_range: { args: [number, number, options(files.CLOSE_RANGE_)] },
  lseek: { args: [fd, number, choice(files.SEEK_)] },
  readlinkat: { op: "readlink", args: [dirfd, pathAt, bytesFilled, number] },
  statx: {
    op: "stat",
    args: [dirfd, pathAt, pathFlags, options(files.STATX_), s.structFilled(layouts.STATX)],
  },
  newfstatat: { op: "stat", args: [dirfd, pathAt, address, pathFlags] },
  fstatfs: { args: [fd, s.structFilled(layouts.STATFS)] },
  mkdirat: { op: "mkdir", args: [dirfd, pathAt, mode] },
  unlinkat: {
    op: "unlink",
    args: [dirfd, pathAt, options(files.AT_REMOVE)],
    command: [2, { [fcntl.AT_REMOVEDIR]: { op: "rmdir" } }],
  },
  faccessat: { op: "access", args: [dirfd, pathAt, access] },
  faccessat2: {
    op: "access",
    args: [dirfd, pathAt, access, options(files.AT_ACCESS)],
  },
  renameat: { op: "rename", args: [dirfd, pathAt, dirfd, pathAt], object: 3 },
  symlinkat: { op: "symlink", args: [text, dirfd, pathAt], object: 2 },
  mknodat: { op: "mknod", args: [dirfd, pathAt, mode, device] },
  fchmod: { args: [fd, mode] },
  fchmodat: { op: "chmod", args: [dirfd, pathAt, mode] },
  fchown: { args: [fd, number, number] },
  fchownat: { op: "chown", args: [dirfd, pathAt, number, number, pathFlags] },
  ftruncate: { args: [fd, number] },
  getdents64: { op: "read directory", args: [fd, { show: plain, filled: true }, number] },
  fcntl: {
    args: [fd, choice(files.F_)],
    command: [
      1,
      {
        [fcntl.F_DUPFD_CLOEXEC]: { op: "dup", args: [number], result: fd },
        [fcntl.F_SETFD]: { args: [options(files.FD_)] },
        [fcntl.F_SETFL]: { args: [descriptorFlags] },
        [fcntl.F_ADD_SEALS]: { op: "seal", args: [options(files.F_SEAL_)] },
      },
    ],
  },
  flock: { args: [fd, options(files.LOCK_)] },
  dup3: {
    op: "dup",
    args: [
      fd,
      { show: fd.show, object: (arg, { args }) => `${fdName(Number(args[0]))} to ${arg}` },
      descriptorFlags,
    ],
    object: 1,
  },
  pipe2: { args: [fdsFilled, descriptorFlags] },
  memfd_create: { args: [text, options(files.MFD_)], result: fd },
  umask: { args: [mode], result: mode },
  chdir: { args: [path] },
  fchdir: { args: [fd] },
  getcwd: { args: [bytesFilled, number] },
  chroot: { args: [path] },
  ppoll: { op: "poll", args: [s.pollfds, number, timespec, sigset, number] },
  sendfile: { args: [fd, fd, address, number], object: 1 },
  splice: { args: [fd, address, fd, address, number, options(files.SPLICE_F_)] },
  fsetxattr: { args: [fd, text, bytes, number, number] },
  inotify_init1: { args: [options(files.IN_)], result: fd },
  inotify_add_watch: { args: [{ show: fd.show }, path, options(files.IN_)] },
  eventfd2: { args: [number, options(files.EFD_)], result: fd },
} satisfies Partial<Record<SyscallName, Shape>>;

const mountCalls = {
  mount: { args: [text, path, text, mountFlags, text], object: 1 },
  umount2: {
    op: "umount",
    args: [path, options(mounts.MNT_)],
  },
  open_tree: {
    args: [dirfd, pathAt, options({ ...mounts.OPEN_TREE_, ...files.AT_PATH })],
    result: fd,
  },
  move_mount: {
    op: "mount",
    args: [dirfd, pathAt, dirfd, pathAt, options(mounts.MOVE_MOUNT_)],
    object: 3,
  },
  fsopen: { op: "mount", args: [text, options(mounts.FSOPEN_)], result: fd },
  fsconfig: {
    op: "mount",
    args: [fd, choice(mounts.FSCONFIG_), text, text, number],
  },
  fsmount: {
    op: "mount",
    args: [fd, options(mounts.FSMOUNT_), options(mounts.MOUNT_ATTR_)],
    result: fd,
  },
  mount_setattr: {
    args: [dirfd, pathAt, pathFlags, s.struct(layouts.MOUNT_ATTR), number],
  },
  pivot_root: { args: [path, path] },
} satisfies Partial<Record<SyscallName, Shape>>;

const capabilities = choice(processes.CAP_);
const ambient = choice(processes.PR_CAP_AMBIENT_);

const processCalls = {
  unshare: { args: [namespaces] },
  setns: { args: [fd, namespaces] },
  sethostname: {
    args: [{ show: bytes.show, object: (arg) => (arg instanceof Uint8Array ? decodeUtf8(arg) : "") }, number],
  },
  setdomainname: {
    args: [{ show: bytes.show, object: (arg) => (arg instanceof Uint8Array ? decodeUtf8(arg) : "") }, number],
  },
  clone: { args: [{ show: clone.show }, address, fdsFilled, address, address] },
  clone3: { args: [s.struct(layouts.CLONE_ARGS), number] },
  execve: { op: "exec", args: [path, strings, variables] },
  execveat: {
    op: "exec",
    args: [dirfd, pathAt, strings, variables, pathFlags],
  },
  waitid: {
    args: [
      choice(processes.P_),
      { show: number.show, object: (arg, { args }) => (args[0] === wait.P_ALL ? "any child" : `pid ${arg}`) },
      s.structFilled(layouts.SIGINFO),
      options(processes.W),
      address,
    ],
  },
  exit_group: { args: [number] },
  getpid: { args: [] },
  pidfd_open: { args: [pid, number], result: fd },
  pidfd_send_signal: { args: [fd, signal, address, number] },
  pidfd_getfd: {
    args: [
      { show: fd.show, object: (arg, { args }) => `fd ${args[1]} of ${fdName(Number(arg))}` },
      number,
      number,
    ],
    result: fd,
  },
  kill: { args: [pid, signal] },
  setsid: { args: [] },
  setpgid: { args: [number, number] },
  prctl: {
    args: [oneOf(processes.PR_)],
    command: [
      0,
      {
        [prctl.PR_SET_PDEATHSIG]: { args: [signal] },
        [prctl.PR_SET_NAME]: { args: [text] },
        [prctl.PR_CAPBSET_READ]: { args: [capabilities] },
        [prctl.PR_CAPBSET_DROP]: { args: [capabilities] },
        [prctl.PR_CAP_AMBIENT]: { args: [ambient, capabilities] },
      },
    ],
  },
  personality: { args: [oneOf(processes.PER_)] },
  rt_sigaction: { args: [{ show: signal.show, object: signal.show }, s.sigaction, address, number] },
  rt_sigprocmask: { args: [choice(processes.SIG_), sigset, sigsetFilled, number] },
  rt_sigtimedwait: { args: [sigset, address, timespec, number] },
  signalfd4: { args: [{ show: fd.show }, sigset, number, options(processes.SFD_)], result: fd },
  ioprio_set: { args: [number, number, ioprio] },
  sched_setaffinity: { args: [processOrThis, number, bitmap] },
  sched_getaffinity: { args: [processOrThis, number, bitmapFilled] },
  sched_setattr: { args: [processOrThis, s.struct(layouts.SCHED_ATTR), number] },
  set_mempolicy: { args: [memoryPolicy, bitmap, number] },
  prlimit64: {
    args: [
      { show: number.show },
      oneOf(processes.RLIMIT_),
      s.struct(layouts.RLIMIT),
      s.structFilled(layouts.RLIMIT),
    ],
  },
  seccomp: {
    args: [choice(processes.SECCOMP_OPERATIONS), options(processes.SECCOMP_FILTER_FLAG_), s.program],
  },
  bpf: {
    args: [choice(processes.BPF_PROG_)],
    command: [
      0,
      Object.fromEntries(
        Object.entries(layouts.BPF_ATTR).map(([command, layout]) => [
          command,
          { args: [s.struct(layout), number] },
        ]),
      ),
    ],
  },
  mmap: { args: [address, number] },
  munmap: { args: [address, number] },
  nanosleep: { args: [timespec, address] },
} satisfies Partial<Record<SyscallName, Shape>>;

const identityCalls = {
  setresuid: { args: [uid, { show: number.show }, { show: number.show }] },
  setresgid: { args: [gid, { show: number.show }, { show: number.show }] },
  setgroups: { args: [number, gids], object: 1 },
  getuid: { args: [] },
  geteuid: { args: [] },
  getegid: { args: [] },
  capget: { args: [address, s.capabilityDataFilled] },
  capset: { args: [address, s.capabilityData] },
  keyctl: {
    args: [choice(processes.KEYCTL_)],
    command: [
      0,
      {
        [keyctl.KEYCTL_JOIN_SESSION_KEYRING]: { args: [text] },
        [keyctl.KEYCTL_DESCRIBE]: { args: [key, bytesFilled, number] },
        [keyctl.KEYCTL_SETPERM]: {
          args: [key, { show: (arg) => plain(typeof arg === "number" ? BigInt(arg) : arg) }],
        },
      },
    ],
  },
} satisfies Partial<Record<SyscallName, Shape>>;

const socketType = options(sockets.SOCK_);
const family = choice(sockets.AF_);
const level = choice(sockets.SOL_);
const option = choice({ ...sockets.SO_, ...sockets.NETLINK_ });
const messageFlags = options(sockets.MSG_);

const socketCalls = {
  socketpair: { args: [family, socketType, number, fdsFilled] },
  socket: { args: [family, socketType, number], result: fd },
  connect: { args: [fd, s.sockaddr, number] },
  bind: { args: [fd, s.sockaddr, number] },
  listen: { args: [fd, number] },
  accept4: { op: "accept", args: [fd, address, address, socketType], result: fd },
  shutdown: { args: [fd, number] },
  sendmsg: { args: [fd, s.message, messageFlags] },
  recvmsg: { args: [fd, s.messageFilled, messageFlags] },
  sendto: { args: [fd, bytes, number, messageFlags, address, number] },
  recvfrom: { args: [fd, bytesFilled, number, messageFlags, address, address] },
  getsockopt: { args: [fd, level, option, { show: plain, filled: true }, address] },
  setsockopt: { args: [fd, level, option, ints, number] },
} satisfies Partial<Record<SyscallName, Shape>>;

const size = s.struct(layouts.WINSIZE);
const requests = { ...sockets.REQUESTS, ...sockets.SIOC };
const interfaceRequest = { args: [s.struct(layouts.IFREQ)] };

/** Requests of ioctl(2). */
const ioctls = {
  args: [fd, choice(requests)],
  command: [
    1,
    {
      [ioctl.TCGETS]: { op: "read terminal settings" },
      [ioctl.TCSETS]: { op: "set terminal settings" },
      [ioctl.TIOCGWINSZ]: { op: "read terminal size", args: [s.structFilled(layouts.WINSIZE)] },
      [ioctl.TIOCSWINSZ]: { op: "set terminal size", args: [size] },
      [ioctl.TIOCSCTTY]: { op: "set controlling terminal", args: [number] },
      [ioctl.TIOCSPTLCK]: { op: "unlock pty", args: [ints] },
      [ioctl.TIOCGPTN]: { op: "read pty number", args: [intsFilled] },
      [ioctl.TIOCGPTPEER]: { op: "open pty peer", args: [openFlags], result: fd },
      [ioctl.FIONREAD]: { op: "count bytes", args: [intsFilled] },
      [socket.SIOCGIFFLAGS]: { op: "read interface flags", ...interfaceRequest },
      [socket.SIOCSIFFLAGS]: { op: "set interface up", ...interfaceRequest },
    },
  ],
} satisfies Shape;

export const CALLS: Readonly<Record<TracedName, Shape>> = {
  ...fileCalls,
  ...mountCalls,
  ...processCalls,
  ...identityCalls,
  ...socketCalls,
  ioctl: ioctls,
};

/** All but the clock's, which does not pass through `tryCall`. */
export type TracedName = Exclude<SyscallName, "clock_gettime">;
