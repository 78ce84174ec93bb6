/** Names of the constants that system calls of files take, for the trace and for errors. */
import * as eventfd from "../constants/eventfd.ts";
import * as fcntl from "../constants/fcntl.ts";
import * as inotify from "../constants/inotify.ts";
import * as magic from "../constants/magic.ts";
import * as poll from "../constants/poll.ts";
import * as stat from "../constants/stat.ts";
import type { Names } from "../names.ts";

/** openat(2), without O_RDONLY, which is no bit. */
export const O_: Names = {
  O_WRONLY: fcntl.O_WRONLY,
  O_RDWR: fcntl.O_RDWR,
  O_CREAT: fcntl.O_CREAT,
  O_EXCL: fcntl.O_EXCL,
  O_NOCTTY: fcntl.O_NOCTTY,
  O_TRUNC: fcntl.O_TRUNC,
  O_APPEND: fcntl.O_APPEND,
  O_NONBLOCK: fcntl.O_NONBLOCK,
  O_SYNC: fcntl.O_SYNC,
  O_DIRECTORY: fcntl.O_DIRECTORY,
  O_NOFOLLOW: fcntl.O_NOFOLLOW,
  O_CLOEXEC: fcntl.O_CLOEXEC,
  O_PATH: fcntl.O_PATH,
  O_TMPFILE: fcntl.O_TMPFILE,
};

/** openat2(2). */
export const RESOLVE_: Names = {
  RESOLVE_NO_XDEV: fcntl.RESOLVE_NO_XDEV,
  RESOLVE_NO_MAGICLINKS: fcntl.RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS: fcntl.RESOLVE_NO_SYMLINKS,
  RESOLVE_BENEATH: fcntl.RESOLVE_BENEATH,
  RESOLVE_IN_ROOT: fcntl.RESOLVE_IN_ROOT,
};

/** Commands of fcntl(2). */
export const F_: Names = {
  F_DUPFD_CLOEXEC: fcntl.F_DUPFD_CLOEXEC,
  F_GETFD: fcntl.F_GETFD,
  F_SETFD: fcntl.F_SETFD,
  F_GETFL: fcntl.F_GETFL,
  F_SETFL: fcntl.F_SETFL,
  F_ADD_SEALS: fcntl.F_ADD_SEALS,
  F_GET_SEALS: fcntl.F_GET_SEALS,
};

/** Seals of a memfd. */
export const F_SEAL_: Names = {
  F_SEAL_SEAL: fcntl.F_SEAL_SEAL,
  F_SEAL_SHRINK: fcntl.F_SEAL_SHRINK,
  F_SEAL_GROW: fcntl.F_SEAL_GROW,
  F_SEAL_WRITE: fcntl.F_SEAL_WRITE,
};

/** F_SETFD. */
export const FD_: Names = {
  FD_CLOEXEC: fcntl.FD_CLOEXEC,
};

/** flock(2). */
export const LOCK_: Names = {
  LOCK_SH: fcntl.LOCK_SH,
  LOCK_EX: fcntl.LOCK_EX,
  LOCK_NB: fcntl.LOCK_NB,
  LOCK_UN: fcntl.LOCK_UN,
};

/** memfd_create(2). */
export const MFD_: Names = {
  MFD_CLOEXEC: fcntl.MFD_CLOEXEC,
  MFD_ALLOW_SEALING: fcntl.MFD_ALLOW_SEALING,
  MFD_EXEC: fcntl.MFD_EXEC,
};

/** splice(2). */
export const SPLICE_F_: Names = {
  SPLICE_F_NONBLOCK: fcntl.SPLICE_F_NONBLOCK,
};

/** lseek(2). */
export const SEEK_: Names = {
  SEEK_SET: fcntl.SEEK_SET,
  SEEK_END: fcntl.SEEK_END,
};

/** close_range(2). */
export const CLOSE_RANGE_: Names = {
  CLOSE_RANGE_CLOEXEC: fcntl.CLOSE_RANGE_CLOEXEC,
};

/** What statx(2) is asked for. */
export const STATX_: Names = {
  STATX_BASIC_STATS: stat.STATX_BASIC_STATS,
  STATX_MNT_ID: stat.STATX_MNT_ID,
};

/** Types of files. */
export const S_IF: Names = {
  S_IFSOCK: stat.S_IFSOCK,
  S_IFLNK: stat.S_IFLNK,
  S_IFREG: stat.S_IFREG,
  S_IFBLK: stat.S_IFBLK,
  S_IFDIR: stat.S_IFDIR,
  S_IFCHR: stat.S_IFCHR,
  S_IFIFO: stat.S_IFIFO,
};

/** Flags of fstatfs(2). */
export const ST_: Names = {
  ST_RDONLY: stat.ST_RDONLY,
  ST_NOSUID: stat.ST_NOSUID,
  ST_NODEV: stat.ST_NODEV,
  ST_NOEXEC: stat.ST_NOEXEC,
  ST_NOATIME: stat.ST_NOATIME,
  ST_NODIRATIME: stat.ST_NODIRATIME,
  ST_RELATIME: stat.ST_RELATIME,
  ST_NOSYMFOLLOW: stat.ST_NOSYMFOLLOW,
};

/** inotify(7). */
export const IN_: Names = {
  IN_MODIFY: inotify.IN_MODIFY,
  IN_CLOEXEC: inotify.IN_CLOEXEC,
  IN_NONBLOCK: inotify.IN_NONBLOCK,
};

/** eventfd2(2). */
export const EFD_: Names = {
  EFD_CLOEXEC: eventfd.EFD_CLOEXEC,
  EFD_NONBLOCK: eventfd.EFD_NONBLOCK,
};

/** Events of poll(2). */
export const POLL: Names = {
  POLLIN: poll.POLLIN,
  POLLOUT: poll.POLLOUT,
  POLLERR: poll.POLLERR,
  POLLHUP: poll.POLLHUP,
  POLLNVAL: poll.POLLNVAL,
};

/** Flags beside a path. */
export const AT_PATH: Names = {
  AT_SYMLINK_NOFOLLOW: fcntl.AT_SYMLINK_NOFOLLOW,
  AT_EMPTY_PATH: fcntl.AT_EMPTY_PATH,
  AT_NO_AUTOMOUNT: fcntl.AT_NO_AUTOMOUNT,
  AT_RECURSIVE: fcntl.AT_RECURSIVE,
};

/** faccessat2(2), where one bit has another name. */
export const AT_ACCESS: Names = { ...AT_PATH, AT_EACCESS: fcntl.AT_EACCESS };

/** unlinkat(2), where it is this. */
export const AT_REMOVE: Names = { AT_REMOVEDIR: fcntl.AT_REMOVEDIR };

/** Modes of faccessat2(2). */
export const ACCESS: Names = { F_OK: fcntl.F_OK, X_OK: fcntl.X_OK, W_OK: fcntl.W_OK, R_OK: fcntl.R_OK };

/** What fstatfs(2) says of file systems. */
export const MAGIC: Names = {
  PROC_SUPER_MAGIC: magic.PROC_SUPER_MAGIC,
  SYSFS_MAGIC: magic.SYSFS_MAGIC,
  TMPFS_MAGIC: magic.TMPFS_MAGIC,
  DEVPTS_SUPER_MAGIC: magic.DEVPTS_SUPER_MAGIC,
  CGROUP_SUPER_MAGIC: magic.CGROUP_SUPER_MAGIC,
  CGROUP2_SUPER_MAGIC: magic.CGROUP2_SUPER_MAGIC,
  NSFS_MAGIC: magic.NSFS_MAGIC,
  OVERLAYFS_SUPER_MAGIC: magic.OVERLAYFS_SUPER_MAGIC,
  SELINUX_MAGIC: magic.SELINUX_MAGIC,
};
