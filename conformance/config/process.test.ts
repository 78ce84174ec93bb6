// arm64
// config.md "Process", "User" and "Linux Process": what the comparison with runc in oracle/ does not reach.
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { eventually, runCommand } from "../command.ts";
import { conformance, refuse, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";

const user = conformance("process.user");

for (const kind of ["uid", "gid"] as const)
  user(
    `the ${kind} that means "unchanged" to the kernel does not leave the process root`,
    async (c) => {
      c.configure((spec) => {
        spec.process.user = { uid: 0, gid: 0, [kind]: 4294967295 };
      });
      refuse(await c.create(), `cannot set${kind} to unmapped ${kind} 4294967295 in user namespace`);
    },
    { runcFails: "runc 1.1.5 takes no id above 2147483647" },
  );

user("the standard streams are given to the user; the host's null device is not", async (c) => {
  const out = `${c.dir}/output`;
  writeFileSync(out, "", { mode: 0o600 });
  c.configure((spec) => {
    spec.process.user = { uid: 1000, gid: 1000 };
    // The user can open them again, as programs that log to /dev/stdout do.
    shell(spec, "echo again >/dev/stdout");
  });
  // In the foreground they would be pipes (lifecycle/streams.test.ts).
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id], { stdout: out }));
  assert.ok(await eventually(() => readFileSync(out, "utf8") === "again\n"));
  assert.equal([statSync(out).uid, statSync(out).gid], [1000, 0]);
  assert.is(statSync("/dev/null").uid, 0);
});

user("a umask that is set counts, also when it is 0", async (c) => {
  c.configure((spec) => {
    spec.process.user.umask = 0;
    shell(spec, "umask");
  });
  assert.is(succeed(await c.run()).stdout, "0000\n");
});

user("additionalGids empty: not even the caller's groups", async (c) => {
  c.configure((spec) => {
    spec.process.user = { uid: 1000, gid: 1000, additionalGids: [] };
    shell(spec, "grep ^Groups: /proc/self/status");
  });
  assert.match(succeed(await c.run()).stdout, /^Groups:\s*\n$/);
});

user.run();

const cwd = conformance("process.cwd");

cwd("a directory that only root may enter, for a user", async (c) => {
  mkdirSync(`${c.rootfs}/private`, { mode: 0o700 });
  c.configure((spec) => {
    spec.process.user = { uid: 1000, gid: 1000 };
    spec.process.cwd = "/private";
    spec.process.args = ["readlink", "/proc/self/cwd"];
  });
  assert.is(succeed(await c.run()).stdout, "/private\n");
});

cwd("a file in its place is refused", async (c) => {
  writeFileSync(`${c.rootfs}/file`, "");
  chmodSync(`${c.rootfs}/file`, 0o755);
  c.configure((spec) => {
    spec.process.cwd = "/file";
  });
  refuse(await c.create());
});

cwd.run();

const env = conformance("process.env");

env("an empty HOME is as none", async (c) => {
  c.configure((spec) => {
    spec.process.env = ["PATH=/bin", "HOME="];
    spec.process.args = ["cat", "/proc/self/environ"];
  });
  assert.is(succeed(await c.run()).stdout, "PATH=/bin\0HOME=/root\0");
});

env("HOME of a user that is not in passwd is /", async (c) => {
  c.configure((spec) => {
    spec.process.user = { uid: 4711, gid: 4711 };
    spec.process.env = ["PATH=/bin"];
    spec.process.args = ["cat", "/proc/self/environ"];
  });
  assert.is(succeed(await c.run()).stdout, "PATH=/bin\0HOME=/\0");
});

env("the program is looked up in the container's PATH, not the caller's", async (c) => {
  c.configure((spec) => {
    spec.process.env = ["PATH=/nowhere"];
    spec.process.args = ["true"];
  });
  refuse(await c.create(), "executable file not found in $PATH");
});

env("of the directories in PATH the first counts that has a file which may be executed", async (c) => {
  for (const [dir, mode] of [
    ["one", 0o644],
    ["two", 0o755],
    ["three", 0o755],
  ] as const) {
    mkdirSync(`${c.rootfs}/${dir}`);
    writeFileSync(`${c.rootfs}/${dir}/program`, `#!/bin/sh\necho ${dir}\n`, { mode });
  }
  mkdirSync(`${c.rootfs}/zero/program`, { recursive: true });
  c.configure((spec) => {
    spec.process.env = ["PATH=/none:/zero:/one:/two:/three:/bin"];
    spec.process.args = ["program"];
  });
  assert.is(succeed(await c.run()).stdout, "two\n");
});

env.run();

const names = conformance("hostname and domainname");

names(
  "are the container's, and not the host's",
  async (c) => {
    const ofHost = readFileSync("/proc/sys/kernel/domainname", "utf8");
    c.configure((spec) => {
      Object.assign(spec, { hostname: "h".repeat(64), domainname: "example.org" });
      shell(spec, "hostname; cat /proc/sys/kernel/domainname");
    });
    assert.is(succeed(await c.run()).stdout, `${"h".repeat(64)}\nexample.org\n`);
    assert.is(readFileSync("/proc/sys/kernel/domainname", "utf8"), ofHost);
  },
  { runcFails: "runc 1.1.5 does not know domainname" },
);

names.run();

const oom = conformance("process.oomScoreAdj");

oom("absent: the caller's, not written", async (c) => {
  c.configure((spec) => shell(spec, "cat /proc/1/oom_score_adj"));
  const command = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
  const raised = ["sh", "-c", 'echo 77 >/proc/$$/oom_score_adj; exec "$@"', "sh"];
  assert.is(succeed(await runCommand([...raised, ...command])).stdout, "77\n");
});

oom("0 is written like any other value", async (c) => {
  for (const oomScoreAdj of [0, 500]) {
    c.configure((spec) => {
      spec.process.oomScoreAdj = oomScoreAdj;
      shell(spec, "cat /proc/1/oom_score_adj");
    });
    assert.is(succeed(await c.run()).stdout, `${oomScoreAdj}\n`);
  }
});

oom(
  "a value that the runtime may not set is refused with the reason",
  async (c) => {
    c.configure((spec) => {
      spec.process.oomScoreAdj = -500;
    });
    const weak = ["setpriv", "--bounding-set", "-sys_resource"];
    const command = [runtimePath, "--root", c.root, "create", "--bundle", c.bundle, c.id];
    refuse(
      await runCommand([...weak, ...command]),
      /oom_score_adj: EACCES \(permission denied\), asked for by process\.oomScoreAdj \(lowering it needs CAP_SYS_RESOURCE\)/,
    );
  },
  { needs: ["setpriv"], runcFails: "the words are runt's" },
);

oom.run();
