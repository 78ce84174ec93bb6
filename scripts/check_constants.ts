/**
 * Compares what syscalls/ says of the kernel with the headers of this machine: every constant that the files of
 * syscalls/constants/ export, the system call numbers of both architectures, and the sizes and offsets of structs.
 * A C compiler does the comparing; where there is none, or a header is too old for a name, that is said and counted.
 *
 * `bun run scripts/check_constants.ts` prints what differs and fails; check_constants.test.ts does so in `npm test`.
 */
import "../conformance/bun_host.ts";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errnoName } from "../syscalls/constants/errno.ts";
import { LAYOUTS } from "../syscalls/layouts.ts";
import { numbers as arm64 } from "../syscalls/numbers_arm64.ts";
import { numbers as x64 } from "../syscalls/numbers_x64.ts";

/** One thing to ask the compiler: an expression in C, and what we believe it to be. */
export type Fact = { readonly expression: string; readonly value: bigint; readonly where: string };

/** A set of headers that can be included together. */
export type Headers = { readonly prologue?: string; readonly names: readonly string[] };

export type Report = {
  readonly compared: number;
  readonly differences: readonly string[];
  /** What no header of this machine knows. */
  readonly unknown: readonly string[];
};

/**
 * The C library's headers and the kernel's contradict each other when they meet in one file, so each set is asked
 * for all; who knows a name must agree.
 */
const sets: readonly Headers[] = [
  {
    names:
      "errno.h fcntl.h poll.h sched.h signal.h termios.h net/if.h sys/epoll.h sys/eventfd.h sys/file.h sys/inotify.h sys/ioctl.h sys/mman.h sys/mount.h sys/personality.h sys/prctl.h sys/random.h sys/resource.h sys/signalfd.h sys/socket.h sys/stat.h sys/statvfs.h sys/timerfd.h sys/un.h sys/wait.h sys/xattr.h unistd.h netinet/in.h dirent.h"
        .split(" ")
        .filter((name) => name !== ""),
  },
  {
    names:
      "linux/audit.h linux/bpf.h linux/capability.h linux/close_range.h linux/cn_proc.h linux/errno.h linux/fcntl.h linux/filter.h linux/fs.h  linux/ioprio.h linux/keyctl.h linux/landlock.h linux/magic.h linux/major.h linux/memfd.h linux/mempolicy.h linux/mman.h linux/mount.h linux/netlink.h linux/nsfs.h linux/openat2.h linux/personality.h linux/pidfd.h linux/poll.h linux/prctl.h linux/rtnetlink.h linux/sched.h linux/sched/types.h linux/seccomp.h linux/securebits.h linux/signalfd.h linux/sockios.h linux/stat.h linux/types.h linux/un.h linux/vt.h linux/wait.h linux/xattr.h asm/ioctls.h asm/termbits.h asm/socket.h asm/unistd.h"
        .split(" ")
        .filter((name) => name !== ""),
  },
];

/** The compiler's command, or undefined when there is none. */
export function findCompiler(): string | undefined {
  return [process.env.CC, "cc", "gcc", "clang"].find(
    (name) => name !== undefined && name !== "" && spawnSync(name, ["--version"]).status === 0,
  );
}

/** Every number that a file of syscalls/constants/ exports under a name of the headers, and every errno. */
export async function exportedConstants(): Promise<Fact[]> {
  const folder = join(import.meta.dirname, "../syscalls/constants");
  const facts: Fact[] = [];
  for (const file of readdirSync(folder).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
  )) {
    const exported = (await import(join(folder, file))) as Readonly<Record<string, unknown>>;
    for (const [name, value] of Object.entries(exported))
      if (/^[A-Z_][A-Z0-9_]*$/.test(name) && (typeof value === "number" || typeof value === "bigint"))
        facts.push({ expression: name, value: BigInt(value), where: `constants/${file}` });
  }
  for (let errno = 1; errno < 134; errno++) {
    const name = errnoName(errno);
    if (/^E[A-Z0-9]+$/.test(name)) facts.push({ expression: name, value: BigInt(errno), where: "errnoName" });
  }
  return facts;
}

/** The families of names (syscalls/names/) by the prefix that each is called after. */
export async function families(): Promise<Map<string, Readonly<Record<string, number>>>> {
  const folder = join(import.meta.dirname, "../syscalls/names");
  const found = new Map<string, Readonly<Record<string, number>>>();
  for (const file of readdirSync(folder))
    for (const [prefix, names] of Object.entries((await import(join(folder, file))) as object))
      found.set(prefix, names as Readonly<Record<string, number>>);
  return found;
}

const numberFacts = (table: Readonly<Record<string, number>>, where: string): Fact[] =>
  Object.entries(table).map(([name, value]) => ({ expression: `__NR_${name}`, value: BigInt(value), where }));

/** Asks every set of headers; a fact that no set knows is unknown, one that any set denies is a difference. */
export function check(compiler: string, facts: readonly Fact[], headers: readonly Headers[]): Report {
  const known = new Set<Fact>();
  const differences: string[] = [];
  for (const set of headers) {
    const answers = ask(compiler, facts, set);
    for (const [fact, answer] of answers) {
      known.add(fact);
      if (BigInt.asUintN(64, fact.value) !== answer && BigInt.asUintN(32, fact.value) !== answer)
        differences.push(`${fact.where}: ${fact.expression} is ${fact.value}, the headers say ${answer}`);
    }
  }
  const unknown = facts.filter((fact) => !known.has(fact)).map(({ expression }) => expression);
  return { compared: known.size, differences: [...new Set(differences)], unknown };
}

/** The facts that these headers know, with what they say. Compiles until nothing undeclared is left in the file. */
function ask(compiler: string, facts: readonly Fact[], headers: Headers): Map<Fact, bigint> {
  const dir = mkdtempSync(join(tmpdir(), "constants-"));
  try {
    let left = [...facts];
    for (let tries = 0; tries < 10; tries++) {
      writeFileSync(join(dir, "facts.c"), source(left, headers));
      const { status, stderr } = spawnSync(
        compiler,
        ["-w", "-O0", "-o", join(dir, "facts"), join(dir, "facts.c")],
        { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } },
      );
      if (status === 0) return answersOf(spawnSync(join(dir, "facts"), { encoding: "utf8" }).stdout, left);
      // Each line of main stands on a line of its own, whose number is that of its fact.
      const bad = new Set(
        [...stderr.matchAll(/^[^:\n]*facts\.c:1(\d{5}):\d+: error:/gm)].map(([, n]) => Number(n)),
      );
      if (bad.size === 0) throw new Error(`the compiler says: ${stderr}`);
      left = left.filter((_, i) => !bad.has(i));
    }
    throw new Error("the compiler refuses more at each try");
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function source(facts: readonly Fact[], { prologue = "", names }: Headers): string {
  const includes = names.map((name) => `#if __has_include(<${name}>)\n#include <${name}>\n#endif`);
  const lines = facts.map(
    ({ expression }, i) =>
      `#line ${100000 + i} "facts.c"\nprintf("%d %llu\\n", ${i}, (unsigned long long)(${expression}));`,
  );
  return `#define _GNU_SOURCE\n${prologue}\n#include <stddef.h>\n${includes.join("\n")}\nint printf(const char *, ...);\nint main(void) {\n${lines.join("\n")}\nreturn 0;\n}\n`;
}

function answersOf(output: string, facts: readonly Fact[]): Map<Fact, bigint> {
  const answers = new Map<Fact, bigint>();
  for (const line of output.split("\n")) {
    const [i, answer] = line.split(" ");
    const fact = facts[Number(i)];
    if (fact !== undefined && answer !== undefined) answers.set(fact, BigInt(answer));
  }
  return answers;
}

/** As asm/unistd.h of arm64 asks for the generic numbers. */
const arm64Headers: Headers = {
  prologue: [
    "#define __BITS_PER_LONG 64",
    ..."RENAMEAT NEW_STAT SET_GET_RLIMIT TIME32_SYSCALLS SYS_CLONE3 MEMFD_SECRET"
      .split(" ")
      .map((name) => `#define __ARCH_WANT_${name}`),
  ].join("\n"),
  names: ["asm-generic/unistd.h"],
};

/** Struct sizes and offsets as syscalls/*.ts write them: the header's name of each, and the number there. */
const structs: readonly (readonly [
  headers: string,
  name: string,
  size: number | undefined,
  fields: Readonly<Record<string, number>>,
  where: string,
])[] = [
  [
    "linux/sched.h",
    "struct clone_args",
    88,
    { flags: 0, pidfd: 8, exit_signal: 32, cgroup: 80 },
    "process.ts clone3",
  ],
  [
    "linux/stat.h",
    "struct statx",
    256,
    {
      stx_uid: 20,
      stx_gid: 24,
      stx_mode: 28,
      stx_ino: 32,
      stx_size: 40,
      "stx_ctime.tv_sec": 96,
      "stx_mtime.tv_sec": 112,
      "stx_mtime.tv_nsec": 120,
      stx_rdev_major: 128,
      stx_rdev_minor: 132,
      stx_dev_major: 136,
      stx_dev_minor: 140,
      stx_mnt_id: 144,
    },
    "stat.ts statx",
  ],
  ["asm/statfs.h", "struct statfs", 120, { f_type: 0, f_flags: 80 }, "stat.ts fstatfs"],
  [
    "dirent.h",
    "struct dirent64",
    undefined,
    { d_reclen: 16, d_type: 18, d_name: 19 },
    "directory.ts readDirectory",
  ],
  ["poll.h", "struct pollfd", 8, { fd: 0, events: 4, revents: 6 }, "poll.ts poll"],
  [
    "sys/socket.h",
    "struct msghdr",
    56,
    { msg_iov: 16, msg_iovlen: 24, msg_control: 32, msg_controllen: 40 },
    "socket.ts messageHeader",
  ],
  [
    "sys/socket.h",
    "struct cmsghdr",
    16,
    { cmsg_len: 0, cmsg_level: 8, cmsg_type: 12 },
    "socket.ts sendMessage",
  ],
  ["sys/uio.h", "struct iovec", 16, { iov_base: 0, iov_len: 8 }, "socket.ts messageHeader"],
  ["sys/un.h", "struct sockaddr_un", 110, { sun_family: 0, sun_path: 2 }, "socket.ts connectUnix"],
  ["net/if.h", "struct ifreq", 40, { ifr_name: 0, ifr_flags: 16 }, "socket.ts interfaceUp"],
  [
    "asm/termbits.h",
    "struct termios",
    36,
    {
      c_iflag: 0,
      c_oflag: 4,
      c_cflag: 8,
      c_lflag: 12,
      c_cc: 17,
      "c_cc[VTIME]": 17 + 5,
      "c_cc[VMIN]": 17 + 6,
    },
    "tty.ts rawTermios",
  ],
  [
    "linux/capability.h",
    "struct __user_cap_data_struct",
    12,
    { effective: 0, permitted: 4, inheritable: 8 },
    "capability.ts capset",
  ],
  [
    "linux/bpf.h",
    "union bpf_attr",
    undefined,
    {
      prog_type: 0,
      insn_cnt: 4,
      insns: 8,
      license: 16,
      log_level: 24,
      log_size: 28,
      log_buf: 32,
      prog_name: 48,
      target_fd: 0,
      attach_bpf_fd: 4,
      attach_type: 8,
      attach_flags: 12,
      replace_bpf_fd: 16,
      "query.target_fd": 0,
      "query.attach_type": 4,
      "query.prog_ids": 16,
      "query.prog_cnt": 24,
      prog_id: 0,
    },
    "bpf.ts",
  ],
  ["linux/bpf.h", "struct bpf_insn", 8, { code: 0, off: 2, imm: 4 }, "plan/cgroup/device_program.ts"],
  [
    "linux/bpf.h",
    "struct bpf_cgroup_dev_ctx",
    12,
    { access_type: 0, major: 4, minor: 8 },
    "plan/cgroup/device_program.ts",
  ],
];

/** Numbers that are written out in syscalls/*.ts, with the expression that they stand for. */
const inline: readonly (readonly [headers: string, expression: string, value: number, where: string])[] = [
  ["sys/socket.h", "CMSG_SPACE(sizeof(int))", 24, "socket.ts sendMessage"],
  ["sys/socket.h", "CMSG_LEN(sizeof(int))", 20, "socket.ts sendMessage"],
  ["linux/capability.h", "_LINUX_CAPABILITY_VERSION_3", 0x20080522, "capability.ts"],
  ["signal.h", "SIGCHLD", 17, "process.ts clone3"],
  ["linux/sched.h", "CLONE_PIDFD", 0x1000, "process.ts clone3"],
  ["linux/sched.h", "CLONE_INTO_CGROUP", 0x200000000, "process.ts clone3"],
  ["asm/termbits.h", "IGNBRK|BRKINT|PARMRK|ISTRIP|INLCR|IGNCR|ICRNL|IXON", 0x5eb, "tty.ts rawTermios"],
  ["asm/termbits.h", "OPOST", 0x1, "tty.ts rawTermios"],
  ["asm/termbits.h", "ONLCR", 0x4, "tty.ts withoutReturns"],
  ["asm/termbits.h", "CSIZE|PARENB", 0x130, "tty.ts rawTermios"],
  ["asm/termbits.h", "CS8", 0x30, "tty.ts rawTermios"],
  ["asm/termbits.h", "ECHO|ECHONL|ICANON|ISIG|IEXTEN", 0x804b, "tty.ts rawTermios"],
];

/** Asks for the structs header by header, as headers of different worlds define some of them twice. */
function checkStructs(compiler: string): Report {
  const byHeader = new Map<string, Fact[]>();
  const add = (headers: string, expression: string, value: number, where: string): void => {
    const fact = { expression, value: BigInt(value), where };
    byHeader.set(headers, [...(byHeader.get(headers) ?? []), fact]);
  };
  for (const [headers, name, size, fields, where] of structs) {
    if (size !== undefined) add(headers, `sizeof(${name})`, size, where);
    // siginfo_t's fields are macros, which offsetof takes as members of its union.
    for (const [field, offset] of Object.entries(fields))
      add(headers, `offsetof(${name}, ${field})`, offset, where);
  }
  for (const { header, name, size, members } of LAYOUTS) {
    if (size !== undefined) add(header, `sizeof(${name})`, size, "layouts.ts");
    for (const [member, offset] of members) add(header, `offsetof(${name}, ${member})`, offset, "layouts.ts");
  }
  for (const item of inline) add(...item);
  return sum(
    [...byHeader].map(([names, facts]) => check(compiler, facts, [{ names: ["linux/types.h", names] }])),
  );
}

const sum = (reports: readonly Report[]): Report => ({
  compared: reports.reduce((total, report) => total + report.compared, 0),
  differences: reports.flatMap((report) => report.differences),
  unknown: reports.flatMap((report) => report.unknown),
});

/** Constants, numbers and structs. */
export async function checkAll(compiler: string): Promise<Readonly<Record<string, Report>>> {
  const facts = await exportedConstants();
  return {
    constants: check(compiler, facts, sets),
    ...(process.arch === "x64"
      ? {
          "numbers of x64": check(compiler, numberFacts(x64, "numbers_x64.ts"), [
            { names: ["asm/unistd.h"] },
          ]),
        }
      : {}),
    ...(existsSync("/usr/include/asm-generic/unistd.h")
      ? { "numbers of arm64": check(compiler, numberFacts(arm64, "numbers_arm64.ts"), [arm64Headers]) }
      : {}),
    structs: checkStructs(compiler),
  };
}

if (import.meta.main) {
  const compiler = findCompiler();
  if (compiler === undefined) console.log("skip: check_constants: there is no C compiler");
  else
    for (const [title, { compared, differences, unknown }] of Object.entries(await checkAll(compiler))) {
      const rest = unknown.length === 0 ? "" : `, ${unknown.length} unknown here: ${unknown.join(" ")}`;
      console.log(`${title}: ${compared} compared${rest}`);
      for (const difference of differences) console.log(`  ${difference}`);
      if (differences.length > 0) process.exitCode = 1;
    }
}
