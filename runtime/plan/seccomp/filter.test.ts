import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { LinuxSeccomp } from "../../config/types.ts";
import { planSeccomp, planSeccompProgram } from "./filter.ts";
import { joinPrograms } from "./program.ts";
import type { Answers } from "./tree.ts";

const native = "SCMP_ARCH_X86_64";

const load = suite("planSeccomp");

load("no profile, no filter", () => {
  assert.is(planSeccomp(undefined), undefined);
});

const flagCases: readonly (readonly [title: string, config: Partial<LinuxSeccomp>, flags: number])[] = [
  ["absent flags are SPEC_ALLOW", {}, 4],
  ["an empty list is no flag", { flags: [] }, 0],
  ["LOG", { flags: ["SECCOMP_FILTER_FLAG_LOG"] }, 2],
  ["TSYNC is nothing in a process of one thread", { flags: ["SECCOMP_FILTER_FLAG_TSYNC"] }, 0],
  ["LOG and SPEC_ALLOW", { flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"] }, 6],
  [
    "a rule that notifies asks for the listener",
    { flags: [], listenerPath: "/s", syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }] },
    8,
  ],
  [
    "WAIT_KILLABLE_RECV with one",
    {
      flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
      listenerPath: "/s",
      syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
    },
    40,
  ],
];
for (const [title, config, flags] of flagCases)
  load(`flags: ${title}`, () => {
    assert.is(planSeccomp({ defaultAction: "SCMP_ACT_ALLOW", ...config })?.flags, flags);
  });

load("WAIT_KILLABLE_RECV without a rule that notifies is refused", () => {
  assert.throws(
    () => planSeccomp({ defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] }),
    /^linux\.seccomp\.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY$/,
  );
});

load("the listener is the agent's socket, with its metadata", () => {
  const plan = planSeccomp({
    defaultAction: "SCMP_ACT_ALLOW",
    listenerPath: "/run/agent",
    listenerMetadata: "m",
    syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
  });
  assert.equal(plan?.listener, { path: "/run/agent", metadata: "m" });
});

load("a listenerPath without a rule that notifies is no listener", () => {
  const plan = planSeccomp({ defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/agent" });
  assert.is(plan?.listener, undefined);
});

load.run();

const program = suite("planSeccompProgram");

const actionCases: readonly (readonly [string, number | undefined, number])[] = [
  ["SCMP_ACT_KILL", undefined, 0],
  ["SCMP_ACT_KILL_THREAD", undefined, 0],
  ["SCMP_ACT_KILL_PROCESS", undefined, 0x80000000],
  ["SCMP_ACT_TRAP", undefined, 0x30000],
  ["SCMP_ACT_ERRNO", undefined, 0x50001],
  ["SCMP_ACT_ERRNO", 0, 0x50000],
  ["SCMP_ACT_ERRNO", 38, 0x50026],
  ["SCMP_ACT_TRACE", undefined, 0x7ff00001],
  ["SCMP_ACT_TRACE", 7, 0x7ff00007],
  ["SCMP_ACT_LOG", undefined, 0x7ffc0000],
  ["SCMP_ACT_NOTIFY", undefined, 0x7fc00000],
];
for (const [action, errnoRet, expected] of actionCases)
  program(`${action} with errno ${errnoRet ?? "absent"} is 0x${expected.toString(16)}`, () => {
    const rule = { names: ["mkdir"], action, ...(errnoRet === undefined ? {} : { errnoRet }) };
    const config = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [rule] } as LinuxSeccomp;
    assert.equal(planSeccompProgram(config, native).rules, [
      { name: "mkdir", action: expected, conditions: [], from: "linux.seccomp.syscalls[0]" },
    ]);
  });

program("a rule that equals the default action is left out, one with another errno is not", () => {
  const { defaultAction, rules, names } = planSeccompProgram(
    {
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [
        { names: ["chmod"], action: "SCMP_ACT_ERRNO", errnoRet: 1 },
        { names: ["chown"], action: "SCMP_ACT_ERRNO", errnoRet: 2 },
      ],
    },
    native,
  );
  assert.is(defaultAction, 0x50001);
  assert.equal(
    rules.map(({ name, action }) => [name, action]),
    [["chown", 0x50002]],
  );
  assert.equal(names, ["chmod", "chown"]);
});

program("conditions on different arguments must all hold", () => {
  const { rules } = planSeccompProgram(
    {
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [
        {
          names: ["socket"],
          action: "SCMP_ACT_ALLOW",
          args: [
            { index: 0, value: 2, op: "SCMP_CMP_EQ" },
            { index: 1, value: 0xf, valueTwo: 1, op: "SCMP_CMP_MASKED_EQ" },
          ],
        },
      ],
    },
    native,
  );
  assert.equal(rules, [
    {
      name: "socket",
      action: 0x7fff0000,
      from: "linux.seccomp.syscalls[0]",
      conditions: [
        { index: 0, op: 4, value: 2n, valueTwo: 0n },
        { index: 1, op: 7, value: 15n, valueTwo: 1n },
      ],
    },
  ]);
});

program("of several conditions on one argument any suffices", () => {
  const { rules } = planSeccompProgram(
    {
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [
        {
          names: ["socket"],
          action: "SCMP_ACT_ALLOW",
          args: [
            { index: 0, value: 1, op: "SCMP_CMP_EQ" },
            { index: 0, value: 2, op: "SCMP_CMP_EQ" },
            { index: 1, value: 3, op: "SCMP_CMP_LT" },
          ],
        },
      ],
    },
    native,
  );
  assert.equal(
    rules.map(({ conditions }) => conditions),
    [
      [{ index: 0, op: 4, value: 1n, valueTwo: 0n }],
      [{ index: 0, op: 4, value: 2n, valueTwo: 0n }],
      [{ index: 1, op: 2, value: 3n, valueTwo: 0n }],
    ],
  );
});

program("64-bit values are exact", () => {
  const args = [{ index: 3, value: 18446744073709551615n, op: "SCMP_CMP_GE" as const }];
  const syscalls = [{ names: ["mmap"], action: "SCMP_ACT_ALLOW" as const, args }];
  const { rules } = planSeccompProgram({ defaultAction: "SCMP_ACT_ERRNO", syscalls }, native);
  assert.is(rules[0]?.conditions[0]?.value, 0xffffffffffffffffn);
});

program("the native architecture is always there, and each once", () => {
  const architectures = ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_X86_64", "SCMP_ARCH_X86"] as const;
  const plan = planSeccompProgram({ defaultAction: "SCMP_ACT_ALLOW", architectures }, native);
  assert.equal(plan.architectures, [
    { token: 0xc000003e, from: "linux.seccomp" },
    { token: 0x40000003, from: "linux.seccomp.architectures[0]" },
    { token: 0x4000003e, from: "linux.seccomp.architectures[1]" },
  ]);
  const arm = planSeccompProgram({ defaultAction: "SCMP_ACT_ALLOW" }, "SCMP_ARCH_AARCH64");
  assert.equal(arm.architectures, [{ token: 0xc00000b7, from: "linux.seccomp" }]);
});

const newerCases: readonly (readonly [LinuxSeccomp["defaultAction"], number | undefined, boolean])[] = [
  ["SCMP_ACT_ERRNO", undefined, true],
  ["SCMP_ACT_ERRNO", 1, true],
  ["SCMP_ACT_ERRNO", 38, false],
  ["SCMP_ACT_KILL", undefined, true],
  ["SCMP_ACT_KILL_PROCESS", undefined, true],
  ["SCMP_ACT_TRAP", undefined, true],
  ["SCMP_ACT_ALLOW", undefined, false],
  ["SCMP_ACT_LOG", undefined, false],
  ["SCMP_ACT_TRACE", undefined, false],
];
for (const [defaultAction, errno, expected] of newerCases)
  program(`newer calls are ${expected ? "" : "not "}ENOSYS with ${defaultAction} ${errno ?? ""}`, () => {
    const config = { defaultAction, ...(errno === undefined ? {} : { defaultErrnoRet: errno }) };
    assert.is(planSeccompProgram(config, native).newerIsENOSYS, expected);
  });

program.run();

const join = suite("joinPrograms");

/** Each instruction as "code jt jf k". */
const listing = (bytes: Uint8Array): string[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, i) => {
    const k = view.getUint32(8 * i + 4, true).toString(16);
    return `${view.getUint16(8 * i, true).toString(16)} ${view.getUint8(8 * i + 2)} ${view.getUint8(8 * i + 3)} ${k}`;
  });
};

const none: Answers = new Map();

/** A stand-in of this many instructions, each a return of 0. */
const body = (instructions: number): Uint8Array => {
  const bytes = new Uint8Array(8 * instructions);
  for (let i = 0; i < instructions; i++) bytes[8 * i] = 6;
  return bytes;
};

join("a single program without a newest call is left as it is", () => {
  assert.equal(
    listing(joinPrograms([{ token: 0xc00000b7, program: body(1), newest: undefined, answers: none }])),
    ["6 0 0 0"],
  );
});

join("ENOSYS above the newest call; strangers go to the program itself", () => {
  assert.equal(listing(joinPrograms([{ token: 0xc00000b7, program: body(1), newest: 100, answers: none }])), [
    "20 0 0 4",
    "15 1 0 c00000b7",
    "5 0 0 3",
    "20 0 0 0",
    "25 0 1 64",
    "6 0 0 50026",
    "6 0 0 0",
  ]);
});

join("x86_64 and x32 are told apart by the bit of the number", () => {
  const parts = [
    { token: 0x4000003e, program: body(2), newest: 0x40000064, answers: none },
    { token: 0xc000003e, program: body(1), newest: 100, answers: none },
  ];
  assert.equal(listing(joinPrograms(parts)), [
    "20 0 0 4",
    "15 1 0 c000003e",
    "5 0 0 7",
    "20 0 0 0",
    "45 1 0 40000000",
    "5 0 0 4",
    "25 0 1 40000064",
    "6 0 0 50026",
    "6 0 0 0",
    "6 0 0 0",
    "20 0 0 4",
    "15 1 0 c000003e",
    "5 0 0 5",
    "20 0 0 0",
    "45 0 1 40000000",
    "5 0 0 2",
    "25 0 1 64",
    "6 0 0 50026",
    "6 0 0 0",
  ]);
});

join("a program between two is passed over by other architectures, with a long jump", () => {
  const parts = [
    { token: 0x40000003, program: body(1000), newest: undefined, answers: none },
    { token: 0xc00000b7, program: body(1), newest: undefined, answers: none },
  ];
  const lines = listing(joinPrograms(parts));
  assert.equal(lines.slice(0, 4), ["20 0 0 4", "15 1 0 40000003", "5 0 0 3e9", "20 0 0 0"]);
  assert.is(lines.length, 4 + 1000 + 1);
});

join("what a number answers is in front of the program, which a single one needs no number for", () => {
  const answers: Answers = new Map([[5, 0x50007]]);
  assert.equal(listing(joinPrograms([{ token: 0xc00000b7, program: body(1), newest: undefined, answers }])), [
    "20 0 0 4",
    "15 1 0 c00000b7",
    "5 0 0 6",
    "20 0 0 0",
    "35 1 0 5",
    "5 0 0 3",
    "35 1 0 6",
    "6 0 0 50007",
    "5 0 0 0",
    "6 0 0 0",
  ]);
});

join.run();
