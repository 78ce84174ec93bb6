import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Arg } from "./arg.ts";
import { objectOf, operationOf, showArguments, showResult } from "./calls.ts";
import { cstr } from "./cstring.ts";
import type { SyscallName } from "./numbers.ts";
import { stringArray } from "./process.ts";
import { Struct } from "./struct.ts";
import { encodeUtf8 } from "./utf8.ts";

const calls = suite("calls");

/** The arguments as the trace shows them; with a result, those that the kernel fills as well. */
const shown = (name: SyscallName, args: readonly Arg[], result = 0): string =>
  showArguments(name, args, result).join(", ");

const howToOpen = new Struct(24).u64(0, 0x280000).u64(8, 0).u64(16, 0x18).bytes;
const attributes = new Struct(32).u64(0, 0x100001).u64(8, 0x70).u64(16, 0x80000).bytes;
const cloneArgs = new Struct(88).u64(0, 0x20001000).u64(32, 17).bytes;
const abstract = new Struct(6).u16(0, 1).bytes;
abstract.set(encodeUtf8("\0abc"), 2);
const atPath = new Struct(7).u16(0, 1).bytes;
atPath.set(encodeUtf8("/run\0"), 2);
const capabilities = new Struct(24).u32(0, 3).u32(4, 0xffffffff).u32(16, 0x1ff).bytes;
const childEnded = new Struct(128).i32(0, 17).i32(8, 2).i32(16, 7).i32(24, 9).bytes;
const polled = new Int32Array([-1, 1 | (0x20 << 16), -100, 5]);
const message = new Struct(56).bytes;
const argv = stringArray(["sh", "-c", "a b"]);

const cases: readonly (readonly [SyscallName, readonly Arg[], string])[] = [
  ["openat", [-100, cstr("/x"), 0x80000, 0], 'AT_FDCWD, "/x", O_RDONLY|O_CLOEXEC, 0'],
  ["openat", [-100, cstr("/x"), 0x280000, 0], 'AT_FDCWD, "/x", O_CLOEXEC|O_PATH, 0'],
  ["openat", [-1, cstr("a\nb"), 0x241, 0o644], '-1, "a\\nb", O_WRONLY|O_CREAT|O_TRUNC, 0644'],
  [
    "openat2",
    [-100, cstr("x"), howToOpen, 24],
    'AT_FDCWD, "x", {flags=O_CLOEXEC|O_PATH, resolve=RESOLVE_BENEATH|RESOLVE_IN_ROOT}, 24',
  ],
  ["mknodat", [-1, cstr("null"), 0o20666, 0x103n], '-1, "null", S_IFCHR|0666, 1:3'],
  ["unlinkat", [-100, cstr("d"), 0x200], 'AT_FDCWD, "d", AT_REMOVEDIR'],
  ["faccessat2", [-100, cstr("x"), 1, 0x200], 'AT_FDCWD, "x", X_OK, AT_EACCESS'],
  ["write", [-1, encodeUtf8("100\n"), 4], '-1, "100\\n", 4'],
  ["write", [-1, encodeUtf8("x".repeat(70)), 70], `-1, "${"x".repeat(64)}"..., 70`],
  ["write", [-1, new Uint8Array([0, 1]), 2], "-1, [2 bytes], 2"],
  ["fcntl", [-1, 1], "-1, F_GETFD"],
  ["fcntl", [-1, 2, 1], "-1, F_SETFD, FD_CLOEXEC"],
  ["fcntl", [-1, 0x409, 0xe], "-1, F_ADD_SEALS, F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_WRITE"],
  ["flock", [-1, 6], "-1, LOCK_EX|LOCK_NB"],
  [
    "ppoll",
    [polled, 2, new BigInt64Array([1n, 5n]), null, 0],
    "[{fd=-1, events=POLLIN, revents=POLLNVAL}, {fd=AT_FDCWD, events=POLLIN|POLLOUT}], 2, 1.000000005s, NULL, 0",
  ],
  ["mount", [cstr("/a"), cstr("/b"), cstr(""), 0x5000, null], '"/a", "/b", "", MS_BIND|MS_REC, NULL'],
  ["mount", [cstr(""), cstr("/"), cstr(""), 0x80000000, null], '"", "/", "", 0x80000000, NULL'],
  ["umount2", [cstr("/a"), 0xa], '"/a", MNT_DETACH|UMOUNT_NOFOLLOW'],
  [
    "mount_setattr",
    [-1, cstr(""), 0x9000, attributes, 32],
    '-1, "", AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_IDMAP, attr_clr=MOUNT_ATTR__ATIME, propagation=MS_SLAVE}, 32',
  ],
  ["fsconfig", [-1, 1, cstr("size"), cstr("1k"), 0], '-1, FSCONFIG_SET_STRING, "size", "1k", 0'],
  ["clone3", [cloneArgs, 88], "{flags=CLONE_PIDFD|CLONE_NEWPID, exit_signal=SIGCHLD}, 88"],
  ["unshare", [0x24020000], "CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWPID"],
  ["kill", [-7, 15], "-7, SIGTERM"],
  ["kill", [7, 40], "7, 40"],
  [
    "execve",
    [cstr("/bin/sh"), argv.pointers, stringArray(["SECRET=1"]).pointers],
    '"/bin/sh", ["sh", "-c", "a b"], [1 variables]',
  ],
  [
    "waitid",
    [1, 7, childEnded, 4, null],
    "P_PID, 7, {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=7, si_status=9}, WEXITED, NULL",
  ],
  ["prctl", [1, 9, 0, 0, 0], "PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0"],
  ["prctl", [47, 2, 21, 0, 0], "PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0"],
  ["prctl", [24, 40, 0, 0, 0], "PR_CAPBSET_DROP, CAP_CHECKPOINT_RESTORE, 0, 0, 0"],
  [
    "capset",
    [new Uint8Array(8), capabilities],
    "[8 bytes], {effective=CAP_CHOWN|CAP_DAC_OVERRIDE, permitted=all, inheritable=0}",
  ],
  ["rt_sigprocmask", [0, new BigUint64Array([0x4100n]), null, 8], "SIG_BLOCK, [KILL TERM], NULL, 8"],
  ["rt_sigprocmask", [2, new BigUint64Array([0xffffffffffffffffn]), null, 8], "SIG_SETMASK, ~[], NULL, 8"],
  [
    "rt_sigtimedwait",
    [new BigUint64Array([0x4000n]), null, new BigInt64Array([0n, 0n]), 8],
    "[TERM], NULL, 0.000000000s, 8",
  ],
  [
    "rt_sigaction",
    [13, new BigUint64Array([1n, 0n, 0n, 0n]), null, 8],
    "SIGPIPE, {sa_handler=SIG_IGN}, NULL, 8",
  ],
  [
    "prlimit64",
    [0, 7, new BigUint64Array([1024n, 0xffffffffffffffffn]), null],
    "0, RLIMIT_NOFILE, {rlim_cur=1024, rlim_max=RLIM_INFINITY}, NULL",
  ],
  ["sched_setaffinity", [0, 8, new BigUint64Array([0x10fn])], "0, 8, [0-3,8]"],
  ["ioprio_set", [1, 0, 0x4003], "1, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 3)"],
  ["set_mempolicy", [0x4003, new BigUint64Array([1n]), 65], "MPOL_INTERLEAVE|MPOL_F_RELATIVE_NODES, [0], 65"],
  ["socket", [1, 0x80005, 0], "AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0"],
  ["connect", [-1, atPath, 7], '-1, {sun_family=AF_UNIX, sun_path="/run"}, 7'],
  ["connect", [-1, abstract, 6], '-1, {sun_family=AF_UNIX, sun_path="@abc"}, 6'],
  ["sendmsg", [-1, message, 0x4000], "-1, [56 bytes], MSG_NOSIGNAL"],
  ["setsockopt", [-1, 1, 7, new Int32Array([4096]), 4], "-1, SOL_SOCKET, SO_SNDBUF, [4096], 4"],
  [
    "ioctl",
    [-1, 0x5414, new Struct(8).u16(0, 24).u16(2, 80).bytes],
    "-1, TIOCSWINSZ, {ws_row=24, ws_col=80}",
  ],
  [
    "bpf",
    [8, new Struct(128).u32(8, 6).u32(12, 6).bytes, 16],
    "BPF_PROG_ATTACH, {attach_type=BPF_CGROUP_DEVICE, attach_flags=BPF_F_ALLOW_MULTI|BPF_F_REPLACE}, 16",
  ],
  [
    "seccomp",
    [1, 10, new Struct(16).u16(0, 12).bytes],
    "SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG|SECCOMP_FILTER_FLAG_NEW_LISTENER, [12 instructions]",
  ],
  ["keyctl", [5, 99, 0x3f1b0000], "KEYCTL_SETPERM, 99, 0x3f1b0000"],
  ["setgroups", [2, new Uint32Array([5, 6])], "2, [5, 6]"],
];

for (const [name, args, text] of cases) calls(`${name}: ${text}`, () => assert.is(shown(name, args), text));

calls("what the kernel fills is shown after the call, as far as it filled it", () => {
  const buffer = encodeUtf8("abcdef");
  assert.is(showArguments("read", [-1, buffer, 6])[1], "");
  assert.is(shown("read", [-1, buffer, 6], 2), '-1, "ab", 6');
  assert.is(shown("read", [-1, buffer, 6], -11), "-1, [6 bytes], 6");
  assert.is(shown("pipe2", [new Int32Array([-1, -1]), 0x80000], 0), "[-1, -1], O_CLOEXEC");
  assert.is(
    shown("waitid", [0, 0, new Struct(128).bytes, 4, null], -10),
    "P_ALL, 0, [128 bytes], WEXITED, NULL",
  );
});

calls("a result that is a mode or a number", () => {
  assert.is(showResult("umask", [0], 0o22), "022");
  assert.is(showResult("getpid", [], 7), "7");
});

const words: readonly (readonly [SyscallName, readonly Arg[], string])[] = [
  ["openat", [-100, cstr("/x"), 0, 0], "open /x"],
  ["renameat", [-100, cstr("a"), -100, cstr("b")], "rename b"],
  ["symlinkat", [cstr("to"), -100, cstr("b")], "symlink b"],
  ["unlinkat", [-100, cstr("a"), 0], "unlink a"],
  ["unlinkat", [-100, cstr("a"), 0x200], "rmdir a"],
  ["mount", [cstr("proc"), cstr("/proc"), cstr("proc"), 0, null], "mount /proc"],
  ["read", [-1, new Uint8Array(1), 1], "read fd -1"],
  ["fcntl", [-1, 0x409, 2], "seal fd -1"],
  ["fcntl", [-1, 1], "fcntl fd -1"],
  ["dup3", [-1, 4, 0], "dup fd -1 to 4"],
  ["ioctl", [-1, 0x5401, null], "read terminal settings fd -1"],
  ["prctl", [38, 1, 0, 0, 0], "prctl PR_SET_NO_NEW_PRIVS"],
  ["personality", [8], "personality PER_LINUX32"],
  ["unshare", [0x20000], "unshare CLONE_NEWNS"],
  ["setresuid", [7, 7, 7], "setresuid uid 7"],
  ["setgroups", [2, new Uint32Array([5, 6])], "setgroups 5,6"],
  ["waitid", [0, 0, null, 4, null], "waitid any child"],
  ["waitid", [1, 7, null, 4, null], "waitid pid 7"],
  ["prlimit64", [0, 7, null, null], "prlimit64 RLIMIT_NOFILE"],
  ["pidfd_getfd", [-1, 5, 0], "pidfd_getfd fd 5 of fd -1"],
  ["sethostname", [encodeUtf8("box"), 3], "sethostname box"],
  ["ioprio_set", [1, 0, 0x4003], "ioprio_set class 2, priority 3"],
  ["keyctl", [6, 99, null, 0], "keyctl key 99"],
  ["getpid", [], "getpid"],
];

for (const [name, args, text] of words)
  calls(`errors say "${text}"`, () => {
    assert.is(`${operationOf(name, args)} ${objectOf(name, args)}`.trim(), text);
  });

calls.run();
