// exec with a terminal: the caller's, or one through a console socket. What run and exec have in common is in
// attached.test.ts.
import "../bun_host.ts";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { pipe } from "../../syscalls/descriptor.ts";
import { close } from "../../syscalls/open.ts";
import { tryGetWindowSize } from "../../syscalls/tty.ts";
import { eventually, runCommand, sleep } from "../command.ts";
import { conformance, type Fixture, refuse, succeed } from "../harness.ts";
import { cgroupDirectory, isAlive } from "../inspect.ts";
import { runtimePath } from "../needs.ts";
import { Screen, withListener, withTerminal } from "../pty.ts";
import { exec, execArgs, runWaiting } from "./running.ts";

const terminal = conformance("exec, terminal");

const usual = { rows: 33, columns: 90 };
const execLine = (c: Fixture, flags: readonly string[], script: string): string[] => [
  runtimePath,
  "--root",
  c.root,
  ...execArgs(c, flags, ["sh", "-c", script]),
];

terminal("it is the process's own, with the size of the caller's, and echoes", async (c) => {
  await runWaiting(c);
  await withTerminal(usual, async ({ screen, start }) => {
    const line = execLine(c, ["--tty"], "tty; stty size; read line; echo got $line; exit 3");
    const { status } = start(line);
    await screen.shows("33 90\r\n");
    screen.type("hello\r");
    assert.is(await status, 3);
    await screen.shows("got hello\r\n");
    assert.is(screen.output, "/dev/pts/0\r\n33 90\r\nhello\r\ngot hello\r\n");
  });
});

terminal("it is the controlling terminal of a session that the process leads", async (c) => {
  await runWaiting(c);
  await withTerminal(usual, async ({ screen, start }) => {
    // pid, session, terminal, foreground group (proc_pid_stat(5)): 34816 is the number of /dev/pts/0.
    const line = execLine(c, ["--tty"], "cut -d' ' -f1,6,7,8 /proc/$$/stat; echo through >/dev/tty");
    assert.is(await start(line).status, 0);
    await screen.shows("through");
    assert.match(screen.output, /^(\d+) \1 34816 \1\r\nthrough\r\n$/);
  });
});

terminal("its owner is the process's user", async (c) => {
  await runWaiting(c);
  await withTerminal(usual, async ({ screen, start }) => {
    const line = execLine(c, ["--tty", "--user", "1000:1000"], "stat -c '%u %g %a' $(tty); echo x >$(tty)");
    assert.is(await start(line).status, 0);
    await screen.shows("x\r\n");
    assert.is(screen.output, "1000 5 620\r\nx\r\n");
  });
});

terminal("a change of size reaches the process", async (c) => {
  await runWaiting(c);
  await withTerminal(usual, async ({ screen, start }) => {
    const script = "trap 'stty size; exit 0' WINCH; echo up; while :; do sleep 0.02; done";
    const { status } = start(execLine(c, ["--tty"], script));
    await screen.shows("up");
    screen.resize({ rows: 40, columns: 120 });
    assert.is(await status, 0);
    await screen.shows("40 120");
  });
});

terminal("Ctrl-C is a character for the process, not a signal for the runtime", async (c) => {
  await runWaiting(c);
  await withTerminal(usual, async ({ screen, start }) => {
    const script = "trap 'echo interrupted; exit 4' INT; echo up; while :; do sleep 0.02; done";
    const { status } = start(execLine(c, ["--tty"], script));
    await screen.shows("up");
    screen.type("\u0003");
    assert.is(await status, 4);
    await screen.shows("interrupted");
  });
});

terminal("the last bytes are not lost", async (c) => {
  await runWaiting(c);
  for (let i = 0; i < 10; i++)
    await withTerminal(usual, async ({ screen, start }) => {
      assert.is(await start(execLine(c, ["--tty"], "seq 1 3000")).status, 0);
      await screen.shows("\n3000\r\n");
      assert.is(screen.output.split("\r\n").length, 3001);
    });
});

terminal("the one to be raw is the first of stderr, stdout and stdin that is one", async (c) => {
  await runWaiting(c);
  await withTerminal(usual, async ({ screen, start, settings }) => {
    const before = settings();
    const [reader, writer] = pipe();
    const script = "stty size; read line; echo got $line; exit 5";
    const { child, status } = start(execLine(c, ["--tty"], script), {
      controlling: false,
      stdin: "pipe",
      stdout: writer,
    });
    close(writer);
    const output = new Screen(reader);
    try {
      await output.shows("33 90");
      assert.is.not(settings(), before);
      child.stdin?.end("through a pipe\n");
      assert.is(await status, 5);
      await output.shows("got through a pipe");
    } finally {
      output.end();
    }
    assert.is(settings(), before);
    assert.is(screen.output, "");
  });
});

terminal(
  "without any terminal of the caller",
  async (c) => {
    await runWaiting(c);
    const line = execLine(c, ["--tty"], "stty -echo; tty; read line; echo got $line; exit 4");
    const result = await runCommand(["setsid", "--wait", ...line], { stdin: "hello\n", pipes: true });
    assert.match(result.stdout, "/dev/pts/0\ngot hello\n");
    assert.is(result.status, 4);
  },
  { runcFails: "runc 1.1.5 wants a terminal of the caller to attach to" },
);

terminal(
  "a signal ends the wait for a reader, of a process that has ended",
  async (c) => {
    await runWaiting(c, (spec) => {
      spec.root.readonly = false;
    });
    await withTerminal(usual, async ({ start }) => {
      const [reader, writer] = pipe();
      // More than a pipe holds, less than a pipe and the buffers of a pty.
      const script = "head -c 67000 /dev/zero | tr '\\0' x; touch /tmp/over";
      const { pid, status } = start(execLine(c, ["--tty"], script), { stdout: writer });
      close(writer);
      assert.ok(await eventually(() => existsSync(join(c.rootfs, "tmp/over")), 20));
      // The first may still find the process and be for it.
      const ended = status.then(() => true);
      for (let tries = 0; tries < 50; tries++) {
        process.kill(pid, "SIGTERM");
        if (await Promise.race([ended, sleep(0.1).then(() => false)])) break;
      }
      assert.ok(await Promise.race([ended, sleep(5).then(() => false)]), "it hangs");
      close(reader);
    });
  },
  { runcFails: "runc stays in its write" },
);

terminal(
  "--console-socket gets the master, and the payload is the name of the slave",
  async (c) => {
    await runWaiting(c);
    const file = join(c.dir, "pid");
    const path = join(c.dir, "socket");
    await withListener(path, async (listener) => {
      const flags = ["-d", "-t", "--console-socket", path, "--pid-file", file];
      succeed(await exec(c, flags, ["sh", "-c", "tty; read line; echo got $line"]));
      const { payload, fd } = await listener.receive();
      assert.is(payload, "/dev/pts/0");
      const screen = new Screen(fd);
      try {
        await screen.shows("/dev/pts/0\r\n");
        screen.type("hello\n");
        await screen.shows("got hello");
      } finally {
        screen.end();
      }
    });
    assert.ok(existsSync(file));
  },
  { runcFails: "runc sends the name /dev/ptmx" },
);

terminal("--console-socket: consoleSize of a process file is the size", async (c) => {
  await runWaiting(c);
  const path = join(c.dir, "socket");
  const file = join(c.dir, "process.json");
  const size = { height: 17, width: 71 };
  const object = { terminal: true, consoleSize: size, args: ["sh", "-c", "stty size; sleep 60"], cwd: "/" };
  writeFileSync(file, JSON.stringify({ ...object, env: ["PATH=/bin"] }));
  await withListener(path, async (listener) => {
    succeed(await c.runt(["exec", "--detach", "--process", file, "--console-socket", path, c.id]));
    const { fd } = await listener.receive();
    assert.equal(tryGetWindowSize(fd), { rows: 17, columns: 71 });
    const screen = new Screen(fd);
    try {
      await screen.shows("17 71");
    } finally {
      screen.end();
    }
  });
});

terminal("--console-socket: when the receiver closes the terminal, the process is hung up", async (c) => {
  await runWaiting(c);
  const path = join(c.dir, "socket");
  const file = join(c.dir, "pid");
  await withListener(path, async (listener) => {
    const flags = ["-dt", "--console-socket", path, "--pid-file", file];
    succeed(await exec(c, ["-d", "-t", ...flags.slice(1)], ["sleep", "600"]));
    const { fd } = await listener.receive();
    const pid = Number(readFileSync(file, "utf8"));
    assert.ok(isAlive(pid));
    close(fd);
    assert.ok(await eventually(() => !isAlive(pid), 10));
  });
});

terminal(
  "--console-socket: a receiver that hangs up at once [an error or a process, nothing in between]",
  async (c) => {
    await runWaiting(c);
    const { pid } = await c.state();
    for (let i = 0; i < 5; i++) {
      const path = join(c.dir, `socket${i}`);
      await withListener(path, async (listener) => {
        const running = exec(c, ["-d", "-t", "--console-socket", path], ["true"]);
        await listener.hangUp();
        const result = await running;
        if (result.status !== 0) {
          refuse(
            result,
            /broken pipe|connection reset|input\/output error|with status 129 before its program ran/,
          );
          assert.is(result.status, 255);
        }
      });
    }
    const inside = (): string =>
      readFileSync(join(cgroupDirectory(pid, "memory"), "cgroup.procs"), "utf8").trim();
    assert.ok(await eventually(() => inside() === String(pid), 10), inside());
  },
  { needs: ["cgroup1"] },
);

terminal(
  "--pidfd-socket gets one descriptor, a pidfd of the process, and the payload is setns",
  async (c) => {
    await runWaiting(c);
    const path = join(c.dir, "socket");
    const file = join(c.dir, "pid");
    await withListener(path, async (listener) => {
      succeed(await exec(c, ["-d", "--pid-file", file, "--pidfd-socket", path], ["sleep", "600"]));
      const { payload, fd } = await listener.receive();
      assert.is(payload, "setns");
      const pid = readFileSync(file, "utf8");
      assert.match(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"), new RegExp(`^Pid:\\t${pid}$`, "m"));
      close(fd);
    });
  },
  { runcFails: "runc 1.1.5 has no --pidfd-socket" },
);

terminal("--console-socket that nobody listens on is refused, and no pid file is written", async (c) => {
  await runWaiting(c);
  const file = join(c.dir, "pid");
  const flags = ["-td", "--console-socket", join(c.dir, "nobody"), "--pid-file", file];
  assert.is(refuse(await exec(c, ["-t", "-d", ...flags.slice(1)], ["true"]), "nobody").status, 255);
  assert.not(existsSync(file));
});

terminal.run();
