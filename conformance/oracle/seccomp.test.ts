// Single system calls under profiles, by runt and by runc: what comes of each must be the same, to the errno and
// the signal. And the whole of a container under a profile, since loading one moves other steps.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { runCommand } from "../command.ts";
import { conformance } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { engineProfile } from "../seccomp_profile.ts";
import { type Seccomp, shell } from "../spec.ts";
import { writeSystemCall } from "../system_call.ts";
import { oracleSuite, runcPath } from "./compare.ts";

const calls = conformance("oracle: system calls");

const X32 = 0x40000000n;
const U64 = 0xffffffffffffffffn;

/** Numbers of x86_64 with arguments. The statuses are of the call itself where a filter lets it happen. */
const tried: readonly (readonly [name: string, number: bigint, args?: readonly bigint[]])[] = [
  ["getsid", 124n],
  ["getpgid", 121n],
  ["mkdir", 83n],
  ["close99", 3n, [99n]],
  ["fsync5", 74n, [5n]],
  ["fsync6", 74n, [6n]],
  ["fsyncmax", 74n, [U64]],
  ["fsync53", 74n, [0x20000000000063n]],
  ["fsync54", 74n, [0x20000000000062n]],
  ["flock-5-6", 73n, [5n, 6n]],
  ["flock-5-7", 73n, [5n, 7n]],
  ["syncfs-high", 306n, [99n, 0x100000005n]],
  ["personality", 135n, [0x1234n]],
  ["personality0", 135n, [U64]],
  ["new", 500n],
  ["newer", 9999n],
  ["highest", X32 - 1n],
  ["x32getpid", X32 + 39n],
  ["x32new", X32 + 5000n],
  ["minusone", U64],
  ["minusone32", 0xffffffffn],
];

const base = ["execve", "exit_group", "exit", "brk", "read", "write", "fork", "vfork", "clone", "wait4"];

/** Allows enough for the shell, plus what is given. */
const allowing = (
  more: Seccomp["syscalls"] = [],
  defaults: Pick<Seccomp, "defaultAction" | "defaultErrnoRet"> = { defaultAction: "SCMP_ACT_ERRNO" },
): Seccomp => ({
  ...defaults,
  architectures: engineProfile().architectures ?? [],
  syscalls: [
    {
      names: (engineProfile().syscalls?.[0]?.names ?? []).filter(
        (name) => !["fsync", "flock", "syncfs", "mkdir", "getpgid"].includes(name),
      ),
      action: "SCMP_ACT_ALLOW",
    },
    { names: ["clone"], action: "SCMP_ACT_ALLOW" },
    ...more,
  ],
});

const arg = (index: number, op: string, value: number | bigint, valueTwo?: number | bigint) => ({
  index,
  op: `SCMP_CMP_${op}`,
  value,
  ...(valueTwo === undefined ? {} : { valueTwo }),
});
type Args = NonNullable<NonNullable<Seccomp["syscalls"]>[number]["args"]>;
const sync = (...args: Args) => [{ names: ["fsync", "flock", "syncfs"], action: "SCMP_ACT_ALLOW", args }];

const { architectures = [] } = engineProfile();

const profiles: Readonly<Record<string, Seccomp>> = {
  "as engines have it": engineProfile(),
  "no architectures given": { ...engineProfile(), architectures: [] },
  "x86_64 only": { ...engineProfile(), architectures: ["SCMP_ARCH_X86_64"] },
  "x86_64 and x86": { ...engineProfile(), architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"] },
  "x32 without x86_64": { ...engineProfile(), architectures: ["SCMP_ARCH_X32"] },
  "x86 first": {
    ...engineProfile(),
    architectures: ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_X86_64"],
  },
  "default ENOSYS": { ...engineProfile(), defaultErrnoRet: 38 },
  "default errno 7": { ...engineProfile(), defaultErrnoRet: 7 },
  "default kill": allowing([], { defaultAction: "SCMP_ACT_KILL_PROCESS" }),
  "default kill thread": allowing([], { defaultAction: "SCMP_ACT_KILL" }),
  "default trap": allowing([], { defaultAction: "SCMP_ACT_TRAP" }),
  "default log": allowing([], { defaultAction: "SCMP_ACT_LOG" }),
  "default trace": allowing([], { defaultAction: "SCMP_ACT_TRACE" }),
  "all allowed": { defaultAction: "SCMP_ACT_ALLOW", architectures },
  "deny list": {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures,
    syscalls: [
      { names: ["mkdir"], action: "SCMP_ACT_ERRNO" },
      { names: ["getpgid"], action: "SCMP_ACT_ERRNO", errnoRet: 11 },
      { names: ["flock"], action: "SCMP_ACT_KILL_PROCESS" },
      { names: ["getsid"], action: "SCMP_ACT_TRAP" },
      { names: ["fsync"], action: "SCMP_ACT_ERRNO", errnoRet: 0 },
      { names: ["syncfs"], action: "SCMP_ACT_TRACE", errnoRet: 4 },
    ],
  },
  "args EQ": allowing(sync(arg(0, "EQ", 5))),
  "args NE": allowing(sync(arg(0, "NE", 5))),
  "args LT": allowing(sync(arg(0, "LT", 6))),
  "args LE": allowing(sync(arg(0, "LE", 6))),
  "args GE": allowing(sync(arg(0, "GE", 6))),
  "args GT": allowing(sync(arg(0, "GT", 6))),
  "args MASKED_EQ": allowing(sync(arg(0, "MASKED_EQ", 3, 1))),
  "args MASKED_EQ, high": allowing(sync(arg(1, "MASKED_EQ", 0xffffffff00000000n, 0x100000000n))),
  "args 2^64-1": allowing(sync(arg(0, "EQ", U64))),
  "args 2^53+99": allowing(sync(arg(0, "EQ", 0x20000000000063n))),
  "args two, of two arguments": allowing(sync(arg(0, "EQ", 5), arg(1, "EQ", 6))),
  "args two, of one argument": allowing(sync(arg(0, "EQ", 5), arg(0, "EQ", 6))),
  "args three, of two arguments": allowing(sync(arg(0, "EQ", 5), arg(0, "EQ", 6), arg(1, "EQ", 7))),
  "a rule with conditions before one without": allowing([
    ...sync(arg(0, "EQ", 5)),
    { names: ["fsync"], action: "SCMP_ACT_ALLOW" },
  ]),
  "rules that contradict": {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures,
    syscalls: [
      { names: ["fsync"], action: "SCMP_ACT_ERRNO", errnoRet: 5, args: [arg(0, "EQ", 5)] },
      { names: ["fsync"], action: "SCMP_ACT_ERRNO", errnoRet: 6, args: [arg(0, "GE", 5)] },
      { names: ["flock"], action: "SCMP_ACT_ERRNO", errnoRet: 7 },
      { names: ["flock"], action: "SCMP_ACT_ERRNO", errnoRet: 7 },
    ],
  },
  "a rule that equals the default, of the newest call": {
    ...engineProfile(),
    syscalls: [
      ...(engineProfile().syscalls ?? []),
      { names: ["futex_waitv"], action: "SCMP_ACT_ERRNO", errnoRet: 1 },
    ],
  },
  "few names": {
    defaultAction: "SCMP_ACT_ERRNO",
    architectures,
    syscalls: [
      {
        names: [...base, ...(engineProfile().syscalls?.[0]?.names ?? []).slice(0, 300)],
        action: "SCMP_ACT_ALLOW",
      },
    ],
  },
};

const outcomes = async (runtime: string, root: string, bundle: string, id: string): Promise<string> => {
  const result = await runCommand([runtime, "--root", root, "run", "--bundle", bundle, id], {
    timeoutSeconds: 5,
  });
  return `${result.stdout}exit ${result.status}`;
};

for (const [title, profile] of Object.entries(profiles))
  calls(
    title,
    async (c) => {
      if (process.arch !== "x64") return;
      mkdirSync(join(c.rootfs, "calls"));
      for (const [name, number, args] of tried) writeSystemCall(join(c.rootfs, "calls", name), number, args);
      const each = tried.map(([name]) => `/calls/${name}; echo ${name} $?`).join("\n");
      c.configure((spec) => {
        spec.linux.seccomp = profile;
        shell(spec, `exec 2>/dev/null\n${each}\ngrep -i seccomp /proc/self/status`);
      });
      const ours = await outcomes(runtimePath, c.root, c.bundle, c.id);
      const theirs = await outcomes(runcPath(), join(c.dir, "oracle-state"), c.bundle, c.id);
      if (profile.architectures?.includes("SCMP_ARCH_X86_64")) assert.is(ours, theirs);
      else {
        // runc 1.1 knows a newest call only for architectures that the profile names; later ones add the native one.
        const newer = /^(new|newer|highest) (\d+)\n/gm;
        assert.equal(
          [...ours.matchAll(newer)].map((match) => match[2]),
          ["38", "38", "38"],
        );
        assert.is(ours.replace(newer, ""), theirs.replace(newer, ""));
      }
      assert.match(ours, /^minusone32 \d+$/m);
    },
    { needs: ["runc"] },
  );

calls.run();

const none = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
const two = ["CAP_CHOWN", "CAP_KILL"];
const five = { bounding: two, effective: two, permitted: two, inheritable: two, ambient: two };

const dumpable = {
  lines: [/^descriptors: runt '\/proc\/1\/fd\//],
  why:
    "an execve that adds to the permitted set leaves a process that is not dumpable; runt's init has CAP_SYS_ADMIN " +
    "until then, to load the filter, so that it is not added",
};

oracleSuite(
  "oracle: seccomp and identity",
  [true, false]
    .flatMap((noNewPrivileges) =>
      [0, 1000].flatMap((uid) =>
        [
          { name: "the default capabilities" },
          { name: "no capabilities", capabilities: none },
          { name: "two in all sets", capabilities: five },
          { name: "SYS_ADMIN bounding only", capabilities: { ...none, bounding: ["CAP_SYS_ADMIN"] } },
        ].map(({ name, capabilities }) => ({
          title: `user ${uid}, ${name}, noNewPrivileges ${noNewPrivileges}`,
          noNewPrivileges,
          uid,
          capabilities,
          accepts: uid === 0 && !noNewPrivileges && name.startsWith("SYS_ADMIN") ? dumpable : undefined,
        })),
      ),
    )
    .map(({ title, noNewPrivileges, uid, capabilities, accepts }) => ({
      title,
      edit: (spec) => {
        spec.process.noNewPrivileges = noNewPrivileges;
        spec.process.user = { uid, gid: uid };
        if (capabilities !== undefined) spec.process.capabilities = capabilities;
        spec.linux.seccomp = engineProfile();
      },
      shows: [{ section: "status", line: /^Seccomp:\t2$/ }],
      ...(accepts === undefined ? {} : { accepts }),
    })),
);
