// run and exec with a terminal, alike: the caller's terminal is given back as it was on every way out, hung-up and
// full peers neither hang nor spin, and nothing is lost.
import "../bun_host.ts";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { pipe } from "../../syscalls/descriptor.ts";
import { close } from "../../syscalls/open.ts";
import { eventually, sleep } from "../command.ts";
import { conformance, type Fixture, succeed } from "../harness.ts";
import { assertSleeps, isAlive } from "../inspect.ts";
import { runtimePath } from "../needs.ts";
import { Screen, withTerminal } from "../pty.ts";
import type { Spec } from "../spec.ts";
import { execArgs, runWaiting } from "./running.ts";

const attached = conformance("attached terminal");
const usual = { rows: 43, columns: 132 };
const commands = ["run", "exec"] as const;
type Command = (typeof commands)[number];

/** The command line that runs this program on a terminal, as the container's first process or beside it. */
async function commandLine(c: Fixture, command: Command, program: readonly string[]): Promise<string[]> {
  const writable = (spec: Spec): void => {
    spec.root.readonly = false;
  };
  if (command === "exec") {
    await runWaiting(c, writable);
    return [runtimePath, "--root", c.root, ...execArgs(c, ["--tty"], program)];
  }
  c.configure((spec) => {
    writable(spec);
    Object.assign(spec.process, { terminal: true, args: program });
  });
  return [runtimePath, "--root", c.root, "run", "--bundle", c.bundle, c.id];
}

const scripted = (c: Fixture, command: Command, script: string): Promise<string[]> =>
  commandLine(c, command, ["sh", "-c", script]);

/** Waits in the container until `release` was called outside. */
const untilReleased = "while ! test -e /tmp/go; do sleep 0.02; done";
const numbers = Array.from({ length: 30000 }, (_, i) => String(i + 1));
const release = (c: Fixture): void => writeFileSync(join(c.rootfs, "tmp/go"), "");

type Ending = {
  readonly title: string;
  readonly script: string;
  readonly leave?: (c: Fixture, pid: number) => unknown;
  readonly status: number;
};

const trapping = (signal: string): string =>
  `trap 'exit 9' ${signal}; echo ready; while :; do sleep 0.02; done`;

const endings: Ending[] = [
  { title: "it ends", script: `echo ready; ${untilReleased}; exit 3`, leave: release, status: 3 },
  {
    title: "the container is killed",
    script: "echo ready; sleep 60",
    leave: (c) => c.runt(["kill", c.id, "KILL"]),
    status: 137,
  },
  {
    title: "another command deletes the container",
    script: "echo ready; sleep 60",
    leave: (c) => c.runt(["delete", "--force", c.id]),
    status: 137,
  },
  ...(["TERM", "INT", "HUP", "QUIT", "USR1", "ALRM"] as const).map((name) => ({
    title: `SIG${name} for the runtime`,
    script: trapping(name),
    leave: (_: Fixture, pid: number) => process.kill(pid, `SIG${name}`),
    status: 9,
  })),
];

for (const command of commands) {
  for (const { title, script, leave, status } of endings)
    attached(
      `${command}: the caller's terminal is raw meanwhile and as it was after [${title}]`,
      async (c) => {
        const argv = await scripted(c, command, script);
        await withTerminal(usual, async ({ screen, start, settings }) => {
          const before = settings();
          const { pid, status: ended } = start(argv);
          assert.ok(pid > 1);
          await screen.shows("ready");
          assert.is.not(settings(), before);
          await leave?.(c, pid);
          assert.is(await ended, status);
          assert.is(settings(), before);
        });
      },
      title.startsWith("SIGINT")
        ? { runcFails: "runc 1.1.5 ends at once, with 0, and leaves the process" }
        : {},
    );

  for (const [title, program, text] of [
    ["the program is not there", ["/none"], "no such file or directory"],
    ["the program cannot be executed", ["/bin/garbage"], "exec format error"],
  ] as const)
    attached(`${command}: the caller's terminal is as it was [${title}]`, async (c) => {
      writeFileSync(join(c.rootfs, "bin/garbage"), "neither ELF nor script", { mode: 0o755 });
      const argv = await commandLine(c, command, program);
      await withTerminal(usual, async ({ screen, start, settings }) => {
        const before = settings();
        const status = await start(argv).status;
        await screen.shows(text);
        assert.is(settings(), before);
        assert.ok(status === 1 || status === 255, String(status));
      });
    });

  attached(`${command}: when the caller's terminal is gone the process is hung up`, async (c) => {
    const argv = await scripted(c, command, trapping("HUP"));
    await withTerminal(usual, async ({ screen, start }) => {
      const { status } = start(argv);
      await screen.shows("ready");
      screen.end();
      assert.is(await status, 9);
    });
  });

  attached(
    `${command}: a process that outlives the caller's terminal may go on, and its end is seen`,
    async (c) => {
      const script = `trap '' HUP; echo ready; ${untilReleased}; seq 100000; exit 4`;
      const argv = await scripted(c, command, script);
      await withTerminal(usual, async ({ screen, start }) => {
        const { pid, status } = start(argv);
        await screen.shows("ready");
        screen.end();
        await assertSleeps(pid);
        release(c);
        assert.is(await status, 4);
      });
    },
  );

  attached(`${command}: a process may close its terminal and open it again`, async (c) => {
    const script = `t=$(tty); echo ready; exec </dev/null >/dev/null 2>&1; ${untilReleased}; echo again >$t; exit 5`;
    const argv = await scripted(c, command, script);
    await withTerminal(usual, async ({ screen, start }) => {
      const { pid, status } = start(argv);
      await screen.shows("ready");
      await assertSleeps(pid);
      release(c);
      assert.is(await status, 5);
      await screen.shows("again\r\n");
    });
  });

  attached(`${command}: input that is not read yet waits, and none of it is lost`, async (c) => {
    const script = `stty raw -echo; echo ready; ${untilReleased}; head -c 300000 | tr -d x | wc -c; exit 6`;
    const argv = await scripted(c, command, script);
    await withTerminal(usual, async ({ screen, start }) => {
      const { child, pid, status } = start(argv, { controlling: false, stdin: "pipe" });
      await screen.shows("ready");
      child.stdin?.end(`${"x".repeat(99)}\n`.repeat(3000));
      await assertSleeps(pid);
      release(c);
      assert.is(await status, 6);
      await screen.shows("3000");
    });
  });

  attached(
    `${command}: output that nobody reads waits, signals get through, and nothing is lost`,
    async (c) => {
      const script = `trap 'exit 7' TERM; echo ready; seq 30000; while :; do sleep 0.02; done`;
      const argv = await scripted(c, command, script);
      await withTerminal(usual, async ({ start }) => {
        const [reader, writer] = pipe();
        const { pid, status } = start(argv, { stdout: writer });
        close(writer);
        await sleep(0.5);
        await assertSleeps(pid);
        const screen = new Screen(reader);
        try {
          assert.ok(await eventually(() => /\n30000\r?\n/.test(screen.output), 20), screen.output.slice(-99));
          process.kill(pid, "SIGTERM");
          assert.is(await status, 7);
          assert.equal(screen.output.trim().split(/\r?\n/).slice(1), numbers);
        } finally {
          screen.end();
        }
      });
    },
  );

  attached(
    `${command}: the size of a terminal that is handed in, and its changes told by SIGWINCH`,
    async (c) => {
      // As BuildKit does it: a pty as standard streams, that is nobody's controlling terminal.
      const argv = await scripted(
        c,
        command,
        "trap 'stty size; exit 8' WINCH; stty size; while :; do sleep 0.02; done",
      );
      await withTerminal(usual, async ({ screen, start }) => {
        const { pid, status } = start(argv, { controlling: false });
        await screen.shows("43 132");
        screen.resize({ rows: 21, columns: 65 });
        process.kill(pid, "SIGWINCH");
        assert.is(await status, 8);
        await screen.shows("21 65");
      });
    },
    { runcMayFail: "runc 1.1.5 sets the size when the program may run already" },
  );

  attached(`${command}: the runtime's death leaves neither a hung terminal nor a process`, async (c) => {
    const argv = await scripted(c, command, "echo ready; exec sleep 60");
    await withTerminal(usual, async ({ screen, start }) => {
      const { pid, status } = start(argv);
      await screen.shows("ready");
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
        .trim()
        .split(" ")
        .map(Number);
      process.kill(pid, "SIGKILL");
      assert.is(await status, 137);
      // The master was the runtime's: what has the pty as its terminal is hung up.
      assert.is(children.length, 1);
      if (command === "exec") assert.ok(await eventually(() => !isAlive(children[0] ?? 0), 10));
    });
    if (command === "run") succeed(await c.deleteForce());
    assert.is(existsSync(join(c.root, c.id)), command === "exec");
  });
}

attached.run();
