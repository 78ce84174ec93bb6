// exec into containers that are confined further: by a user namespace, by a seccomp profile, by one with an agent.
import { chmodSync, chownSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, type Running, startCommand } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { namespaceOf, statusField } from "../inspect.ts";
import { runtimePath } from "../needs.ts";
import { withTerminal } from "../pty.ts";
import { engineProfile } from "../seccomp_profile.ts";
import type { Seccomp, Spec } from "../spec.ts";
import { writeSystemCall } from "../system_call.ts";
import { exec, execArgs, execShell, runWaiting } from "./running.ts";

const confined = conformance("exec, confined");
const first = 100_000;

async function runMapped(c: Fixture, edit?: (spec: Spec) => void): Promise<number> {
  for (const dir of [c.dir, c.bundle, c.rootfs]) chmodSync(dir, 0o755);
  chownSync(c.rootfs, first, first);
  await runWaiting(c, (spec) => {
    spec.linux.namespaces.push({ type: "user" });
    const mappings = [{ containerID: 0, hostID: first, size: 65536 }];
    Object.assign(spec.linux, { uidMappings: mappings, gidMappings: mappings });
    edit?.(spec);
  });
  return (await c.state()).pid;
}

/** The pid file of a process of exec that waits. */
async function startWaiting(c: Fixture, flags: readonly string[]): Promise<number> {
  const file = join(c.dir, "pid");
  succeed(await exec(c, ["--detach", "--pid-file", file, ...flags], ["sleep", "600"]));
  return Number(readFileSync(file, "utf8"));
}

confined("user namespace: the process is in it, and its root is the first of the map outside", async (c) => {
  const init = await runMapped(c);
  const pid = await startWaiting(c, []);
  for (const type of ["user", "pid", "mnt", "net", "ipc", "uts"])
    assert.is(namespaceOf(pid, type), namespaceOf(init, type), type);
  assert.is(statusField(pid, "Uid"), Array(4).fill(first).join("\t"));
  assert.is(statusField(pid, "Groups"), "");
  assert.is(statusField(pid, "CapEff"), statusField(init, "CapEff"));
  assert.is(statusField(pid, "CapBnd"), statusField(init, "CapBnd"));
  assert.is(readFileSync(`/proc/${pid}/cgroup`, "utf8"), readFileSync(`/proc/${init}/cgroup`, "utf8"));
});

confined("user namespace: a user within the map with its groups, and one outside of it", async (c) => {
  await runMapped(c);
  const script = "id -u; id -g; grep Groups /proc/self/status";
  const { stdout } = succeed(await execShell(c, script, ["--user", "1000:1001", "-g", "5", "-g", "6"]));
  assert.is(stdout, "1000\n1001\nGroups:\t5 6 \n");
  const result = refuse(await exec(c, ["--user", "70000"], ["true"]), /unmapped u(id|ser)/);
  assert.is(result.status, 255);
});

confined("user namespace: a capability that the runtime itself lacks", async (c) => {
  await runMapped(c);
  const { stdout } = succeed(
    await execShell(c, "grep CapEff /proc/self/status", ["--cap", "CAP_SYS_RESOURCE"]),
  );
  const bits = BigInt(`0x${stdout.trim().split("\t")[1]}`);
  assert.is(bits & (1n << 24n), 1n << 24n);
});

confined("user namespace: limits, oom score, umask and keyring", async (c) => {
  await runMapped(c, (spec) => {
    spec.process.rlimits = [
      { type: "RLIMIT_NOFILE", soft: 100, hard: 200 },
      { type: "RLIMIT_CORE", soft: 0, hard: 0 },
    ];
    spec.process.oomScoreAdj = 321;
    spec.process.user.umask = 0o027;
    spec.linux.maskedPaths = [];
  });
  const script = "ulimit -Sn; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj; umask; cat /proc/keys";
  const { stdout } = succeed(await execShell(c, script));
  const lines = stdout.split("\n");
  // runc's Go runtime raises the soft limit to the hard one when it starts.
  assert.ok(lines[0] === "100" || lines[0] === "200", lines[0]);
  assert.equal(lines.slice(1, 4), ["200", "0", "321"]);
  assert.match(lines[4] ?? "", /^0(027|022)$/);
  assert.match(stdout, `_ses.${c.id}`);
});

confined("user namespace: a terminal is the user's", async (c) => {
  await runMapped(c);
  await withTerminal({ rows: 24, columns: 80 }, async ({ screen, start }) => {
    const script = "stat -c %u:%a $(tty); stty size; echo through >/dev/tty";
    const line = [runtimePath, "--root", c.root, ...execArgs(c, ["-t", "-u", "1000"], ["sh", "-c", script])];
    assert.is(await start(line).status, 0);
    await screen.shows("1000:620\r\n24 80\r\nthrough\r\n");
  });
});

const denyMkdir: Seccomp = {
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28 }],
};

const identities: readonly (readonly [title: string, noNewPrivileges: boolean, flags: readonly string[]])[] =
  [
    ["no_new_privs", true, []],
    ["no_new_privs, user 1000", true, ["--user", "1000"]],
    ["without no_new_privs", false, []],
    ["without no_new_privs, user 1000", false, ["--user", "1000"]],
    ["no_new_privs taken back by flag", true, ["--no-new-privs=false"]],
  ];

for (const [title, noNewPrivileges, flags] of identities) {
  confined(`seccomp: the container's filter, once, and no capability beside it [${title}]`, async (c) => {
    await runWaiting(c, (spec) => {
      spec.root.readonly = false;
      spec.process.noNewPrivileges = noNewPrivileges;
      spec.linux.seccomp = denyMkdir;
    });
    const caps = flags.includes("1000") ? "0000000000000000" : "0000000020000420";
    const script = "mkdir /tmp/x; grep -E 'Seccomp|CapEff|CapPrm' /proc/self/status";
    const { stdout, stderr } = succeed(await execShell(c, script, flags));
    assert.match(stderr, "No space left on device");
    assert.is(stdout, `CapPrm:\t${caps}\nCapEff:\t${caps}\nSeccomp:\t2\nSeccomp_filters:\t1\n`);
  });

  confined(`seccomp: a profile as engines give to every container [${title}]`, async (c) => {
    await runWaiting(c, (spec) => {
      spec.process.noNewPrivileges = noNewPrivileges;
      spec.linux.seccomp = engineProfile();
    });
    const { stdout } = succeed(await execShell(c, "echo ran; unshare -m true || echo denied", flags));
    assert.is(stdout, "ran\ndenied\n");
  });
}

/** A container whose init process only makes the system call pause, with a filter for little else. */
async function runStrict(
  c: Fixture,
  defaultAction: string,
  names: readonly string[],
  edit: (spec: Spec) => void,
): Promise<void> {
  writeSystemCall(join(c.rootfs, "pause"), 34n);
  writeSystemCall(join(c.rootfs, "program"), 231n, [7n]);
  await runWaiting(c, (spec) => {
    spec.process.args = ["/pause"];
    spec.linux.seccomp = {
      defaultAction,
      syscalls: [{ names: ["execve", "exit_group", "pause", ...names], action: "SCMP_ACT_ALLOW" }],
    };
    edit(spec);
  });
}

const withPtrace = (spec: Spec): void => {
  for (const set of ["bounding", "effective", "permitted"] as const)
    spec.process.capabilities?.[set]?.push("CAP_SYS_PTRACE");
};
const runcNeedsMore = { runcFails: "runc makes calls of its own between loading the filter and execve" };

for (const defaultAction of ["SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS"])
  for (const [title, noNewPrivileges, flags] of identities)
    confined(
      `seccomp: a profile needs to allow nothing but execve, else ${defaultAction} [${title}]`,
      async (c) => {
        await runStrict(c, defaultAction, [], (spec) => {
          spec.process.noNewPrivileges = noNewPrivileges;
        });
        for (let i = 0; i < 3; i++) assert.is((await exec(c, flags, ["/program"])).status, 7);
      },
      runcNeedsMore,
    );

confined(
  "seccomp: a failing execve is told when write is allowed as well",
  async (c) => {
    writeFileSync(join(c.rootfs, "garbage"), "neither ELF nor script", { mode: 0o755 });
    await runStrict(c, "SCMP_ACT_ERRNO", ["write"], () => {});
    assert.is(refuse(await exec(c, [], ["/garbage"]), "exec format error").status, 255);
  },
  runcNeedsMore,
);

// docs/seccomp.md has this list.
const early = [
  "capset",
  "clone",
  "close",
  "sendmsg",
  "setsid",
  "write",
  "read",
  "rt_sigprocmask",
  "prlimit64",
];

confined(
  "seccomp: with CAP_SYS_PTRACE and without no_new_privs the documented calls are enough, and are needed",
  async (c) => {
    await runStrict(c, "SCMP_ACT_KILL_PROCESS", early, (spec) => {
      spec.process.noNewPrivileges = false;
      withPtrace(spec);
    });
    for (let i = 0; i < 3; i++) assert.is((await exec(c, [], ["/program"])).status, 7);
  },
  runcNeedsMore,
);

confined(
  "seccomp: with CAP_SYS_PTRACE and without no_new_privs a profile without them is a clean error",
  async (c) => {
    for (const [action, text] of [
      ["SCMP_ACT_ERRNO", /ended with status 255 before its program ran/],
      ["SCMP_ACT_KILL_PROCESS", /ended with status 159 before its program ran/],
    ] as const) {
      await runStrict(c, action, [], (spec) => {
        spec.process.noNewPrivileges = false;
        withPtrace(spec);
      });
      assert.is(refuse(await exec(c, [], ["/program"]), text).status, 255);
      succeed(await c.deleteForce());
    }
  },
  runcNeedsMore,
);

const agentProgram = new URL("../seccomp_agent.ts", import.meta.url).pathname;

async function startAgent(socket: string, errno: number): Promise<Running> {
  const agent = startCommand([process.execPath, "run", agentProgram, socket, String(errno)]);
  assert.ok(await eventually(() => existsSync(socket), 10), "the agent does not listen");
  return agent;
}

for (const noNewPrivileges of [true, false])
  for (const ptrace of [false, true])
    confined(
      `seccomp: the agent gets a listener for the process, too [no_new_privs ${noNewPrivileges}, ptrace ${ptrace}]`,
      async (c) => {
        const socket = join(c.dir, "agent");
        const ofInit = await startAgent(socket, 0);
        await runWaiting(c, (spec) => {
          spec.root.readonly = false;
          spec.process.noNewPrivileges = noNewPrivileges;
          if (ptrace) withPtrace(spec);
          spec.linux.seccomp = {
            defaultAction: "SCMP_ACT_ALLOW",
            listenerPath: socket,
            listenerMetadata: "some metadata",
            syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
          };
        });
        rmSync(socket);
        const ofExec = await startAgent(socket, 28);
        const { pid: init } = await c.state();
        const file = join(c.dir, "pid");
        const script = "mkdir /tmp/x; grep Seccomp /proc/self/status";
        const { stdout, stderr } = succeed(await execShell(c, script, ["--pid-file", file]));
        assert.match(stderr, "No space left on device");
        assert.is(stdout, "Seccomp:\t2\nSeccomp_filters:\t1\n");
        const said = JSON.parse(succeed(await ofExec.done).stdout) as Record<string, unknown>;
        const pid = Number(readFileSync(file, "utf8"));
        assert.equal(
          { ...said, ociVersion: "", state: { ...(said.state as object), ociVersion: "" } },
          {
            ociVersion: "",
            fds: ["seccompFd"],
            pid,
            metadata: "some metadata",
            state: { ociVersion: "", id: c.id, status: "running", pid: init, bundle: c.bundle },
          },
        );
        succeed(await c.deleteForce());
        succeed(await ofInit.done);
      },
      { runcFails: "runc 1.1.5 does not send the agent the listener of an exec: its calls are ENOSYS" },
    );

confined("seccomp: without its agent, no process", async (c) => {
  const socket = join(c.dir, "agent");
  const agent = await startAgent(socket, 0);
  await runWaiting(c, (spec) => {
    spec.linux.seccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      listenerPath: socket,
      syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }],
    };
  });
  rmSync(socket);
  assert.is(refuse(await exec(c, [], ["true"]), "no such file or directory").status, 255);
  succeed(await c.deleteForce());
  succeed(await agent.done);
});

confined.run();
