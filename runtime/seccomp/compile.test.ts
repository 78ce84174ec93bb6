import { suite } from "uvu";
import * as assert from "uvu/assert";
import { engineProfile } from "../../conformance/seccomp_profile.ts";
import { host } from "../../syscalls/engine/host.ts";
import { makeFilter, NameTable, resolveNames } from "../../syscalls/libseccomp.ts";
import type { LinuxSeccomp, LinuxSeccompArg, LinuxSyscall } from "../config/types.ts";
import { runFilter } from "../plan/seccomp/classic_bpf_fixture.ts";
import { planSeccompProgram } from "../plan/seccomp/filter.ts";
import { compileProgram } from "./compile.ts";

const X86_64 = 0xc000003e;
const X86 = 0x40000003;
const X32 = 0x4000003e;
const U64 = 0xffffffffffffffffn;
const ENOSYS = 0x50026;

const native = "SCMP_ARCH_X86_64";
const architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"] as const;

/** Arguments next to which the profiles below have their conditions. */
const tried: readonly (readonly bigint[])[] = [
  [],
  [1n, 1n, 1n],
  [5n, 6n, 7n],
  [6n, 5n],
  [40n],
  [0x20000n, 0x100000005n],
  [U64, U64, U64, U64, U64, U64],
];

/**
 * Compiles a profile, and all its rules by libseccomp alone; for each number of each architecture both must say the
 * same, but that numbers above the newest of the profile's are ENOSYS.
 */
function compare(profile: LinuxSeccomp): void {
  const plan = planSeccompProgram({ ...profile, architectures: [...architectures] }, native);
  const ours = compileProgram(plan, () => {});
  const table = new NameTable(plan.names);
  const numbers = resolveNames(X86_64, table);
  for (const [token, arch, bit] of [
    [X86_64, X86_64, 0],
    [X86, X86, 0],
    [X32, X86_64, X32 & 0x40000000],
  ] as const) {
    const filter = makeFilter(plan.defaultAction, token, X86_64);
    for (const { name, action, conditions } of plan.rules) {
      const number = numbers[table.names.indexOf(name)] ?? -1;
      if (number !== -1) filter.add(action, number, conditions, name);
    }
    const theirs = filter.exportProgram();
    filter.release();
    const newest = resolveNames(token, table).reduce((most, each) => Math.max(most, each), 0);
    for (let number = 0; number < 480; number++) {
      const nr = (bit | number) >>> 0;
      for (const args of tried) {
        const theirEnd = runFilter(theirs, { arch, nr, args });
        const newer = plan.newerIsENOSYS && nr > newest && newest > 0;
        const expected = newer ? ENOSYS : theirEnd.returned;
        const { returned, looked } = runFilter(ours, { arch, nr, args });
        if (returned === expected) {
          if (!looked && !theirEnd.looked) break; // whatever the arguments are
          continue;
        }
        const call = `architecture 0x${token.toString(16)}, call ${number}(${args.join(", ")})`;
        assert.is(`0x${returned.toString(16)}`, `0x${expected.toString(16)}`, call);
      }
    }
  }
}

const compile = suite("compileProgram");

const names = engineProfile().syscalls?.[0]?.names ?? [];
const rule = (
  name: string | readonly string[],
  action: LinuxSyscall["action"],
  args?: readonly LinuxSeccompArg[],
): LinuxSyscall => ({
  names: typeof name === "string" ? [name] : [...name],
  action,
  ...(args === undefined ? {} : { args: [...args] }),
});
const is = (value: number | bigint, index = 0): LinuxSeccompArg => ({ index, value, op: "SCMP_CMP_EQ" });
const denying = (...syscalls: LinuxSyscall[]): LinuxSeccomp => ({
  defaultAction: "SCMP_ACT_ERRNO",
  syscalls,
});
const allowing = (...syscalls: LinuxSyscall[]): LinuxSeccomp => ({
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls,
});

const profiles: Readonly<Record<string, LinuxSeccomp>> = {
  "as engines have it": engineProfile() as unknown as LinuxSeccomp,
  "no rule at all, ALLOW": allowing(),
  "no rule at all, ERRNO": denying(),
  "one call": denying(rule("read", "SCMP_ACT_ALLOW")),
  "every action": allowing(
    rule("chmod", "SCMP_ACT_ERRNO"),
    rule("chown", "SCMP_ACT_KILL_PROCESS"),
    rule("fchmod", "SCMP_ACT_KILL_THREAD"),
    rule("fchown", "SCMP_ACT_TRAP"),
    rule("lchown", "SCMP_ACT_TRACE"),
    rule("mkdir", "SCMP_ACT_LOG"),
    rule("rmdir", "SCMP_ACT_NOTIFY"),
  ),
  "a condition before none on the same call": denying(
    rule("fsync", "SCMP_ACT_ALLOW", [is(5)]),
    rule("fsync", "SCMP_ACT_ALLOW"),
  ),
  "a condition after none on the same call": denying(
    rule("fsync", "SCMP_ACT_ALLOW"),
    rule("fsync", "SCMP_ACT_ALLOW", [is(5)]),
  ),
  "a call twice": denying(rule(["fsync", "read", "fsync"], "SCMP_ACT_ALLOW")),
  "conditions on two arguments": denying(rule("fsync", "SCMP_ACT_ALLOW", [is(5), is(6, 1)])),
  "two conditions on one argument": denying(rule("fsync", "SCMP_ACT_ALLOW", [is(5), is(6)])),
  "calls that x86 has behind socketcall and ipc": denying(
    rule(["socket", "connect", "accept4", "shmat", "semop", "msgget"], "SCMP_ACT_ALLOW"),
  ),
  "the same, denied": allowing(rule(["socket", "connect", "shmat", "semop"], "SCMP_ACT_ERRNO")),
  "socketcall and ipc themselves": denying(rule(["socketcall", "ipc"], "SCMP_ACT_ALLOW")),
  "socketcall allowed, socket with a condition": denying(
    rule("socketcall", "SCMP_ACT_ALLOW"),
    rule("socket", "SCMP_ACT_ALLOW", [is(1)]),
  ),
  "socketcall allowed, socket refused": {
    defaultAction: "SCMP_ACT_KILL_PROCESS",
    syscalls: [rule("socketcall", "SCMP_ACT_ALLOW"), rule("socket", "SCMP_ACT_ERRNO")],
  },
  "socket refused, socketcall allowed": {
    defaultAction: "SCMP_ACT_KILL_PROCESS",
    syscalls: [rule("socket", "SCMP_ACT_ERRNO"), rule("socketcall", "SCMP_ACT_ALLOW")],
  },
  "a call allowed and refused": {
    defaultAction: "SCMP_ACT_KILL_PROCESS",
    syscalls: [rule("fsync", "SCMP_ACT_ERRNO"), rule("fsync", "SCMP_ACT_ALLOW")],
  },
  "a call refused in two ways": allowing(rule("fsync", "SCMP_ACT_ERRNO"), {
    ...rule("fsync", "SCMP_ACT_ERRNO"),
    errnoRet: 5,
  }),
  "only what x86 has": denying(rule(["chown32", "mmap2", "_llseek", "fcntl64"], "SCMP_ACT_ALLOW")),
  "every other call": denying(
    rule(
      names.filter((_, i) => i % 2 === 0),
      "SCMP_ACT_ALLOW",
    ),
  ),
};

/** Numbers that look random and are the same each time (the minimal standard generator). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

const actions = ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_LOG", "SCMP_ACT_TRAP"] as const;
const operators = ["NE", "LT", "LE", "EQ", "GE", "GT"] as const;

function randomProfile(random: (below: number) => number): LinuxSeccomp {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const action = pick(actions);
  const syscalls = Array.from({ length: 1 + random(6) }, () => {
    const chosen = Array.from({ length: 1 + random(60) }, () => pick(names));
    const args = Array.from({ length: random(4) === 0 ? 1 : 0 }, () => ({
      index: random(3),
      value: random(8),
      op: `SCMP_CMP_${pick(operators)}` as const,
    }));
    return rule(chosen, action, args);
  });
  return { defaultAction: pick(actions.filter((other) => other !== action)), syscalls };
}

if (host.architecture !== "x86_64") {
  console.log("skip: compileProgram: the same as libseccomp alone: the architectures are those of x86");
  compile.skip("the same as libseccomp alone", () => {});
} else {
  for (const [title, profile] of Object.entries(profiles))
    compile(`the same as libseccomp alone: ${title}`, () => compare(profile));
  compile("the same as libseccomp alone: random profiles", () => {
    const random = randomNumbers(20230814);
    for (let i = 0; i < 25; i++) compare(randomProfile(random));
  });
  compile("what is decided by the number is decided in a few steps", () => {
    const plan = planSeccompProgram(engineProfile() as unknown as LinuxSeccomp, native);
    const program = compileProgram(plan, () => {});
    assert.ok(program.length / 8 < 700, `${program.length / 8} instructions`);
  });
}

compile.run();
