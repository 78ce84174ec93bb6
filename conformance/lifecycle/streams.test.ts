// The standard streams of a program in the foreground without a terminal: pipes of its own user, whatever the caller's
// are, from which everything arrives.
import "../bun_host.ts";
import { spawn } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { EAGAIN } from "../../syscalls/constants/errno.ts";
import { F_GETFL } from "../../syscalls/constants/fcntl.ts";
import { AF_UNIX, SOCK_CLOEXEC, SOCK_SEQPACKET, SOCK_STREAM } from "../../syscalls/constants/socket.ts";
import { tryFcntl } from "../../syscalls/descriptor.ts";
import { close } from "../../syscalls/open.ts";
import { tryReceive, trySend } from "../../syscalls/socket.ts";
import { call } from "../../syscalls/syscall.ts";
import type { Fd } from "../../syscalls/types.ts";
import { eventually, runCommand, sleep, startCommand } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { assertSleeps } from "../inspect.ts";
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

/** Bytes that say where they are: nothing can be lost, doubled or out of its order. */
function numbered(megabytes: number): Buffer {
  const bytes = Buffer.alloc(megabytes << 20);
  for (let at = 0; at < bytes.length; at += 8) bytes.write(`${at / 8}`.padStart(7, "0"), at, "latin1");
  return bytes;
}

const large = numbered(5);
/** Not a multiple of any block. */
const uneven = large.subarray(0, large.length - 12_347);

/** Both ends of a connection; the second is what the runtime gets. */
type Pair = { readonly ours: Fd; readonly theirs: Fd };

function socketPair(type: number): Pair {
  const fds = new Int32Array(2);
  call("socketpair", [AF_UNIX, type | SOCK_CLOEXEC, 0, fds], "");
  return { ours: fds[0] as Fd, theirs: fds[1] as Fd };
}

/** Everything that comes until the other side is closed everywhere. */
async function collect(fd: Fd): Promise<Buffer> {
  const parts: Buffer[] = [];
  const buffer = new Uint8Array(1 << 18);
  for (;;) {
    const count = tryReceive(fd, buffer);
    if (count === -EAGAIN) await sleep(0.001);
    else if (count <= 0) return Buffer.concat(parts);
    else parts.push(Buffer.from(buffer.subarray(0, count)));
  }
}

async function feed(fd: Fd, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const count = trySend(fd, bytes.subarray(at));
    if (count === -EAGAIN) await sleep(0.001);
    else if (count < 0) throw new Error(`send: ${count}`);
    else at += count;
  }
}

/** The exit status of a program with these descriptors as its streams. */
function startWith(
  [file = "", ...args]: readonly string[],
  { stdin, stdout }: { readonly stdin?: number; readonly stdout: number },
): Promise<number | null> {
  const child = spawn(file, args, { stdio: [stdin ?? "ignore", stdout, "ignore"] });
  return new Promise((resolve) => child.once("exit", (status) => resolve(status)));
}

const connections: Record<string, () => Pair> = {
  "a stream socket": () => socketPair(SOCK_STREAM),
  "a socket of messages": () => socketPair(SOCK_SEQPACKET),
};

for (const how of ["run", "exec"] as const)
  for (const [kind, connect] of Object.entries(connections))
    streams(`${how}: five megabytes to ${kind}, whose flags stay the caller's`, async (c) => {
      const { ours, theirs } = connect();
      writeFileSync(join(c.rootfs, "large"), uneven);
      const command = await commandFor(c, how, "cat /large; echo end");
      const before = tryFcntl(theirs, F_GETFL);
      const received = collect(ours);
      const status = await startWith(command, { stdout: theirs });
      assert.is(tryFcntl(theirs, F_GETFL), before);
      close(theirs);
      assert.ok((await received).equals(Buffer.concat([uneven, Buffer.from("end\n")])));
      assert.is(status, 0);
    });

for (const how of ["run", "exec"] as const)
  for (const kind of ["a stream socket", "a file"] as const)
    streams(`${how}: five megabytes from ${kind}`, async (c) => {
      const path = join(c.dir, "input");
      writeFileSync(path, uneven);
      const command = await commandFor(c, how, "cat >/dev/stdout; exit 3");
      const out = join(c.dir, "output");
      const outFd = openSync(out, "w");
      const { ours, theirs } = socketPair(SOCK_STREAM);
      const stdin = kind === "a file" ? openSync(path, "r") : theirs;
      const running = startWith(command, { stdin, stdout: outFd });
      if (kind === "a file") closeSync(stdin);
      close(theirs);
      if (kind !== "a file") await feed(ours, uneven);
      close(ours);
      assert.is(await running, 3);
      closeSync(outFd);
      assert.ok(readFileSync(out).equals(uneven));
    });

streams("a file, written to at its offset and read from its offset", async (c) => {
  const command = await commandFor(c, "exec", "cat");
  const { text } = await redirected(c, command, "<F >>F");
  assert.is(text, "");
  const script = `printf 'one\ntwo\n' >"$0"; { read x; "$@"; } <"$0"; { echo zero; "$@" <"$0"; } >"$0.out"`;
  const file = join(c.dir, "io/file");
  const { stdout } = await runCommand(["sh", "-c", script, file, ...command]);
  assert.is(stdout, "two\n");
  assert.is(readFileSync(`${file}.out`, "utf8"), "zero\none\ntwo\n");
});

streams("a socket that nobody reads [no CPU time, signals get through, nothing is lost]", async (c) => {
  const { ours, theirs } = socketPair(SOCK_STREAM);
  writeFileSync(join(c.rootfs, "large"), uneven);
  const script = "trap 'echo end; exit 6' TERM; head -c 400000 /large & while :; do sleep 0.02; done";
  const command = await commandFor(c, "exec", script);
  const [file = "", ...args] = command;
  const child = spawn(file, args, { stdio: ["ignore", theirs, "ignore"] });
  const status = new Promise<number | null>((resolve) => child.once("exit", resolve));
  close(theirs);
  const pid = child.pid ?? -1;
  assert.ok(pid > 1);
  await assertSleeps(pid);
  process.kill(pid, "SIGTERM");
  await sleep(0.3);
  const bytes = await collect(ours);
  assert.is(await status, 6);
  // The rest of what head writes comes when there is room for it again, before or after the last word.
  const text = bytes.toString("latin1").replace("end\n", "");
  assert.is(text.length, 400_000);
  assert.is(text, uneven.subarray(0, 400_000).toString("latin1"));
});

// Where nothing blocks there is nothing to ask: how often is what the time goes to.
for (const [title, redirection] of [
  ["to a file", ">F"],
  ["appended to a file", ">>F"],
  ["from a file", "<F"],
] as const)
  streams(
    `three megabytes ${title} take few system calls`,
    async (c) => {
      const trace = join(c.dir, "trace");
      const reading = redirection === "<F";
      const command = await commandFor(
        c,
        "exec",
        reading ? "cat >/dev/null" : "dd if=/dev/zero bs=64k count=48 2>/dev/null",
      );
      const traced = [...command.slice(0, 3), "--trace", trace, ...command.slice(3)];
      if (reading) {
        writeFileSync(join(c.dir, "large"), uneven.subarray(0, 48 << 16));
        const script = `exec "$@" <${join(c.dir, "large")}`;
        succeed(await runCommand(["sh", "-c", script, "sh", ...traced]));
      } else {
        const { text } = await redirected(c, traced, redirection);
        assert.is(text.length, 48 << 16);
      }
      const calls = readFileSync(trace, "utf8").match(/ (ppoll|read|write|splice)\(/g)?.length ?? 0;
      // A pipe of 64 KiB takes a block at a time; a reader of 4 KiB, a dozen pages. Before: 2,300 and more.
      assert.ok(calls < 800, `${calls} calls`);
    },
    { runcFails: "runc has no trace" },
  );

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
