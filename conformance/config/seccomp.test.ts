// arm64
// linux.seccomp: what a container may call, from the inside of one, and the refusals of profiles that cannot be.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { engineProfile } from "../seccomp_profile.ts";
import { type Seccomp, type Spec, shell } from "../spec.ts";
import { callNumbers, writeSystemCall } from "../system_call.ts";

const seccomp = conformance("seccomp");

type Rule = NonNullable<Seccomp["syscalls"]>[number];

const mkdir = (action: string, more: Partial<Rule> = {}): Seccomp => ({
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [{ names: ["mkdir", "mkdirat"], action, ...more }],
});

function configure(c: Fixture, profile: Seccomp, edit: (spec: Spec) => void): void {
  c.configure((spec) => {
    spec.root.readonly = false;
    spec.linux.seccomp = profile;
    edit(spec);
  });
}

seccomp("a denied call gives EPERM, and the filter is the only one", async (c) => {
  configure(c, mkdir("SCMP_ACT_ERRNO"), (spec) =>
    shell(spec, "mkdir /tmp/x; grep -i seccomp /proc/self/status"),
  );
  const { stdout, stderr } = succeed(await c.run());
  assert.match(stderr, "Operation not permitted");
  assert.is(stdout, "Seccomp:\t2\nSeccomp_filters:\t1\n");
});

seccomp("errnoRet is the errno", async (c) => {
  configure(c, mkdir("SCMP_ACT_ERRNO", { errnoRet: 28 }), (spec) => shell(spec, "mkdir /tmp/x"));
  refuse(await c.run(), "No space left on device");
});

seccomp("defaultErrnoRet is the errno of everything else", async (c) => {
  const profile = { ...engineProfile(), defaultErrnoRet: 95 };
  configure(c, profile, (spec) => shell(spec, "hostname x"));
  refuse(await c.run(), "Operation not supported");
});

for (const action of ["SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"])
  seccomp(`${action} ends the process by SIGSYS: 159`, async (c) => {
    configure(c, mkdir(action), (spec) => {
      spec.process.args = ["mkdir", "/tmp/x"];
    });
    assert.is((await c.run()).status, 159);
  });

for (const action of ["SCMP_ACT_LOG", "SCMP_ACT_ALLOW"])
  seccomp(`${action} lets the call happen`, async (c) => {
    configure(c, mkdir(action), (spec) => shell(spec, "mkdir /tmp/x && ls -d /tmp/x"));
    assert.is(succeed(await c.run()).stdout, "/tmp/x\n");
  });

seccomp("SCMP_ACT_TRACE without a tracer is ENOSYS", async (c) => {
  configure(c, mkdir("SCMP_ACT_TRACE"), (spec) => shell(spec, "mkdir /tmp/x"));
  refuse(await c.run(), "Function not implemented");
});

seccomp("a name that no library knows is told at debug level and left out", async (c) => {
  configure(
    c,
    {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["no_such_call", "mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }],
    },
    (spec) => shell(spec, "mkdir /tmp/x"),
  );
  const log = join(c.dir, "log");
  refuse(await c.runt(["--debug", "--log", log, "run", "--bundle", c.bundle, c.id]), "not permitted");
  assert.match(readFileSync(log, "utf8"), /unknown seccomp syscall .*no_such_call.* ignored/);
});

seccomp("a profile as engines give to every container", async (c) => {
  configure(c, engineProfile(), (spec) =>
    shell(spec, "mkdir /tmp/x && ls -d /tmp/x; hostname y; unshare -m true; grep Seccomp: /proc/1/status"),
  );
  const { stdout, stderr } = succeed(await c.run());
  assert.is(stdout, "/tmp/x\nSeccomp:\t2\n");
  assert.match(stderr, /hostname: .*not permitted/);
});

// On i386 all of these are `socketcall`, which the profile allows before.
seccomp("conditions on socket, an action among those that allow, as Podman writes them", async (c) => {
  const profile = engineProfile();
  const [first, ...others] = profile.syscalls ?? [];
  const socket = (action: string, ...args: NonNullable<Rule["args"]>): Rule => ({
    names: ["socket"],
    action,
    ...(action === "SCMP_ACT_ERRNO" && { errnoRet: 22 }),
    args,
  });
  const netlink = { index: 0, value: 16, op: "SCMP_CMP_EQ" };
  const audit = { index: 2, value: 9, op: "SCMP_CMP_EQ" };
  const syscalls = [
    ...(first === undefined ? [] : [first]),
    ...others.filter(({ names }) => !names.includes("socket")),
    socket("SCMP_ACT_ERRNO", netlink, audit),
    socket("SCMP_ACT_ALLOW", { ...audit, op: "SCMP_CMP_NE" }),
    socket("SCMP_ACT_ALLOW", { ...netlink, op: "SCMP_CMP_NE" }),
    socket("SCMP_ACT_ALLOW", { ...audit, op: "SCMP_CMP_NE" }),
  ];
  writeSystemCall(join(c.rootfs, "audit"), callNumbers.socket, [16n, 3n, 9n]);
  writeSystemCall(join(c.rootfs, "route"), callNumbers.socket, [16n, 3n, 0n]);
  configure(c, { ...profile, syscalls }, (spec) => shell(spec, "/audit; echo $?; /route; echo $?"));
  assert.is(succeed(await c.run()).stdout, "22\n0\n");
});

for (const flags of [
  [],
  ["SECCOMP_FILTER_FLAG_TSYNC"],
  ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
])
  seccomp(
    `flags [${flags.join(" ")}]`,
    async (c) => {
      configure(c, { ...mkdir("SCMP_ACT_ERRNO"), flags }, (spec) => shell(spec, "mkdir /tmp/x"));
      refuse(await c.run(), "Operation not permitted");
    },
    { runcMayFail: "runc 1.1 refuses flags" },
  );

// The strictest profile with which anything can run: the runtime itself needs no more than the execve.
const identities: readonly (readonly [string, (spec: Spec) => void])[] = [
  ["no_new_privs", () => {}],
  [
    "no_new_privs as user 1000",
    (spec) => {
      spec.process.user = { uid: 1000, gid: 1000 };
    },
  ],
  [
    "without no_new_privs",
    (spec) => {
      spec.process.noNewPrivileges = false;
    },
  ],
  [
    "without no_new_privs as user 1000 without capabilities",
    (spec) => {
      spec.process.noNewPrivileges = false;
      spec.process.user = { uid: 1000, gid: 1000 };
      spec.process.capabilities = {};
    },
  ],
];
const runcNeedsMore = "runc makes calls of its own between loading the filter and execve";
for (const defaultAction of ["SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS"])
  for (const [title, edit] of identities) {
    const strict: Seccomp = {
      defaultAction,
      syscalls: [{ names: ["execve", "exit_group"], action: "SCMP_ACT_ALLOW" }],
    };
    const set = (c: Fixture): void => {
      writeSystemCall(join(c.rootfs, "program"), callNumbers.exit_group, [7n]);
      configure(c, strict, (spec) => {
        spec.process.args = ["/program"];
        edit(spec);
      });
    };
    seccomp(
      `only execve and exit_group are allowed, else ${defaultAction} [run, ${title}]`,
      async (c) => {
        set(c);
        for (let i = 0; i < 5; i++) assert.is((await c.run()).status, 7);
      },
      { runcFails: runcNeedsMore },
    );
    seccomp(
      `only execve and exit_group are allowed, else ${defaultAction} [create and start, ${title}]`,
      async (c) => {
        set(c);
        succeed(await c.create());
        succeed(await c.runt(["start", c.id]));
      },
      { runcFails: runcNeedsMore },
    );
  }

seccomp(
  "a failing execve is still told when write is allowed as well",
  async (c) => {
    writeFileSync(join(c.rootfs, "program"), "neither ELF nor script", { mode: 0o755 });
    const profile: Seccomp = {
      defaultAction: "SCMP_ACT_ERRNO",
      syscalls: [{ names: ["execve", "exit_group", "write"], action: "SCMP_ACT_ALLOW" }],
    };
    configure(c, profile, (spec) => {
      spec.process.args = ["/program"];
    });
    refuse(await c.run(), "exec /program: ENOEXEC");
    succeed(await c.create());
    refuse(await c.runt(["start", c.id]), "exec /program: ENOEXEC");
  },
  { runcFails: runcNeedsMore },
);

for (const noNewPrivileges of [true, false])
  seccomp(
    `startContainer hooks are subject to the filter [noNewPrivileges ${noNewPrivileges}]`,
    async (c) => {
      configure(c, mkdir("SCMP_ACT_ERRNO", { errnoRet: 28 }), (spec) => {
        spec.process.noNewPrivileges = noNewPrivileges;
        spec.hooks = { startContainer: [{ path: "/bin/mkdir", args: ["mkdir", "/tmp/x"] }] };
      });
      refuse(await c.run(), "No space left on device");
    },
    { runcFails: "its error does not repeat what a startContainer hook said" },
  );

// Refusals, each by its whole text.
const refusals: readonly (readonly [string, Seccomp, string])[] = [
  [
    "SCMP_ACT_NOTIFY as default action",
    { defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/s" },
    "SCMP_ACT_NOTIFY cannot be used as default action",
  ],
  [
    "SCMP_ACT_NOTIFY for write",
    {
      defaultAction: "SCMP_ACT_ALLOW",
      listenerPath: "/s",
      syscalls: [{ names: ["write"], action: "SCMP_ACT_NOTIFY" }],
    },
    "SCMP_ACT_NOTIFY cannot be used for the write syscall",
  ],
];
for (const [title, profile, text] of refusals)
  seccomp(`refused: ${title}`, async (c) => {
    configure(c, profile, () => {});
    refuse(await c.run(), text);
  });

const ours: readonly (readonly [string, Seccomp, string])[] = [
  [
    "WAIT_KILLABLE_RECV without a rule that notifies",
    { defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"] },
    "linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule with SCMP_ACT_NOTIFY",
  ],
  [
    "an agent that is not there",
    {
      defaultAction: "SCMP_ACT_ALLOW",
      listenerPath: "/nonexistent/agent",
      syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
    },
    "connect /nonexistent/agent: ENOENT (no such file or directory), asked for by linux.seccomp.listenerPath",
  ],
  [
    "an architecture of the other byte order",
    { defaultAction: "SCMP_ACT_ERRNO", architectures: ["SCMP_ARCH_S390X"] },
    "seccomp_arch_add SCMP_ARCH_S390X: EDOM (numerical argument out of domain), asked for by linux.seccomp.architectures[0] (its byte order is not this machine's)",
  ],
];
for (const [title, profile, text] of ours)
  seccomp(
    `refused: ${title}`,
    async (c) => {
      configure(c, profile, () => {});
      refuse(await c.run(), text);
      refuse(await c.runt(["state", c.id]), "does not exist");
    },
    { needs: ["built"] },
  );

seccomp.run();
