// run in the foreground and detached, exit codes, pid files, and standard streams.
import { existsSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand, startCommand } from "../command.ts";
import { conformance, refuse, succeed } from "../harness.ts";
import { isAlive } from "../inspect.ts";
import { runtimePath } from "../needs.ts";
import { shell } from "../spec.ts";

const run = conformance("run");

for (const [script, status] of [
  ["exit 0", 0],
  ["exit 7", 7],
  ["exit 255", 255],
  ["kill -KILL $$", 137],
  ["trap - TERM; kill -TERM $$; sleep 0.1; exit 3", 3], // pid 1 of a pid namespace ignores a default TERM
] as const)
  run(`exit status [${script}]`, async (c) => {
    c.configure((spec) => {
      if (script.includes("-KILL")) spec.linux.namespaces.shift(); // with a pid namespace, pid 1 survives its own KILL
      shell(spec, script);
    });
    assert.is((await c.run()).status, status);
    refuse(await c.runt(["state", c.id]), "does not exist");
  });

run("standard streams reach the caller apart, and stdin reaches the process", async (c) => {
  c.configure((spec) => shell(spec, "cat; echo to stderr >&2"));
  const result = succeed(await c.run({ stdin: "through stdin\n", pipes: true }));
  assert.is(result.stdout, "through stdin\n");
  assert.is(result.stderr, "to stderr\n");
});

run("a megabyte of output arrives whole", async (c) => {
  c.configure((spec) => shell(spec, "head -c 1048576 /dev/zero | tr '\\0' x"));
  assert.is(succeed(await c.run({ pipes: true })).stdout.length, 1048576);
});

run("a signal to run is passed on to the process", async (c) => {
  c.configure((spec) => {
    spec.root.readonly = false;
    shell(spec, "trap 'echo got it; exit 9' TERM; touch /tmp/up; while :; do sleep 0.02; done");
  });
  const running = c.startRunt(["run", "--bundle", c.bundle, c.id]);
  assert.ok(await eventually(() => existsSync(join(c.rootfs, "tmp/up"))));
  running.kill("SIGTERM");
  const result = await running.done;
  assert.is(result.stdout, "got it\n");
  assert.is(result.status, 9);
});

run("--keep leaves a stopped container", async (c) => {
  succeed(await c.runt(["run", "--keep", "--bundle", c.bundle, c.id]));
  assert.is((await c.state()).status, "stopped");
});

run("--detach returns while the process runs, and leaves it to whoever adopts orphans", async (c) => {
  c.configure((spec) => shell(spec, "exec sleep 60"));
  succeed(await c.runt(["run", "-d", "--bundle", c.bundle, c.id]));
  const { pid, status } = await c.state();
  assert.is(status, "running");
  assert.ok(isAlive(pid));
});

run("after create the caller's pipes are held by the container alone", async (c) => {
  const running = c.startRunt(["create", "--bundle", c.bundle, c.id], { pipes: true });
  assert.ok(await eventually(() => existsSync(join(c.root, c.id, "state.json")), 10));
  while (!(await c.runt(["state", c.id])).stdout.includes('"status": "created"')) await Bun.sleep(10);
  const { pid } = await c.state();
  process.kill(pid, "SIGKILL");
  const result = await running.done; // ends only when every holder of the pipes is gone
  assert.is(result.timedOut, false);
  assert.is(result.status, 0);
});

run("the bundle is the working directory when --bundle is absent", async (c) => {
  c.configure((spec) => shell(spec, "echo here"));
  assert.is(succeed(await c.runt(["run", c.id], { cwd: c.bundle })).stdout, "here\n");
});

run("a relative --root and --bundle and --pid-file", async (c) => {
  c.configure((spec) => shell(spec, "exec sleep 60"));
  const args = ["--root", "state", "create", "--bundle", "bundle", "--pid-file", "init.pid", c.id];
  succeed(await runCommand([runtimePath, ...args], { cwd: c.dir }));
  assert.is(readFileSync(join(c.dir, "init.pid"), "utf8"), String((await c.state()).pid));
});

run("pid file: decimal, no newline, no other file beside it", async (c) => {
  const file = join(c.dir, "pid");
  succeed(await c.runt(["create", "--bundle", c.bundle, "--pid-file", file, c.id]));
  assert.is(readFileSync(file, "utf8"), String((await c.state()).pid));
  assert.not(existsSync(join(c.dir, ".pid")));
});

run("pid file: written by rename, so a link in its place is replaced, not followed", async (c) => {
  const canary = join(c.dir, "canary");
  writeFileSync(canary, "untouched");
  const file = join(c.dir, "pid");
  symlinkSync(canary, file);
  succeed(await c.runt(["create", "--bundle", c.bundle, "--pid-file", file, c.id]));
  assert.is(readFileSync(canary, "utf8"), "untouched");
  assert.ok(lstatSync(file).isFile());
});

run("pid file: not there after a create that failed", async (c) => {
  c.configure((spec) => {
    spec.process.args = ["/nonexistent"];
  });
  const file = join(c.dir, "pid");
  refuse(await c.runt(["create", "--bundle", c.bundle, "--pid-file", file, c.id]));
  assert.not(existsSync(file));
});

run(
  "the caller's soft limit of open files is passed on when the configuration has none",
  async (c) => {
    c.configure((spec) => {
      spec.process.rlimits = [];
      shell(spec, "ulimit -Sn; ulimit -Hn");
    });
    const command = [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
    const wrapped = ["sh", "-c", 'ulimit -Sn 777; ulimit -Hn 4000; exec "$@"', "sh", ...command];
    assert.is(succeed(await runCommand(wrapped)).stdout, "777\n4000\n");
  },
  { runcFails: "runc 1.1.5 hands down the soft limit that Go raised to the hard one" },
);

for (const signal of ["CHLD", "TERM", "HUP"])
  run(`a caller that ignores SIG${signal}: the status and the signals arrive`, async (c) => {
    c.configure((spec) =>
      shell(
        spec,
        "trap 'exit 7' TERM; grep SigIgn /proc/self/status; echo ready; while :; do sleep 0.02; done",
      ),
    );
    const out = join(c.dir, "out");
    const ignoring = ["env", `--ignore-signal=${signal}`];
    const running = startCommand(
      [...ignoring, runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id],
      { stdout: out },
    );
    assert.ok(await eventually(() => readFileSync(out, "utf8").includes("ready")));
    assert.match(readFileSync(out, "utf8"), /^SigIgn:\t0000000000000000$/m);
    running.kill("SIGTERM");
    assert.is((await running.done).status, 7);
  });

run.run();
