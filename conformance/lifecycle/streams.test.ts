// The standard streams of a program in the foreground without a terminal: pipes of its own user, whatever the caller's
// are, from which everything arrives.
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { eventually, runCommand, startCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { runtimePath } from "../needs.ts";
import { withTerminal } from "../pty.ts";
import { shell } from "../spec.ts";

const streams = conformance("standard streams");

/** The command line of run, or of exec in a container that sleeps, for this script. */
async function commandFor(c: Fixture, how: "run" | "exec", script: string, uid = 1000): Promise<string[]> {
  c.configure((spec) => {
    spec.process.user = { uid, gid: uid };
    spec.process.capabilities = {};
    shell(spec, how === "run" ? script : "sleep 60");
  });
  const base = [runtimePath, "--root", c.root];
  if (how === "run") return [...base, "run", "--bundle", c.bundle, c.id];
  succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
  return [...base, "exec", c.id, "sh", "-c", script];
}

/** Runs it with these redirections of a shell, in which F is a file of root's for nobody else. */
async function redirected(c: Fixture, command: readonly string[], redirections: string) {
  mkdirSync(join(c.dir, "io"), { mode: 0o755 });
  const file = join(c.dir, "io/file");
  writeFileSync(file, "", { mode: 0o600 });
  const text = redirections.replaceAll("F", file);
  const result = await runCommand(["sh", "-c", `"$@" ${text}`, "sh", ...command]);
  const { uid, mode } = statSync(file);
  return { result, text: readFileSync(file, "utf8"), owner: uid, mode: mode & 0o777 };
}

for (const how of ["run", "exec"] as const) {
  streams(`${how}: a file gets everything, also by /dev/stdout, and stays its owner's`, async (c) => {
    const script =
      "stat -L -c '%F %u' /proc/self/fd/1; echo one; echo two >/dev/stdout; echo three >/dev/stderr";
    const { result, text, owner, mode } = await redirected(c, await commandFor(c, how, script), ">F 2>&1");
    succeed(result);
    assert.is(text, "fifo 1000\none\ntwo\nthree\n");
    assert.equal([owner, mode], [0, 0o600]);
  });

  streams(`${how}: appending to a file`, async (c) => {
    const command = await commandFor(c, how, "echo two >/dev/stdout");
    const { result, text } = await redirected(c, ["sh", "-c", 'echo one; "$@"', "sh", ...command], ">>F");
    succeed(result);
    assert.is(text, "one\ntwo\n");
  });

  streams(
    `${how}: output and errors to one file stay in their order`,
    async (c) => {
      const script = "i=0; while [ $i -lt 200 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done";
      const { result, text } = await redirected(c, await commandFor(c, how, script), ">F 2>&1");
      succeed(result);
      assert.is(text, Array.from({ length: 200 }, (_, i) => `o${i}\ne${i}\n`).join(""));
    },
    { runcMayFail: "runc copies them apart from each other" },
  );

  streams(`${how}: a file as input is read to its end, and stays its owner's`, async (c) => {
    const command = await commandFor(c, how, "stat -L -c '%F %u' /proc/self/fd/0; cat /dev/stdin | wc -c");
    const { result, owner } = await redirected(
      c,
      ["sh", "-c", 'head -c 300000 /dev/zero >"$0"; "$@" <"$0"', join(c.dir, "io/file"), ...command],
      "",
    );
    assert.is(succeed(result).stdout, "fifo 1000\n300000\n");
    assert.is(owner, 0);
  });

  streams(`${how}: three megabytes to a file`, async (c) => {
    const command = await commandFor(c, how, "head -c 3000000 /dev/zero | tr '\\0' x");
    const { result, text } = await redirected(c, command, ">F");
    succeed(result);
    assert.is(text.length, 3_000_000);
  });

  streams(`${how}: a caller's terminal is not the program's`, async (c) => {
    const script = "[ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo none; read x; echo got $x";
    const command = await commandFor(c, how, script, 0);
    await withTerminal({ rows: 24, columns: 80 }, async ({ screen, start }) => {
      const { status } = start(command);
      await screen.shows("none");
      screen.type("hello\n");
      assert.is(await status, 0);
      await screen.shows("got hello");
    });
  });

  streams(`${how}: what is written to a full device is an error for the program`, async (c) => {
    const script = "trap '' PIPE; while echo x; do :; done 2>/dev/null; exit 7";
    const { result } = await redirected(c, await commandFor(c, how, script), ">/dev/full");
    assert.is(result.status, 7);
  });
}

for (const how of ["run", "exec"] as const)
  for (const pipes of [false, true])
    streams(`${how}: in a user namespace they are its root's [${pipes ? "pipes" : "files"}]`, async (c) => {
      const first = 100_000;
      for (const dir of [c.dir, c.bundle, c.rootfs]) chmodSync(dir, 0o755);
      const script = "stat -L -c '%F %u %g' /proc/self/fd/1; echo out >/dev/stdout; echo err >/dev/stderr";
      c.configure((spec) => {
        spec.linux.namespaces.push({ type: "user" });
        const mappings = [{ containerID: 0, hostID: first, size: 65536 }];
        Object.assign(spec.linux, { uidMappings: mappings, gidMappings: mappings });
        shell(spec, how === "run" ? script : "sleep 60");
      });
      if (how === "exec") succeed(await c.runt(["run", "--detach", "--bundle", c.bundle, c.id]));
      const args = how === "run" ? ["run", "--bundle", c.bundle, c.id] : ["exec", c.id, "sh", "-c", script];
      const { stdout, stderr } = succeed(await c.runt(args, { pipes }));
      assert.is(stdout, "fifo 0 0\nout\n");
      assert.is(stderr, "err\n");
    });

streams("exec: it waits for who still has its output, as runc does", async (c) => {
  const command = await commandFor(c, "exec", "{ sleep 0.5; echo late; } & echo early");
  const { result, text } = await redirected(c, command, ">F");
  succeed(result);
  assert.is(text, "early\nlate\n");
});

streams(
  "exec: a signal ends that wait",
  async (c) => {
    const command = await commandFor(c, "exec", "sleep 1000 & echo $$");
    const file = join(c.dir, "out");
    const running = startCommand(command, { stdout: file });
    const program = () => readFileSync(file, "utf8").trim();
    assert.ok(await eventually(() => program() !== ""));
    assert.ok(
      await eventually(async () => (await c.runt(["exec", c.id, "kill", "-0", program()])).status !== 0),
    );
    running.kill("SIGTERM");
    assert.is((await running.done).status, 0);
  },
  { runcFails: "runc waits on" },
);

streams.run();
